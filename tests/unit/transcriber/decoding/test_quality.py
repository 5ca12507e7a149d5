import pytest
from whisper.tokenizer import get_tokenizer  # type: ignore[import-untyped]

from tests.unit.transcriber.decoding.languages import SECONDS, TEXTS
from tests.unit.transcriber.engines import heard
from transcription_contract.decoding import Decoding
from whisper_transcriber.decoding.quality import (
    Thresholds,
    ends_in_a_loop,
    is_too_fast,
    repetition,
)

EVERY_LANGUAGE = pytest.mark.parametrize("language", TEXTS)
THRESHOLDS = Thresholds.of(Decoding())
LIMIT = THRESHOLDS.compression_ratio
ROOM = 220


def cut_to_room(text: str) -> str:
    """What of a text fits into a window's tokens."""
    tokenizer = get_tokenizer(multilingual=True)
    return str(tokenizer.decode(tokenizer.encode(" " + text)[:ROOM])).rstrip(
        "\N{REPLACEMENT CHARACTER}"
    )


def word_of(text: str) -> str:
    """A word, or as many characters as one has where words have no blanks between them."""
    words = [word for word in text.split(" ") if 3 <= len(word) <= 12]
    return f"{words[0]} " if words else text[3:8]


@EVERY_LANGUAGE
def test_correct_text_is_no_loop(language: str) -> None:
    text = TEXTS[language]
    assert repetition(text) < 1.6
    assert not THRESHOLDS.loops(heard((0.0, SECONDS, text)))
    assert not THRESHOLDS.loops(heard((0.0, SECONDS, cut_to_room(text)), exhausted=True))


@EVERY_LANGUAGE
def test_a_word_again_and_again_is_a_loop(language: str) -> None:
    looped = cut_to_room(word_of(TEXTS[language]) * 100)
    assert repetition(looped) > LIMIT or ends_in_a_loop(looped)
    assert THRESHOLDS.loops(heard((0.0, SECONDS, looped), exhausted=True))


@EVERY_LANGUAGE
def test_a_clause_again_and_again_is_a_loop(language: str) -> None:
    text = TEXTS[language]
    looped = text[: len(text) // 4] * 4
    assert repetition(looped) > 1.25 * repetition(text)
    assert THRESHOLDS.loops(heard((0.0, SECONDS, looped), exhausted=True))


@EVERY_LANGUAGE
def test_text_that_ends_in_a_loop_when_room_ran_out_is_one(language: str) -> None:
    text = TEXTS[language]
    looped = text[: len(text) // 4] + word_of(text) * 4
    assert not ends_in_a_loop(text)
    assert ends_in_a_loop(looped)


@EVERY_LANGUAGE
def test_nobody_reads_it_eight_times_as_fast(language: str) -> None:
    text = TEXTS[language]
    assert not is_too_fast(text * 2, SECONDS)
    assert is_too_fast(text * 4, 0.5 * SECONDS)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("Yes.", 0.1, id="a word"),
        pytest.param("Thank you for watching!", 0.4, id="a short sentence"),
        pytest.param("", 0.0, id="nothing"),
    ],
)
def test_what_is_short_can_be_said_in_no_time(text: str, seconds: float) -> None:
    assert not is_too_fast(text, seconds)


def test_thresholds_are_numbers() -> None:
    thresholds = Thresholds.of(Decoding(temperature=("0", "0.5"), logprob_threshold="-1.25"))
    assert thresholds.temperatures == (0.0, 0.5)
    assert thresholds.logprob == -1.25
