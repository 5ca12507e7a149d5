"""The TranscriptionJob resource: models, and the CRD that is generated from them."""

GROUP = "transcription.dev"
VERSION = "v1alpha1"
KIND = "TranscriptionJob"
PLURAL = "transcriptionjobs"
API_VERSION = f"{GROUP}/{VERSION}"

OWNER_UID_LABEL = f"{GROUP}/job-uid"
"""On every child: finds a TranscriptionJob's Jobs and pods."""

RETRY_ANNOTATION = f"{GROUP}/retry"
"""Set by users, on a failed TranscriptionJob, to any value that it did not have before."""
