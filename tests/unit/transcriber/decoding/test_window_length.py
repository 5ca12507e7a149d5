import pytest
from hypothesis import given
from hypothesis import strategies as st
from whisper.tokenizer import LANGUAGES, get_tokenizer  # type: ignore[import-untyped]

from tests.unit.transcriber.decoding.languages import SECONDS, TEXTS
from tests.unit.transcriber.decoding.spans import SECOND, window
from tests.unit.transcriber.engines import silence
from whisper_transcriber.decoding.window_length import (
    SHORTEST_SECONDS,
    TOKENS,
    TOKENS_PER_SECOND,
    fitted,
    window_seconds,
)

SHORT = {"bo", "my"}
"""Their text fits into no window that Whisper hears anything in."""


@pytest.mark.parametrize("language", TEXTS)
def test_a_window_of_normal_speech_fits_into_whisper_s_tokens(language: str) -> None:
    tokens = len(get_tokenizer(multilingual=True).encode(" " + TEXTS[language]))
    longest = window_seconds(language, 30.0) * tokens / SECONDS
    assert longest <= (220 if language in SHORT else 1.05 * TOKENS if tokens > 90 else 190)


@pytest.mark.parametrize("language", TEXTS.keys() & TOKENS_PER_SECOND.keys())
def test_the_table_is_what_the_tokenizer_says(language: str) -> None:
    tokens = len(get_tokenizer(multilingual=True).encode(" " + TEXTS[language]))
    assert TOKENS_PER_SECOND[language] == pytest.approx(tokens / SECONDS, abs=0.55)


def test_the_table_has_languages_that_whisper_knows() -> None:
    assert TOKENS_PER_SECOND.keys() <= LANGUAGES.keys()


@pytest.mark.parametrize(
    ("language", "seconds"),
    [
        pytest.param("en", 15.0, id="English: the base"),
        pytest.param("th", 15.0, id="Thai: just the base"),
        pytest.param("hi", 9.4, id="Hindi"),
        pytest.param("ml", 4.2, id="Malayalam"),
        pytest.param("my", SHORTEST_SECONDS, id="Burmese: the shortest"),
        pytest.param("xx", 15.0, id="unknown: the base"),
    ],
)
def test_windows_are_as_long_as_the_language_allows(language: str, seconds: float) -> None:
    assert window_seconds(language, 15.0) == pytest.approx(seconds, abs=0.05)


@given(
    language=st.sampled_from(sorted(TOKENS_PER_SECOND)),
    lengths=st.lists(st.floats(0.3, 6.0), min_size=1, max_size=5),
)
def test_no_speech_is_lost_when_a_window_is_cut(language: str, lengths: list[float]) -> None:
    spans, at = [], 0.0
    for length in lengths:
        spans.append((at, at + length))
        at += length + 0.3
    whole = window(0, spans[-1][1], *spans)
    parts = fitted(whole, language, silence)
    assert sum(s.stop - s.start for part in parts for s in part.speech) == sum(
        s.stop - s.start for s in whole.speech
    )
    for part in parts:
        assert part.stop - part.start <= window_seconds(language, 30.0) * SECOND + 1
