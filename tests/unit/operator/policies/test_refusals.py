import pytest

from transcription_contract.termination import Failure
from transcription_operator.policies import refusals

REFUSED = [
    ('pods "x" is forbidden: exceeded quota: gpus, requested: nvidia.com/gpu=1', "QuotaExceeded"),
    ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "PodSecurityViolation"),
    ('admission webhook "policy.example" denied the request: no', "AdmissionRefused"),
    ("minimum memory usage per Container is 1Gi", "PodRefused"),
]


@pytest.mark.parametrize(("message", "reason"), REFUSED, ids=[r[1] for r in REFUSED])
def test_a_pod_that_could_not_be_made_is_explained_in_the_api_servers_words(message, reason):
    assert refusals.of_pod(message) == Failure(reason=reason, message=message)
