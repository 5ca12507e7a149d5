import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription_contract.decoding import Decoding
from transcription_contract.options import ModelReference, Subtitles
from transcription_contract.task import Task


def task(**changes) -> Task:
    values = {
        "uid": "u",
        "owner": "media/standup",
        "source_uri": "s3://recordings/$(HOME).mp3",
        "output_uri": "s3://out/",
        "secret_name": "s",
        "model": ModelReference(name="tiny"),
    }
    return Task(**values | changes)


@given(prompt=st.text(max_size=50) | st.just("$(AWS_SECRET_ACCESS_KEY) $$(X)"))
def test_a_task_comes_back_whole_and_shows_the_kubelet_no_dollar(prompt):
    told = task(decoding=Decoding(initial_prompt=prompt), include=("$(HOME)*.mp3",))
    text = told.to_environment()
    assert "$" not in text
    assert Task.model_validate_json(text) == told


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"decoding": Decoding(word_timestamps=True)}, True),
        ({"subtitles": Subtitles(highlight_words=True)}, True),
        ({"subtitles": Subtitles(max_line_width=42)}, True),
        ({"subtitles": Subtitles(max_line_count=2)}, False),
    ],
    ids=["by default", "asked for", "to highlight them", "to break lines", "lines of any width"],
)
def test_words_are_timed_where_somebody_needs_it(changes, expected):
    assert task(**changes).times_words is expected
