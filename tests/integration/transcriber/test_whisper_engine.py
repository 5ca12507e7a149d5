"""The engine on the demo model: real weights, real speech."""

import pickle
from pathlib import Path

import jiwer
import numpy as np
import pytest
import torch

from tests.integration.transcriber.speech import RATE, Recording, speak
from transcription_contract.decoding import Decoding
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine import spectrogram
from whisper_transcriber.engine.alignment import Aligner
from whisper_transcriber.engine.decoder import KVCache
from whisper_transcriber.engine.loop import Loop
from whisper_transcriber.engine.protocol import DecodingResult
from whisper_transcriber.engine.whisper_engine import WhisperEngine
from whisper_transcriber.errors import (
    LanguageUnknown,
    ModelInvalid,
    OutOfMemory,
    PromptTooLong,
)

THREADS = 2


def load(checkpoint: Path, *, word_timestamps: bool = False, **decoding: object) -> WhisperEngine:
    return WhisperEngine.load(
        checkpoint,
        label="demo.pt",
        task="transcribe",
        decoding=Decoding.model_validate(decoding),
        word_timestamps=word_timestamps,
        threads=THREADS,
    )


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> WhisperEngine:
    return load(checkpoint)


@pytest.fixture(scope="module")
def sentences() -> list[Recording]:
    return [speak(4.0, seed) for seed in range(3)]


def waveforms(sentences: list[Recording]) -> list[Waveform]:
    return [each.samples.astype(np.float32) / np.float32(32768) for each in sentences]


def test_speech_becomes_phrases_with_times(
    engine: WhisperEngine, sentences: list[Recording]
) -> None:
    heard = []
    results = engine.decode(waveforms(sentences), ["en"] * 3)
    for sentence, decoded in zip(sentences, results, strict=True):
        heard += "".join(p.text for p in decoded.phrases).lower().replace(".", "").split()
        assert decoded.phrases[0].start < 0.5
        last = decoded.phrases[-1].end
        assert last is not None
        assert last == pytest.approx(len(sentence.samples) / RATE, abs=1.5)
        assert not decoded.exhausted
        assert decoded.avg_logprob > -1.0
    said = " ".join(sentence.text.lower() for sentence in sentences)
    assert jiwer.wer(said, " ".join(heard)) <= 0.15


def test_tokens_do_not_depend_on_the_batch(
    engine: WhisperEngine, sentences: list[Recording]
) -> None:
    together = engine.decode(waveforms(sentences), ["en"] * 3)
    alone = [engine.decode([each], ["en"])[0] for each in waveforms(sentences)]
    assert [each.phrases for each in together] == [each.phrases for each in alone]


def test_the_same_batch_gives_the_same_figures(
    engine: WhisperEngine, sentences: list[Recording]
) -> None:
    first, second = (engine.decode(waveforms(sentences), ["en"] * 3) for _ in range(2))
    assert first == second


def test_what_is_drawn_at_random_depends_on_the_seed_alone(
    engine: WhisperEngine, sentences: list[Recording]
) -> None:
    window = waveforms(sentences)[:1]

    def drawn(seed: int) -> object:
        return engine.decode(window, ["en"], temperature=1.0, seed=seed)

    assert drawn(5) == drawn(5)
    assert len({str(drawn(seed)) for seed in range(4)}) > 1


def test_english_is_heard_as_english(engine: WhisperEngine, sentences: list[Recording]) -> None:
    for ballot in engine.language_probabilities(waveforms(sentences)):
        assert max(ballot, key=lambda language: ballot[language]) == "en"


def test_silence_gives_no_text(engine: WhisperEngine) -> None:
    (decoded,) = engine.decode([torch.zeros(5 * RATE).numpy()], ["en"])
    assert decoded.phrases == ()


@pytest.mark.parametrize("language", ["tlh", "EN", ""])
def test_an_unknown_language_is_answered_with_the_known_ones(
    engine: WhisperEngine, language: str
) -> None:
    with pytest.raises(LanguageUnknown, match="only en, zh, de"):
        engine.check_language(language)


def test_a_prompt_that_does_not_fit_is_refused_not_cut(checkpoint: Path) -> None:
    load(checkpoint, initial_prompt="server " * 223)
    with pytest.raises(PromptTooLong, match="224 Whisper tokens; at most 223 fit"):
        load(checkpoint, initial_prompt="server " * 224)


class Bomb:
    """What an evil checkpoint would run when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("exploded"),)  # type: ignore[return-value]


def test_a_checkpoint_s_code_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pt"
    torch.save({"dims": Bomb(), "model_state_dict": {}}, path)
    with pytest.raises(ModelInvalid, match=r"'demo.pt' is not a checkpoint"):
        load(path)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"no weights", pickle.dumps({"dims": {}}), b"PK\x03\x04" + b"\x00" * 100],
    ids=["empty", "text", "a plain pickle", "half an archive"],
)
def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(content)
    with pytest.raises(ModelInvalid):
        load(path)


@pytest.mark.parametrize(
    ("owner", "name"),
    [(spectrogram, "encode"), (Loop, "run"), (Aligner, "run")],
    ids=["in the encoder", "in the loop", "in the aligner"],
)
def test_out_of_memory_halves_the_batch_and_changes_no_text(
    checkpoint: Path,
    sentences: list[Recording],
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
) -> None:
    engine = load(checkpoint, word_timestamps=True, audio_context="window", beam_size=1)
    expected = engine.decode(waveforms(sentences), ["en"] * 3)
    real, sizes = getattr(owner, name), []

    def cramped(*arguments: object) -> object:
        batch = arguments[1]
        rows = len(batch.order if isinstance(batch, KVCache) else batch)
        sizes.append(rows)
        if rows > 1:
            raise torch.cuda.OutOfMemoryError("too much")
        return real(*arguments)

    monkeypatch.setattr(owner, name, cramped)
    halved = engine.decode(waveforms(sentences), ["en"] * 3)
    assert sizes == [3, 3, 2, 1, 1, 1], "three have fitted before, so they are tried once more"
    assert [texts(each) for each in halved] == [texts(each) for each in expected]


def texts(decoded: DecodingResult) -> list[tuple[tuple[int, ...], list[str]]]:
    return [(each.tokens, [word.text for word in each.words]) for each in decoded.phrases]


def test_one_window_too_large_for_the_gpu_is_told(
    engine: WhisperEngine, sentences: list[Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> object:
        raise torch.cuda.OutOfMemoryError("too much")

    monkeypatch.setattr(spectrogram, "encode", full)
    with pytest.raises(OutOfMemory):
        engine.decode(waveforms(sentences), ["en"] * 3)
