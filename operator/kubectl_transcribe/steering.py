"""Holding a TranscriptionJob back, and letting it go on."""

from kubectl_transcribe.cluster import Cluster, Json
from kubectl_transcribe.errors import RefusedError
from kubectl_transcribe.progress import is_over, phase_of


def suspend(cluster: Cluster, name: str, whether: bool) -> Json:
    """Set its spec.suspend; the TranscriptionJob after it.

    Raises:
        RefusedError: it is over.
        NotFoundError: there is none.
    """
    job = cluster.job(name)
    if is_over(job):
        done = "suspended" if whether else "resumed"
        raise RefusedError(
            f"TranscriptionJob {name} is {phase_of(job)}: it is over, and cannot be {done}"
        )
    return cluster.merge(name, {"spec": {"suspend": whether}})
