"""Labels and annotations of a Job and of its pods. Pure.

The settings win over spec.podTemplate, which wins over what is propagated from the
TranscriptionJob. The operator's own names win over all.
"""

from collections.abc import Iterable, Mapping

from transcription_api.pod_template import PodTemplate, is_reserved
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.allow_lists import allows
from transcription_operator.policies import names
from transcription_operator.settings import Settings

_KUBECTL = "kubectl.kubernetes.io/"
"""The last applied configuration is the whole TranscriptionJob once more."""


def propagated(found: Mapping[str, str], entries: Iterable[str]) -> dict[str, str]:
    """Those of a TranscriptionJob's labels or annotations that its Job and pods have too."""
    listed = tuple(entries)
    return {
        key: value
        for key, value in found.items()
        if allows(listed, key) and not is_reserved(key) and not key.startswith(_KUBECTL)
    }


def labels(owner: TranscriptionJob, settings: Settings) -> dict[str, str]:
    """The labels of the Job and of its pods."""
    added = owner.spec.pod_template or PodTemplate()
    return (
        propagated(owner.metadata.labels, settings.propagated_labels)
        | added.labels
        | settings.pod_labels
        | names.labels(owner.metadata.uid)
    )


def annotations(owner: TranscriptionJob, settings: Settings) -> dict[str, str]:
    """The annotations of the Job."""
    metadata = owner.metadata
    found = propagated(metadata.annotations, settings.propagated_annotations)
    return found | names.annotations(metadata.name)


def pod_annotations(owner: TranscriptionJob, settings: Settings) -> dict[str, str]:
    """The annotations of the pods: the Job's, and those for pods alone."""
    added = owner.spec.pod_template or PodTemplate()
    found = propagated(owner.metadata.annotations, settings.propagated_annotations)
    own = names.annotations(owner.metadata.name)
    return found | added.annotations | settings.pod_annotations | own
