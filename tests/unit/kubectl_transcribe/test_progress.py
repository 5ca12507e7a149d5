import pytest

from kubectl_transcribe import progress
from tests.unit.operator.builders import owner

RUNNING = {
    "phase": "Running",
    "message": "1 worker at work",
    "progress": {
        "percent": 50,
        "totalSeconds": 60,
        "estimatedRemainingSeconds": 200,
        "speed": "38.2x",
    },
}
SENTENCES = [
    ("nobody has seen it", {}, "standup  Waiting for the operator"),
    ("it runs", RUNNING, "standup  Running  [############............]  50%  3m20s left  at 38.2x"),
    ("it has just begun", {"phase": "Running", "message": "Workers fetch the model"},
     "standup  Running  Workers fetch the model"),
    ("a worker has failed, and another one follows",
     {"phase": "Running", "reason": "WorkerRestarting", "message": "after: no answer",
      "progress": {"percent": 25, "totalSeconds": 60}},
     "standup  Running  [######..................]  25%  after: no answer"),
    ("it is many",
     {"phase": "Running",
      "progress": {"percent": 100, "totalSeconds": 60,
                   "items": 7, "itemsDone": 3, "itemsFailed": 1}},
     "standup  Running  [########################] 100%  3 of 7 recordings  1 failed"),
    ("it waits in line", {"phase": "Queued", "queuePosition": 3, "message": "2 before it"},
     "standup  Queued  number 3 in the queue  2 before it"),
    ("it waits far behind", {"phase": "Queued", "queuePosition": 500, "message": "limit"},
     "standup  Queued  among the first 500 in the queue  limit"),
    ("it cannot start", {"phase": "Pending", "message": "0/3 nodes\nare available"},
     "standup  Pending  0/3 nodes are available"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "sentence"), [s[1:] for s in SENTENCES], ids=[s[0] for s in SENTENCES]
)
def test_a_line_says_how_far_it_is(status, sentence):
    assert progress.sentence(owner(status)) == sentence


def test_a_message_cannot_reach_the_terminal():
    status = {"phase": "Failed", "message": "\x1b]0;owned\x07\r\u202eabc"}
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(progress.sentence(owner(status)))


@pytest.mark.parametrize(
    ("status", "annotation", "over"),
    [
        ({}, None, False),
        ({"phase": "Running"}, None, False),
        ({"phase": "Succeeded"}, None, True),
        ({"phase": "Failed"}, None, True),
        ({"phase": "Failed"}, "1", False),
        ({"phase": "Failed", "retry": "1"}, "1", True),
        ({"phase": "Succeeded"}, "1", True),
        ({"phase": "Failed"}, "", True),
        ({"phase": "Failed", "retry": "x" * 256}, "x" * 300, True),
    ],
)
def test_it_is_over_when_nothing_more_will_happen(status, annotation, over):
    annotations = {"transcription.dev/retry": annotation} if annotation is not None else None
    assert progress.is_over(owner(status, annotations)) is over


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (45, "45s"), (60, "1m"), (200, "3m20s"), (7500, "2h5m"), (7261, "2h1m")],
)
def test_durations_are_kubectls(seconds, text):
    assert progress.duration(seconds) == text


WITHOUT_RESULT = [
    ("it failed", {"phase": "Failed", "reason": "MediaInvalid", "message": "no audio"}, None,
     "standup failed (MediaInvalid): no audio; `kubectl transcribe retry standup -n media` tries "
     "it again when that is mended"),
    ("a retry was asked for", {"phase": "Failed"}, "1",
     "standup is Failed: its transcripts are there when it has succeeded; `kubectl transcribe "
     "follow standup -n media` waits for that"),
    ("it is suspended", {"phase": "Suspended"}, None,
     "standup is Suspended: `kubectl transcribe resume standup -n media` lets it go on"),
    ("it runs", {"phase": "Running"}, None, "`kubectl transcribe follow standup -n media` waits"),
    ("nobody has seen it", {}, None, "standup is not begun: "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "annotation", "said"), [w[1:] for w in WITHOUT_RESULT],
    ids=[w[0] for w in WITHOUT_RESULT],
)  # fmt: skip
def test_a_job_without_a_result_says_what_brings_it(status, annotation, said):
    annotations = {"transcription.dev/retry": annotation} if annotation else None
    assert said in progress.no_result_yet(owner(status, annotations))


def test_a_suspended_job_has_no_pods_for_that_reason():
    said = progress.no_pods(owner({"phase": "Suspended"}))
    assert said.endswith("`kubectl transcribe resume standup -n media` lets it go on")
    assert "it has not begun" in progress.no_pods(owner({}))


def failures(count: int, failed: int | None = None) -> dict:
    told = [
        {"item": f"s3://a/{i}.mp3", "reason": "NoAudioStream", "message": "no\nsound"}
        for i in range(count)
    ]
    result = {"uri": "s3://o/", "manifestUri": "s3://o/manifest.json", "itemsFailed": failed}
    return {"phase": "Succeeded", "failures": told, "result": result}


def test_each_recording_without_a_transcript_is_named_on_a_line():
    assert progress.shortfall(owner(failures(1, 1))) == [
        "no transcript of s3://a/0.mp3 (NoAudioStream): no sound"
    ]


def test_those_that_the_status_does_not_name_are_in_the_manifest():
    found = progress.shortfall(owner(failures(10, 12)))
    assert len(found) == 11
    assert found[-1] == "no transcript of 2 more recordings: s3://o/manifest.json names them"


def test_a_job_that_lacks_nothing_says_nothing():
    assert progress.shortfall(owner({"phase": "Succeeded"})) == []
    assert progress.shortfall(owner(failures(0))) == []
