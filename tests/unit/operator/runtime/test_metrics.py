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


def test_two_of_them_do_not_share_their_counts():
    one, other = Metrics("a"), Metrics("a")
    one.operator.set_leading(True)
    assert samples(other)["transcription_operator_leader{}"] == 0


def test_ten_thousand_jobs_have_as_many_series_as_one():
    metrics = Metrics("a")
    before = len(samples(metrics))
    for i in range(10_000):
        key = f"media/job-{i}"
        metrics.queue.on_add(key)
        metrics.queue.on_get(key)
        metrics.queue.on_retry(key)
        metrics.queue.on_done(key)
        metrics.jobs.observe_finished("Failed", f"Reason{i}")
    assert len(samples(metrics)) == before
