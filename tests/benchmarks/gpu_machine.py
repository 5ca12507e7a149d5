"""What gpu.sh measures: ``python -m tests.benchmarks.gpu_machine OUT FOLDER PART…``.

Needs no network and no ffmpeg. Each part adds to OUT/gpu.json as soon as it is done; one that fails
leaves its error there, and the next one runs.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import whisper
from whisper.model import ModelDimensions, Whisper

from tests.benchmarks.gpu_card import DEVICE, Json, attention, machine, timed
from tests.benchmarks.gpu_watch import watching
from tests.benchmarks.random_model import (
    LARGE_V3,
    SPREAD,
    STEPS,
    TURBO,
    WINDOW_SECONDS,
    Size,
    silence_end,
)
from transcription_contract.decoding import Decoding
from whisper_transcriber.engine import checkpoint, spectrogram
from whisper_transcriber.engine.whisper_engine import WhisperEngine

BATCHES = {
    # (beams, CUDA graphs): windows in a batch
    (1, True): (1, 8, 32, 128),
    (1, False): (32,),
    (5, True): (1, 8, 32, 64),
    (5, False): (32,),
}
TURBO_BATCHES = {(1, True): (32, 128), (5, True): (32,)}
RATE = 16_000


def large() -> Json:
    """large-v3's size."""
    return _sizes(LARGE_V3, BATCHES, profiled=True)


def turbo() -> Json:
    """turbo's size."""
    return _sizes(TURBO, TURBO_BATCHES, profiled=False)


def _sizes(
    size: Size, batches: Mapping[tuple[int, bool], Sequence[int]], *, profiled: bool
) -> Json:
    """Ours with and without graphs, and whisper.decode, at each batch size."""
    model = random_model(size)
    found: Json = {}
    for (beams, graphs), counts in batches.items():
        engine = _engine(model, graphs=graphs, beams=beams)
        for batch in counts:
            name = f"{beams} beams, graphs {graphs}, batch {batch}"
            found[name] = _speed(engine, batch)
            print(size.name, name, found[name], flush=True)
        if profiled:
            found[f"kernels, {beams} beams, graphs {graphs}"] = _profile(engine)
        del engine
        _empty()
    for name, part in (("parts", _parts), ("whisper.decode, batch 8", _oracle)):
        found[name] = part(model)
        print(size.name, name, found[name], flush=True)
    del model
    _empty()
    return found


def _speed(engine: WhisperEngine, batch: int) -> Json:
    windows = noise(batch)
    languages = ["en"] * batch
    if DEVICE == "cuda":
        torch.cuda.reset_peak_memory_stats()
    began = time.monotonic()
    engine.decode(windows, languages)
    first = time.monotonic() - began
    with watching() as busy:
        seconds = timed(lambda: engine.decode(windows, languages), rounds=3)
    return {
        "first_seconds": first,
        "seconds": seconds,
        "real_time": batch * WINDOW_SECONDS / seconds,
        "gpu_busy": busy.mean(),
        "memory_gib": torch.cuda.max_memory_allocated() / 2**30 if DEVICE == "cuda" else 0,
    }


def _parts(model: Whisper, batch: int = 32) -> Json:
    """Seconds of a batch by what is done before the first token."""
    dtype = torch.float16 if DEVICE == "cuda" else torch.float32
    windows = noise(batch)
    with torch.inference_mode():
        mels = spectrogram.log_mel(windows, 3000, model)
        states = spectrogram.encode(model, mels, dtype)
        engine = _engine(model, graphs=DEVICE == "cuda")
        decoder = engine._recogniser._decoder
        return {
            "mel": timed(lambda: spectrogram.log_mel(windows, 3000, model)),
            "encode": timed(lambda: spectrogram.encode(model, mels, dtype)),
            "hear": timed(lambda: decoder.hear(states)),
        }


def _oracle(model: Whisper) -> Json:
    windows = noise(8)
    options = whisper.DecodingOptions(
        language="en", temperature=0.0, fp16=DEVICE == "cuda", sample_len=STEPS
    )

    def decode() -> list[list[int]]:
        mels = spectrogram.log_mel(windows, 3000, model)
        return [each.tokens for each in whisper.decode(model, mels, options)]

    theirs = decode()
    same = {
        str(graphs): sum(
            tokens(each) == other
            for each, other in zip(
                _engine(model, graphs=graphs).decode(windows, ["en"] * len(windows)),
                theirs,
                strict=True,
            )
        )
        for graphs in (True, False)
    }
    seconds = timed(decode, rounds=2)
    return {"seconds": seconds, "real_time": 8 * WINDOW_SECONDS / seconds, "same of 8": same}


