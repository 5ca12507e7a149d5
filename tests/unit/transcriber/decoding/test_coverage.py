import pytest

from tests.unit.transcriber.decoding.spans import window
from tests.unit.transcriber.engines import heard
from whisper_transcriber.decoding.coverage import missed_speech, segments_of


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        pytest.param((1.0, 2.0), [(11.0, 12.0)], id="inside"),
        pytest.param((1.0, 9.0), [(11.0, 15.0)], id="ends with the window"),
        pytest.param((1.0, None), [(11.0, 15.0)], id="never closed"),
        pytest.param((5.0, 6.0), [], id="begins after the window"),
    ],
)
def test_phrases_stay_inside_their_window(
    phrase: tuple[float, float | None], expected: list[tuple[float, float]]
) -> None:
    found = segments_of(window(10, 15), heard((*phrase, " x")))
    assert [(each.start, each.end) for each in found] == expected


def test_a_segment_tells_where_its_window_began_in_frames_of_10_ms() -> None:
    (found,) = segments_of(window(10, 15), heard((1.0, 2.0, " x")))
    assert found.seek == 1000


def test_missed_speech_begins_where_somebody_speaks_again() -> None:
    (segment,) = segments_of(window(0, 15), heard((0.0, 4.0, " x")))
    missed = missed_speech(window(0, 15, (0, 4), (9, 15)), [segment])
    assert missed == [window(9, 15)]


def test_a_single_word_whose_timestamp_lies_after_its_window_keeps_its_text() -> None:
    (segment,) = segments_of(window(10, 10.5), heard((0.8, 1.2, " seven")))
    assert (segment.start, segment.end, segment.text) == (10.0, 10.5, " seven")
