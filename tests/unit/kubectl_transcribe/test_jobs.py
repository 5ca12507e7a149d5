import pytest

from kubectl_transcribe import jobs
from kubectl_transcribe.findings import Level


def job(minute: int = 0, bucket: str = "media", **store: str) -> dict:
    return {
        "metadata": {"creationTimestamp": f"2026-11-22T12:{minute:02}:00Z"},
        "spec": {
            "source": {"uri": f"s3://{bucket}/a.mp3"},
            "output": {"uri": "s3://out/a/"},
            **({"objectStore": store} if store else {}),
        },
    }


def test_the_latest_jobs_are_so_by_their_time_and_not_by_their_names():
    made = [job(minute, bucket=f"media-{minute}") for minute in range(25, 0, -1)]
    assert jobs.latest(made)[-1] == made[0]
    assert jobs.buckets(jobs.latest(made)) == {"out", *(f"media-{i}" for i in range(6, 26))}


KEYLESS = {"endpoint": "https://s3.example.com"}


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ([], None),
        ([job(**KEYLESS), job(endpoint="https://b")], {"endpoint": "https://b"}),
        ([job(**KEYLESS), job()], None),
        ([job(**KEYLESS), job(secretName="other")], None),
    ],
    ids=["no jobs", "all without a Secret", "one by the usual one", "one by another one"],
)
def test_a_secret_is_not_needed_where_no_job_names_one(made, found):
    assert jobs.keyless(made) == found


def stands(name: str, phase: str | None, reason: str | None = None, message: str = "x") -> dict:
    status = {"phase": phase, "reason": reason, "message": message}
    given = {key: value for key, value in status.items() if value}
    return {"metadata": {"name": name}, **({"status": given} if phase else {})}


def test_a_job_that_cannot_begin_is_wrong_in_the_words_of_its_status():
    waiting = stands("standup", "Pending", "Unschedulable", "0/3 nodes are available")
    (found,) = jobs.of_jobs([waiting], "media")
    assert found.level is Level.WRONG
    assert found.message == "standup waits (Unschedulable): 0/3 nodes are available"
    assert found.mend == (
        "Compare the pool's node selector, tolerations and resources with the nodes. An "
        "autoscaler (docs/gpu-pools.md#cluster-autoscaler-karpenter) may still add one. "
        "Details: kubectl describe tj standup -n media"
    )


def test_a_reason_of_a_plugin_of_the_cluster_has_no_advice_but_details():
    (found,) = jobs.of_jobs([stands("standup", "Pending", "HeldByFence")], "media")
    assert found.mend == "Details: kubectl describe tj standup -n media"


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        (None, None),
        ("Pending", None),
        ("Pending", "WorkersStarting"),
        ("Pending", "JobMissing"),
        ("Pending", "Retrying"),
        ("Queued", "Queued"),
        ("Suspended", "Suspended"),
        ("Running", "Transcribing"),
        ("Succeeded", "Delivered"),
    ],
)
def test_a_job_that_lacks_nothing_is_well(phase, reason):
    (found,) = jobs.of_jobs([stands("standup", phase, reason)], "media")
    assert (found.level, found.about) == (Level.OK, "jobs")


def test_the_latest_failures_are_notes_the_youngest_first():
    made = [stands(f"j{i}", "Failed", "ModelNotFound", "lrage") for i in range(5)]
    well, *found = jobs.of_jobs(made, "media")
    assert well.level is Level.OK
    assert [each.message for each in found] == [
        f"j{i} failed (ModelNotFound): lrage" for i in (4, 3, 2)
    ]
    assert {each.level for each in found} == {Level.NOTE}
    assert found[0].mend == (
        "Compare with the names (docs/models.md). Then: kubectl transcribe retry j4 -n media"
    )


def test_of_many_that_wait_only_some_are_told_one_by_one():
    made = [stands(f"j{i}", "Pending", "JobRefused") for i in range(7)]
    *found, rest = jobs.of_jobs(made, "media")
    assert [each.message.split()[0] for each in found] == ["j6", "j5", "j4", "j3", "j2"]
    assert (rest.level, rest.message) == (Level.NOTE, "2 more wait")
