"""whisper.decode, one window at a time, is the oracle."""

import pytest
import torch
import whisper  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from whisper.decoding import DecodingOptions, DecodingResult  # type: ignore[import-untyped]
from whisper.model import Whisper  # type: ignore[import-untyped]

from tests.unit.transcriber.engine import tiny
from whisper_transcriber.engine import spectrogram
from whisper_transcriber.engine.beam_search import BeamSearch, Candidate, in_place
from whisper_transcriber.engine.decoder import KVCache, TextDecoder
from whisper_transcriber.engine.loop import DecodedTokens
from whisper_transcriber.engine.rules import TimestampRules
from whisper_transcriber.engine.vocabulary import Vocabulary

LENGTHS = (3.0, 7.0, 1.0, 5.5, 0.4, 14.0, 2.2)


@torch.inference_mode()
def features(model: Whisper, windows: int) -> torch.Tensor:
    mels = spectrogram.log_mel(tiny.noise(*LENGTHS[:windows]), 3000, model)
    return spectrogram.encode(model, mels, torch.float32)


@torch.inference_mode()
def ours(
    model: Whisper, encoded: torch.Tensor, languages: list[str], options: DecodingOptions
) -> tuple[list[DecodedTokens], KVCache]:
    vocabulary = Vocabulary(model, options.task, options.prompt or "")
    decoder = TextDecoder(model, encoded.dtype)
    rules = TimestampRules(vocabulary, 1500, model.device)
    search = BeamSearch(decoder, vocabulary, rules, options.beam_size)
    openings = [vocabulary.opening(language) for language in languages]
    heard = decoder.hear(encoded)
    return search.run(heard, openings), heard


def oracle(
    model: Whisper, encoded: torch.Tensor, languages: list[str], **options: object
) -> list[DecodingResult]:
    return [
        whisper.decode(model, window, DecodingOptions(language=language, fp16=False, **options))
        for window, language in zip(encoded, languages, strict=True)
    ]


def same(said: list[DecodedTokens], results: list[DecodingResult]) -> None:
    assert [list(each.tokens) for each in said] == [each.tokens for each in results]
    for each, result in zip(said, results, strict=True):
        assert each.avg_logprob == pytest.approx(result.avg_logprob, abs=1e-4)
        assert each.no_speech_prob == pytest.approx(result.no_speech_prob, abs=1e-6)


@pytest.mark.parametrize("vocabulary", [tiny.MULTILINGUAL, tiny.ENGLISH_ONLY])
@pytest.mark.parametrize(
    ("windows", "beams", "task", "prompt"),
    [
        pytest.param(1, 5, "transcribe", "", id="a window alone"),
        pytest.param(7, 5, "transcribe", "", id="windows of many lengths"),
        pytest.param(2, 3, "translate", "", id="translated"),
        pytest.param(2, 4, "transcribe", "server", id="a prompt"),
        pytest.param(1, 16, "transcribe", "", id="as many beams as are allowed"),
    ],
)
def test_the_tokens_are_those_of_whisper_decode(
    vocabulary: int, windows: int, beams: int, task: str, prompt: str
) -> None:
    model = tiny.model(vocabulary)
    encoded = features(model, windows)
    options = {"task": task, "prompt": prompt, "beam_size": beams}
    said, _ = ours(model, encoded, ["en"] * windows, DecodingOptions(**options))
    same(said, oracle(model, encoded, ["en"] * windows, **options))


def test_a_batch_may_speak_several_languages() -> None:
    model = tiny.model()
    encoded = features(model, 3)
    languages = ["de", "en", "ja"]
    said, _ = ours(model, encoded, languages, DecodingOptions(beam_size=4))
    same(said, oracle(model, encoded, languages, beam_size=4))


def test_a_search_that_never_ends_is_cut_where_whisper_cuts_it() -> None:
    model = tiny.model()
    with torch.no_grad():
        model.decoder.token_embedding.weight[50257] = 0
    encoded = features(model, 1)
    options = {"prompt": "server " * 223, "beam_size": 3}
    said, _ = ours(model, encoded, ["en"], DecodingOptions(**options))
    same(said, oracle(model, encoded, ["en"], **options))


def test_what_was_heard_stays_in_place_for_the_aligner() -> None:
    model = tiny.model()
    encoded = features(model, 7)
    _, heard = ours(model, encoded, ["en"] * 7, DecodingOptions(beam_size=3))
    with torch.inference_mode():
        untouched = TextDecoder(model, encoded.dtype).hear(encoded)
    assert sorted(heard.order) == list(range(7))
    assert torch.allclose(heard.content, untouched.content[:, :, heard.order], atol=1e-5)


@given(st.lists(st.integers(0, 4), min_size=5, max_size=5))
def test_a_row_is_copied_only_for_its_second_continuation(rows: list[int]) -> None:
    kept = [Candidate(row, number, -float(number)) for number, row in enumerate(rows)]
    placed = in_place(kept)
    assert sorted(placed) == sorted(kept)
    assert all(placed[row].row == row for row in set(rows))