def _profile(engine: WhisperEngine, batch: int = 32) -> list[str]:
    from torch.profiler import ProfilerActivity, profile

    windows = noise(batch)
    engine.decode(windows, ["en"] * batch)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        engine.decode(windows, ["en"] * batch)
    averages = seen.key_averages()
    kernels = sum(each.count for each in averages if each.self_device_time_total)
    table = averages.table(sort_by="self_device_time_total", row_limit=40, max_name_column_width=90)
    return [f"{kernels} kernels", *table.splitlines()]


def real(folder: Path) -> Json:
    """Base, on people's speech: the same tokens as whisper.decode, errors and speed."""
    from tests.benchmarks import gpu_speech

    path = folder / "base.pt"
    if not path.exists():
        path.write_bytes(b"".join(each.read_bytes() for each in sorted(folder.glob("base.pt.*"))))
    model = checkpoint.load(path, "base")
    return gpu_speech.measure(model, folder / "speech.npz", _engine)


def full() -> Json:
    """large-v3's size where 32 windows do not fit: batches are halved, and go on with graphs."""
    if DEVICE != "cuda":
        return {"skipped": "no GPU"}
    model = random_model(LARGE_V3)
    engine = _engine(model, graphs=True, beams=5)
    together = [tokens(each) for each in engine.decode(noise(4), ["en"] * 4)]
    engine._recogniser.release()
    _empty()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(11 * 2**30 / total)
    said = [tokens(each) for each in engine.decode(noise(32), ["en"] * 32)]
    seconds = timed(lambda: engine.decode(noise(32), ["en"] * 32), rounds=1)
    torch.cuda.set_per_process_memory_fraction(1.0)
    return {
        "batches of": engine._decoding_batches._limit,
        "seconds": seconds,
        "same as in a batch of 4, of 4": sum(a == b for a, b in zip(said, together, strict=False)),
    }


def random_model(size: Size) -> Whisper:
    """See random_weights.checkpoint; made on the device."""
    torch.manual_seed(1)
    with torch.device(DEVICE):
        model = Whisper(ModelDimensions(**size.dims))
    silence_end(model.state_dict(), SPREAD)
    if DEVICE == "cuda":
        checkpoint.halve(model)
    return model.eval()


def _engine(
    model: Whisper, *, graphs: bool, beams: int = 1, aligned: bool = False
) -> WhisperEngine:
    return WhisperEngine(
        model,
        task="transcribe",
        decoding=Decoding(beam_size=beams),
        aligned=aligned,
        word_timestamps=False,
        graphs=graphs,
    )


def noise(windows: int) -> list[Any]:
    """Windows that no two are alike."""
    generator = np.random.default_rng(1)
    length = WINDOW_SECONDS * RATE
    return [0.1 * generator.standard_normal(length, np.float32) for _ in range(windows)]


def tokens(decoded: Any) -> list[int]:
    """All tokens of a window."""
    return [token for phrase in decoded.phrases for token in phrase.tokens]


def _empty() -> None:
    if DEVICE == "cuda":
        torch.cuda.empty_cache()


def main(out: Path, folder: Path, parts: Sequence[str]) -> None:
    """Measure, and write after each part."""
    written = out / "gpu.json"
    found: Json = json.loads(written.read_text()) if written.exists() else {}
    for name, result in _results(folder, parts):
        found[name] = result
        written.write_text(json.dumps(found, indent=1))


def _results(folder: Path, parts: Sequence[str]) -> Iterator[tuple[str, Json]]:
    from tests.benchmarks import gpu_peer

    known: dict[str, Callable[[], Json]] = {
        "machine": machine,
        "attention": attention,
        "large": large,
        "turbo": turbo,
        "full": full,
        "real": lambda: real(folder),
        "peer": lambda: gpu_peer.measure(LARGE_V3, noise(32), compiled=False),
        "peer_compiled": lambda: gpu_peer.measure(LARGE_V3, noise(32), compiled=True),
    }
    for name in parts or known:
        began = time.monotonic()
        try:
            result = known[name]()
        except Exception:
            result = {"error": traceback.format_exc()}
        result["took_seconds"] = time.monotonic() - began
        print(name, json.dumps(result)[:2000], flush=True)
        yield name, result


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
