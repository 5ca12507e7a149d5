"""whisper.decode is the oracle; tests/integration has the same on real speech."""

import pytest
import torch
import whisper  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from whisper.decoding import DecodingOptions, DecodingResult  # type: ignore[import-untyped]
from whisper.model import Whisper  # type: ignore[import-untyped]

from tests.unit.transcriber.engine import tiny
from whisper_transcriber.engine import spectrogram
from whisper_transcriber.engine.decoder import TextDecoder
from whisper_transcriber.engine.loop import DecodedTokens, Loop, arrangement
from whisper_transcriber.engine.rules import TimestampRules
from whisper_transcriber.engine.vocabulary import Vocabulary

LENGTHS = (3.0, 7.0, 1.0, 5.5, 0.4, 14.0, 2.2)


def features(model: Whisper, windows: int) -> torch.Tensor:
    mels = spectrogram.log_mel(tiny.noise(*LENGTHS[:windows]), 3000, model)
    with torch.inference_mode():
        return spectrogram.encode(model, mels, torch.float32)


@torch.inference_mode()
def ours(
    model: Whisper,
    heard: torch.Tensor,
    languages: list[str],
    options: DecodingOptions,
    seed: int = 0,
) -> list[DecodedTokens]:
    vocabulary = Vocabulary(model, options.task, options.prompt or "")
    decoder = TextDecoder(model, heard.dtype)
    loop = Loop(decoder, vocabulary, TimestampRules(vocabulary, 1500, model.device))
    openings = [vocabulary.opening(language) for language in languages]
    return loop.run(decoder.hear(heard), openings, options.temperature, seed)


def same(said: list[DecodedTokens], results: list[DecodingResult]) -> None:
    assert [list(each.tokens) for each in said] == [each.tokens for each in results]
    for each, result in zip(said, results, strict=True):
        assert each.avg_logprob == pytest.approx(result.avg_logprob, abs=1e-4)
        assert each.no_speech_prob == pytest.approx(result.no_speech_prob, abs=1e-6)


@pytest.mark.parametrize("size", [tiny.MULTILINGUAL, tiny.ENGLISH_ONLY])
@pytest.mark.parametrize(
    ("windows", "task", "prompt"),
    [(1, "transcribe", ""), (2, "translate", ""), (7, "transcribe", ""), (4, "transcribe", "kopf")],
)
def test_the_tokens_are_those_of_whisper_decode(
    size: int, windows: int, task: str, prompt: str
) -> None:
    model = tiny.model(size)
    heard = features(model, windows)
    options = DecodingOptions(task=task, language="en", prompt=prompt, fp16=False)
    expected = whisper.decode(model, heard, options)
    same(ours(model, heard, ["en"] * windows, options), expected)


def test_a_batch_may_speak_several_languages() -> None:
    model = tiny.model()
    heard = features(model, 3)
    languages = ["de", "en", "ja"]
    expected = [
        whisper.decode(model, each[None], DecodingOptions(language=language, fp16=False))[0]
        for each, language in zip(heard, languages, strict=True)
    ]
    same(ours(model, heard, languages, DecodingOptions(fp16=False)), expected)


@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_a_window_alone_draws_what_whisper_draws(temperature: float) -> None:
    model = tiny.model()
    heard = features(model, 1)
    options = DecodingOptions(language="en", temperature=temperature, fp16=False)
    for seed in range(3):
        torch.manual_seed(seed)
        same(ours(model, heard, ["en"], options, seed), whisper.decode(model, heard, options))


def test_half_precision_gives_the_tokens_that_whisper_gives_in_it() -> None:
    model = tiny.model()
    heard = features(model, 2).half()
    options = DecodingOptions(language="en", fp16=True)
    expected = whisper.decode(model, heard, options)
    said = ours(model, heard, ["en", "en"], options)
    assert [list(each.tokens) for each in said] == [each.tokens for each in expected]


def test_the_longest_prompt_leaves_as_much_room_as_in_whisper() -> None:
    model = tiny.model()
    with torch.no_grad():  # it never ends: the context does
        model.decoder.token_embedding.weight[50257] = 0
    heard = features(model, 1)
    options = DecodingOptions(language="en", prompt="server " * 223, fp16=False)
    same(ours(model, heard, ["en"], options), whisper.decode(model, heard, options))


@given(working=st.lists(st.booleans(), min_size=1, max_size=20), done=st.integers(0, 5))
def test_rows_at_work_come_first_and_few_move(working: list[bool], done: int) -> None:
    rows = len(working) + done
    sources = arrangement(working, rows)
    assert sorted(sources) == list(range(rows))
    assert all(working[source] for source in sources[: sum(working)])
    moved = sum(row != source for row, source in enumerate(sources))
    assert moved == 2 * sum(not each for each in working[: sum(working)])
