import pytest

from tests.unit.operator.builders import owner

ANNOTATION = "transcription.dev/retry"
RETRIES = [
    ("failed, and asked for", {"phase": "Failed"}, {ANNOTATION: "1"}, "1"),
    ("answered already", {"phase": "Failed", "retry": "1"}, {ANNOTATION: "1"}, None),
    ("asked for once more", {"phase": "Failed", "retry": "1"}, {ANNOTATION: "2"}, "2"),
    ("not asked for", {"phase": "Failed"}, {}, None),
    ("still running", {"phase": "Running"}, {ANNOTATION: "1"}, None),
    ("delivered", {"phase": "Succeeded"}, {ANNOTATION: "1"}, None),
    ("nothing said", {"phase": "Failed"}, {ANNOTATION: ""}, None),
    ("hostile and answered", {"phase": "Failed", "retry": "\ufffd" + "x" * 255},
     {ANNOTATION: "\x1b" + "x" * 900}, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "annotations", "expected"), [r[1:] for r in RETRIES], ids=[r[0] for r in RETRIES]
)
def test_a_failed_job_is_tried_again_once_for_each_value_of_the_annotation(
    status, annotations, expected
):
    assert owner(status=status, annotations=annotations).retry_asked == expected
