from tests.unit.operator.runtime.test_metrics import samples
from transcription_operator.runtime.metrics import Metrics


def test_a_finished_job_is_counted_by_reason_with_its_times():
    metrics = Metrics("a")
    metrics.jobs.observe_finished("Succeeded", "Delivered", waited=4, ran=120, audio=3600)
    found = samples(metrics)
    assert found["transcription_jobs_finished_total{none,Succeeded,Delivered}"] == 1
    assert found["transcription_job_wait_seconds_sum{}"] == 4
    assert found["transcription_job_run_seconds_sum{}"] == 120
    assert found["transcription_audio_seconds_total{}"] == 3600
    assert found["transcription_job_speed_ratio_bucket{20.0}"] == 0
    assert found["transcription_job_speed_ratio_bucket{50.0}"] == 1


def test_warnings_and_suspect_segments_of_finished_jobs_are_counted():
    metrics = Metrics("a")
    for name in ("recording_warnings", "suspect_segments"):
        assert samples(metrics)[f"transcription_{name}_total{{}}"] == 0
    metrics.jobs.observe_finished("Succeeded", "Delivered", warnings=2, suspect_segments=7)
    metrics.jobs.observe_finished("Succeeded", "Delivered", warnings=1)
    assert samples(metrics)["transcription_recording_warnings_total{}"] == 3
    assert samples(metrics)["transcription_suspect_segments_total{}"] == 7


def test_a_job_that_never_ran_has_no_times():
    metrics = Metrics("a")
    metrics.jobs.observe_finished("Failed", "ImagePullBackOff")
    found = samples(metrics)
    assert found["transcription_jobs_finished_total{installation,Failed,ImagePullBackOff}"] == 1
    for name in ("job_wait_seconds", "job_run_seconds", "job_speed_ratio"):
        assert found[f"transcription_{name}_count{{}}"] == 0


def test_clocks_that_disagree_break_nothing():
    metrics = Metrics("a")
    metrics.jobs.observe_finished("Succeeded", "Delivered", waited=-3, ran=0, audio=10)
    assert samples(metrics)["transcription_job_wait_seconds_sum{}"] == 0


def test_a_reason_that_somebody_made_up_is_no_label():
    metrics = Metrics("a")
    for i in range(100):
        metrics.jobs.observe_finished("Failed", f"x{i}")
    found = samples(metrics)
    assert found["transcription_jobs_finished_total{cluster,Failed,Other}"] == 100
    assert not [name for name in found if "x1" in name]


def test_every_end_is_there_at_zero_since_a_rate_needs_a_value_before_the_first():
    found = samples(Metrics("a"))
    assert found["transcription_jobs_finished_total{none,Succeeded,Delivered}"] == 0
    for ending in ("user,Failed,MediaInvalid", "installation,Failed,OOMKilled"):
        assert found[f"transcription_jobs_finished_total{{{ending}}}"] == 0
    assert found["transcription_jobs_finished_total{cluster,Failed,Other}"] == 0


def test_every_phase_is_there_also_with_no_job_in_it():
    metrics = Metrics("a")
    counts = {"Running": 2}
    metrics.jobs.follow_jobs(lambda: counts, dict)
    assert samples(metrics)["transcription_jobs{Running}"] == 2
    assert samples(metrics)["transcription_jobs{Failed}"] == 0
    counts = {"Failed": 1}
    assert samples(metrics)["transcription_jobs{Running}"] == 0


def test_the_longest_wait_is_told_of_those_that_wait_alone():
    metrics = Metrics("a")
    metrics.jobs.follow_jobs(dict, lambda: {"Queued": 301.5, "Running": 9000.0})
    waits = {n: v for n, v in samples(metrics).items() if "longest_wait" in n}
    assert waits == {
        "transcription_jobs_longest_wait_seconds{Pending}": 0,
        "transcription_jobs_longest_wait_seconds{Queued}": 301.5,
    }


def test_the_longest_standstill_is_told():
    metrics = Metrics("a")
    metrics.jobs.follow_progress(lambda: 42.0)
    assert samples(metrics)["transcription_jobs_standstill_seconds{}"] == 42


def test_a_reason_that_no_job_can_end_with_has_no_series():
    found = samples(Metrics("a"))
    assert not [name for name in found if "Transcribing" in name or "ErrImagePull" in name]
