import pytest

from tests.unit.operator.runtime.test_metrics import samples
from transcription_operator.runtime.metrics import Metrics
from transcription_operator.runtime.operator_metrics import Result


@pytest.mark.parametrize(
    ("tell", "name", "value"),
    [
        (lambda m: m.count_request("get", "jobs", "200"), "api_requests_total{200,jobs,get}", 1),
        (lambda m: m.count_reconcile(Result.ERROR), "reconcile_total{error}", 1),
        (lambda m: m.count_reconcile(Result.ERROR), "reconcile_total{success}", 0),
        (lambda m: m.follow_watch("pods", lambda: 12.5), "watch_age_seconds{pods}", 12.5),
        (lambda m: m.set_leading(True), "leader{}", 1),
        (lambda m: m.set_leading(False), "leader{}", 0),
        (lambda m: m.set_holding_lease(True), "leader{}", 1),
    ],
    ids=["request", "failed", "every result is there at zero", "watch", "leads", "does not lead",
         "leads by its lease"],
)  # fmt: skip
def test_the_operators_own_health_is_told(tell, name, value):
    metrics = Metrics("a")
    tell(metrics.operator)
    assert samples(metrics)[f"transcription_operator_{name}"] == value


@pytest.mark.parametrize(
    ("again", "result"),
    [(None, "success"), (0.0, "requeue"), (300.0, "requeue_after")],
)
def test_a_result_is_named_as_by_controller_runtime(again, result):
    assert Result.of(again) == result


def test_the_lease_is_told_once_there_is_an_election():
    metrics = Metrics("operator-a")
    metrics.operator.set_leading(True)
    assert "leader_election_master_status{operator-a}" not in samples(metrics)
    metrics.operator.set_holding_lease(False)
    assert samples(metrics)["leader_election_master_status{operator-a}"] == 0
    metrics.operator.set_holding_lease(True)
    assert samples(metrics)["leader_election_master_status{operator-a}"] == 1
