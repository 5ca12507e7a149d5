from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_transcriber.decoding.transcript import Segment, Word, from_passage, join, text
from whisper_transcriber.engine.protocol import RecordingResult


def segment(start: float, end: float, said: str = " word", words: tuple[Word, ...] = ()) -> Segment:
    return Segment(
        seek=0,
        start=start,
        end=end,
        text=said,
        tokens=(),
        temperature=0.0,
        avg_logprob=-0.1,
        compression_ratio=1.0,
        no_speech_prob=0.0,
        words=words,
    )


def word(start: float, end: float, said: str = " word") -> Word:
    return Word(start=start, end=end, text=said, probability=0.5)


times = st.floats(-5.0, 100.0)
words = st.builds(word, times, times, st.text(min_size=1, max_size=3))


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    spoken = tuple(draw(st.lists(words, max_size=5)))
    said = "".join(each.text for each in spoken) or draw(st.text(max_size=5))
    return segment(draw(times), draw(times), said, spoken)


@given(heard=st.lists(segments(), max_size=20), duration=st.floats(0.0, 90.0))
def test_times_never_go_back_overlap_or_leave_the_recording(
    heard: list[Segment], duration: float
) -> None:
    joined = join(heard, duration)

    for each in joined:
        moments = [t for word in each.words for t in (word.start, word.end)]
        moments = [each.start, *moments, each.end]
        assert moments == sorted(moments)
        assert 0 <= each.start <= each.end <= duration
        assert moments == [round(moment, 3) for moment in moments]
    for left, right in pairwise(joined):
        assert left.end <= right.start


@given(heard=st.lists(segments(), max_size=20), duration=st.floats(0.0, 90.0))
def test_nothing_that_was_said_is_lost_or_changed(heard: list[Segment], duration: float) -> None:
    joined = join(heard, duration)

    assert sorted(s.text for s in joined) == sorted(s.text for s in heard if s.text.strip())
    for each in joined:
        assert not each.words or "".join(word.text for word in each.words) == each.text


@pytest.mark.parametrize(
    ("given_pairs", "expected"),
    [
        pytest.param([(4.0, 5.0), (1.0, 2.0)], [(1.0, 2.0), (4.0, 5.0)], id="in order of time"),
        pytest.param([(1.0, 3.0), (2.0, 4.0)], [(1.0, 2.0), (2.0, 4.0)], id="an overlap is cut"),
        pytest.param([(1.0, 11.0)], [(1.0, 9.999)], id="nothing ends after the audio"),
        pytest.param([(0.1 + 0.2, 0.7)], [(0.3, 0.7)], id="milliseconds"),
    ],
)
def test_segments_are_joined(
    given_pairs: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    joined = join([segment(*pair) for pair in given_pairs], 9.9996)
    assert [(each.start, each.end) for each in joined] == expected


def test_words_are_cut_with_their_segment() -> None:
    first = segment(1.0, 3.0, " a b", (word(0.9, 1.5, " a"), word(1.5, 3.0, " b")))
    joined = join([first, segment(2.0, 4.0)], 10.0)
    assert [(w.start, w.end) for w in joined[0].words] == [(1.0, 1.5), (1.5, 2.0)]


def test_segments_without_text_are_dropped() -> None:
    assert join([segment(0, 1, "  ")], 10.0) == []


def test_the_text_is_that_of_all_segments() -> None:
    assert text([segment(0, 1, " good"), segment(1, 2, " day")]) == " good day"


OF_WHISPER = {
    "id": 0,
    "seek": 0,
    "start": 0.0,
    "end": 1.5,
    "text": " Good",
    "tokens": [50364, 2205, 50439],
    "temperature": 0.0,
    "avg_logprob": -0.2,
    "compression_ratio": 0.8,
    "no_speech_prob": 0.01,
}


def test_openai_whispers_own_segments_come_over_with_their_words() -> None:
    timed = {"word": " Good", "start": 0.1, "end": 1.4, "probability": 0.9}
    passage = RecordingResult("en", (OF_WHISPER, OF_WHISPER | {"words": [timed]}))
    plain, with_words = from_passage(passage)
    assert (plain.end, plain.text, plain.tokens) == (1.5, " Good", (50364, 2205, 50439))
    assert plain.words == ()
    assert with_words.words == (Word(start=0.1, end=1.4, text=" Good", probability=0.9),)
