"""A namespace that is being deleted: its Jobs are deleted by us, or it would never end.

A Job with a backoffLimitPerIndex lets go of a pod only once it has made another one (KEP-3850),
which it may not in a namespace that ends; and that deletes Jobs only when all pods are gone
(KEP-5080).
"""

from transcription_operator.policies.actions import DeleteJob
from transcription_operator.policies.observation import Observation


def actions(seen: Observation) -> list[DeleteJob]:
    """Delete the Job unless it is over."""
    job = seen.job
    return [DeleteJob(job.name, job.uid)] if job and not job.finished else []
