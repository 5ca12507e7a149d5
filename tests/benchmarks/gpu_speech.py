"""Real speech on a GPU: ``measure`` there, and ``main``, which packs it, where ffmpeg is.

``python -m tests.benchmarks.gpu_speech FOLDER MINUTES``: FOLDER/speech.npz, windows of English.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import whisper

from dev.wer import edit_distance

Json = dict[str, Any]

FIRST_SPECIAL = 50257

CASES = (
    # beams, CUDA graphs, whether times are those of words
    (1, True, False),
    (5, True, False),
    (5, True, True),
    (5, False, False),
    (5, False, True),
)


def measure(model: Any, packed: Path, engine_of: Callable[..., Any]) -> Json:
    """Words wrong, windows as whisper.decode has them, and speed at several batch sizes."""
    from tests.benchmarks.gpu_card import timed

    content = np.load(packed)
    windows = [
        each.astype(np.float32) / 32768
        for each in np.split(content["samples"], content["ends"][:-1])
    ]
    recordings = json.loads(str(content["recordings"]))
    seconds = sum(map(len, windows)) / 16_000
    oracle = _oracle(model, windows)
    found: Json = {"audio_seconds": seconds, "windows": len(windows)}
    found["whisper.decode"] = _rate(recordings, [each.text for each in oracle])
    for beams, graphs, aligned in CASES:
        engine = engine_of(model, graphs=graphs, aligned=aligned, beams=beams)
        name = f"{beams} beams, graphs {graphs}, {'words' if aligned else 'timestamps'}"
        decoded = _decode(engine, windows, 32)
        texts = [" ".join(one.text for one in each.phrases) for each in decoded]
        found[name] = {"errors": _rate(recordings, texts)}
        if beams == 1:
            found[name]["windows as whisper.decode has them"] = sum(
                _text(mine, theirs) for mine, theirs in zip(decoded, oracle, strict=True)
            )
        for batch in (32, 128):
            took = timed(lambda e=engine, b=batch: _decode(e, windows, b), rounds=1)
            found[name][f"real_time, batch {batch}"] = seconds / took
        print(name, found[name], flush=True)
    return found


def _text(mine: Any, theirs: Any) -> bool:
    """Whether the text tokens are the same: the last phrase may lack its closing timestamp."""
    said = [token for phrase in mine.phrases for token in phrase.tokens]
    return [each for each in said if each < FIRST_SPECIAL] == [
        each for each in theirs.tokens if each < FIRST_SPECIAL
    ]


def _decode(engine: Any, windows: list[Any], batch: int) -> list[Any]:
    said: list[Any] = []
    for first in range(0, len(windows), batch):
        part = windows[first : first + batch]
        said += engine.decode(part, ["en"] * len(part))
    return said


def _oracle(model: Any, windows: list[Any]) -> list[Any]:
    from whisper_transcriber.engine import spectrogram

    said: list[Any] = []
    options = whisper.DecodingOptions(language="en", fp16=torch.cuda.is_available())
    for first in range(0, len(windows), 32):
        mels = spectrogram.log_mel(windows[first : first + 32], 3000, model)
        said += whisper.decode(model, mels, options)
    return said


def _rate(recordings: list[Json], texts: list[str]) -> float:
    """Word error rate, both sides normalised as OpenAI does."""
    from whisper.normalizers import EnglishTextNormalizer

    normal = EnglishTextNormalizer()
    wrong = total = 0
    for each in recordings:
        said = normal(" ".join(texts[each["first"] : each["stop"]])).split()
        reference = normal(each["reference"]).split()
        wrong += edit_distance(reference, said)
        total += len(reference)
    return wrong / total


def main(folder: Path, minutes: float) -> None:
    """Windows as a worker would cut them, of English recordings with a reference."""
    from tests.benchmarks import engine_alone, speech

    samples: list[Any] = []
    recordings: list[Json] = []
    for each in speech.recordings():
        if each.language != "en" or each.reference is None or each.folder != "en":
            continue
        first = len(samples)
        samples += engine_alone.windows_of(engine_alone.samples_of(each.path))
        recordings.append({"first": first, "stop": len(samples), "reference": each.reference})
        if sum(map(len, samples)) > minutes * 60 * 16_000:
            break
    whole = np.concatenate([(each * 32768).astype(np.int16) for each in samples])
    np.savez_compressed(
        folder / "speech.npz",
        samples=whole,
        ends=np.cumsum([len(each) for each in samples]),
        recordings=json.dumps(recordings),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
