"""On a CPU the steps run as they are; tests/benchmarks/gpu.sh has them captured."""

from collections.abc import Iterator

import pytest
import torch
import whisper  # type: ignore[import-untyped]
from whisper.decoding import DecodingOptions, DecodingResult  # type: ignore[import-untyped]
from whisper.model import Whisper  # type: ignore[import-untyped]

from tests.unit.transcriber.engine import tiny
from tests.unit.transcriber.engine.test_loop import features, same
from whisper_transcriber.engine.beam_search import BeamSearch
from whisper_transcriber.engine.graphs import GraphedDecoder
from whisper_transcriber.engine.loop import DecodedTokens, Loop
from whisper_transcriber.engine.rules import TimestampRules
from whisper_transcriber.engine.vocabulary import Vocabulary

BEAMS = 3


@pytest.fixture(autouse=True)
def _unwritten_memory_is_no_number() -> Iterator[None]:
    """torch fills what ``empty`` returns with NaN; on a GPU it is what the last owner left."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@torch.inference_mode()
def said(
    model: Whisper, decoder: GraphedDecoder, windows: int, *, beams: int
) -> list[DecodedTokens]:
    vocabulary = Vocabulary(model, "transcribe", "")
    rules = TimestampRules(vocabulary, 1500, model.device)
    heard = decoder.hear(features(model, windows))
    openings = [vocabulary.opening("en")] * windows
    if beams > 1:
        return BeamSearch(decoder, vocabulary, rules, beams).run(heard, openings)
    return Loop(decoder, vocabulary, rules).run(heard, openings, 0.0, 0)


def expected(model: Whisper, windows: int, beams: int) -> list[DecodingResult]:
    options = DecodingOptions(language="en", fp16=False, beam_size=beams if beams > 1 else None)
    return [whisper.decode(model, window, options) for window in features(model, windows)]


def test_batches_of_any_size_share_the_memory_and_have_the_tokens_of_whisper_decode() -> None:
    model = tiny.model()
    decoder = GraphedDecoder(model, torch.float32, BEAMS)
    for windows, beams in ((3, 1), (2, BEAMS), (5, 1), (1, 1), (4, BEAMS), (5, 1)):
        same(said(model, decoder, windows, beams=beams), expected(model, windows, beams))


def test_a_step_is_captured_once_for_each_number_of_windows_and_length() -> None:
    model = tiny.model()
    decoder = GraphedDecoder(model, torch.float32, 1)
    said(model, decoder, 3, beams=1)
    captured = decoder.captured
    said(model, decoder, 3, beams=1)
    assert decoder.captured == captured
    assert captured < 10


def test_no_more_steps_are_kept_than_the_memory_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whisper_transcriber.engine.graphs._MOST_STEPS", 2)
    model = tiny.model()
    decoder = GraphedDecoder(model, torch.float32, 1)
    same(said(model, decoder, 3, beams=1), expected(model, 3, 1))
    assert decoder.captured <= 2


def test_what_was_released_is_made_again() -> None:
    model = tiny.model()
    decoder = GraphedDecoder(model, torch.float32, 1)
    before = said(model, decoder, 2, beams=1)
    decoder.release()
    assert decoder.captured == 0
    assert said(model, decoder, 2, beams=1) == before


@pytest.mark.parametrize(
    ("message", "goes_on"),
    [
        pytest.param("operation not permitted when stream is capturing", True, id="no graphs"),
        pytest.param("CUDA out of memory", False, id="no memory"),
    ],
)
def test_what_cannot_be_captured_is_run_as_it_is(
    message: str, goes_on: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = tiny.model()
    decoder = GraphedDecoder(model, torch.float32, 1)

    def refuse(*_: object) -> None:
        raise RuntimeError(message)

    monkeypatch.setattr(decoder, "_pool", (0, 1))
    monkeypatch.setattr(decoder, "_captured_run", refuse)
    if goes_on:
        same(said(model, decoder, 2, beams=1), expected(model, 2, 1))
        assert caplog.text.count("graphs cannot be captured") == 1
    else:
        with pytest.raises(RuntimeError, match=message):
            said(model, decoder, 2, beams=1)
