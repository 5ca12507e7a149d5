import pytest
from prometheus_client.parser import text_string_to_metric_families

from transcription_operator.runtime.metrics import Metrics


def samples(metrics):
    """name{label,label} -> value; labels are in the order of their names."""
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_a_finished_job_is_counted_by_reason_with_its_times():
    metrics = Metrics()
    metrics.observe_finished("Succeeded", "Delivered", waited=4, ran=120, audio=3600)
    found = samples(metrics)
    assert found["transcription_jobs_finished_total{Succeeded,Delivered}"] == 1
    assert found["transcription_job_wait_seconds_sum{}"] == 4
    assert found["transcription_job_run_seconds_sum{}"] == 120
    assert found["transcription_audio_seconds_total{}"] == 3600
    assert found["transcription_job_speed_ratio_bucket{20.0}"] == 0
    assert found["transcription_job_speed_ratio_bucket{50.0}"] == 1


def test_warnings_and_suspect_segments_of_finished_jobs_are_counted():
    metrics = Metrics()
    for name in ("recording_warnings", "suspect_segments"):
        assert samples(metrics)[f"transcription_{name}_total{{}}"] == 0
    metrics.observe_finished("Succeeded", "Delivered", warnings=2, suspect_segments=7)
    metrics.observe_finished("Succeeded", "Delivered", warnings=1)
    assert samples(metrics)["transcription_recording_warnings_total{}"] == 3
    assert samples(metrics)["transcription_suspect_segments_total{}"] == 7


def test_a_job_that_never_ran_has_no_times():
    metrics = Metrics()
    metrics.observe_finished("Failed", "ImagePullBackOff")
    found = samples(metrics)
    assert found["transcription_jobs_finished_total{Failed,ImagePullBackOff}"] == 1
    for name in ("job_wait_seconds", "job_run_seconds", "job_speed_ratio"):
        assert found[f"transcription_{name}_count{{}}"] == 0


def test_clocks_that_disagree_break_nothing():
    metrics = Metrics()
    metrics.observe_finished("Succeeded", "Delivered", waited=-3, ran=0, audio=10)
    assert samples(metrics)["transcription_job_wait_seconds_sum{}"] == 0


def test_a_reason_that_somebody_made_up_is_no_label():
    metrics = Metrics()
    for i in range(100):
        metrics.observe_finished("Failed", f"x{i}")
    found = samples(metrics)
    assert found["transcription_jobs_finished_total{Failed,Other}"] == 100
    assert not [name for name in found if "x1" in name]


def test_every_end_is_there_at_zero_since_a_rate_needs_a_value_before_the_first():
    found = samples(Metrics())
    assert found["transcription_jobs_finished_total{Succeeded,Delivered}"] == 0
    for reason in ("MediaInvalid", "OOMKilled", "Other"):
        assert found[f"transcription_jobs_finished_total{{Failed,{reason}}}"] == 0


def test_every_phase_is_there_also_with_no_job_in_it():
    metrics = Metrics()
    counts = {"Running": 2}
    metrics.follow_jobs(lambda: counts, dict)
    assert samples(metrics)["transcription_jobs{Running}"] == 2
    assert samples(metrics)["transcription_jobs{Failed}"] == 0
    counts = {"Failed": 1}
    assert samples(metrics)["transcription_jobs{Running}"] == 0


def test_the_longest_wait_is_told_of_those_that_wait_alone():
    metrics = Metrics()
    metrics.follow_jobs(dict, lambda: {"Queued": 301.5, "Running": 9000.0})
    waits = {n: v for n, v in samples(metrics).items() if "longest_wait" in n}
    assert waits == {
        "transcription_jobs_longest_wait_seconds{Pending}": 0,
        "transcription_jobs_longest_wait_seconds{Queued}": 301.5,
    }


def test_the_longest_standstill_is_told():
    metrics = Metrics()
    metrics.follow_progress(lambda: 42.0)
    assert samples(metrics)["transcription_jobs_standstill_seconds{}"] == 42


@pytest.mark.parametrize(
    ("tell", "name", "value"),
    [
        (lambda m: m.count_request("get", "jobs", "200"), "api_requests_total{200,jobs,get}", 1),
        (lambda m: m.observe_reconcile(0.1, failed=True), "reconcile_errors_total{}", 1),
        (lambda m: m.observe_reconcile(0.1, failed=False), "reconcile_errors_total{}", 0),
        (lambda m: m.observe_reconcile(0.1, failed=False), "reconcile_seconds_count{}", 1),
        (lambda m: m.follow_queue(lambda: 7), "queue_depth{}", 7),
        (lambda m: m.follow_watch("pods", lambda: 12.5), "watch_age_seconds{pods}", 12.5),
        (lambda m: m.set_leading(True), "leader{}", 1),
        (lambda m: m.set_leading(False), "leader{}", 0),
    ],
)
def test_the_operators_own_health_is_told(tell, name, value):
    metrics = Metrics()
    tell(metrics)
    assert samples(metrics)[f"transcription_operator_{name}"] == value


def test_two_of_them_do_not_share_their_counts():
    one, other = Metrics(), Metrics()
    one.set_leading(True)
    assert samples(other)["transcription_operator_leader{}"] == 0
