"""The TranscriptionJob resource: models, and the CRD that is generated from them."""

GROUP = "transcription.dev"
VERSION = "v1alpha1"
KIND = "TranscriptionJob"
PLURAL = "transcriptionjobs"
API_VERSION = f"{GROUP}/{VERSION}"
