"""Where somebody speaks: the only module that runs Silero's voice activity detector.

It uses the sequence model, which takes many frames in one call and returns, bit for bit, what the
frame-by-frame model does at more than twice the speed.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.audio.windows import FRAME_SAMPLES

CONTEXT_SAMPLES = 64
"""Samples of the frame before that the model wants in front of each frame (at 16 kHz)."""

CHUNK_FRAMES = 512
"""Frames of one call (16 s): more is not faster and takes more memory."""

_MODEL_FILE = "data/silero_vad_16k_sequence.onnx"


class VoiceDetector:
    """Silero VAD on one thread, so that its answers do not depend on the machine's load."""

    def __init__(self) -> None:
        # Imported here: a resumed job, whose plans are stored, can do without.
        import onnxruntime  # type: ignore[import-untyped]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            str(_model_path()), options, providers=["CPUExecutionProvider"]
        )

    def probabilities(
        self, read: Callable[[int, int], Waveform], start: int, stop: int
    ) -> NDArray[np.float32]:
        """The probability of speech in each frame of 512 samples, the last one zero-padded.

        Args:
            read: the waveform between two sample positions.
            start, stop: the stretch to look at; its first frame begins at ``start``.
        """
        state = {name: np.zeros((1, 1, 128), np.float32) for name in ("h", "c")}
        context = np.zeros(CONTEXT_SAMPLES, np.float32)
        answers = [np.zeros(0, np.float32)]
        chunk = CHUNK_FRAMES * FRAME_SAMPLES
        for position in range(start, stop, chunk):
            frames = _frames(read(position, min(position + chunk, stop)))
            inputs = np.concatenate((_contexts(frames, context), frames), axis=1)
            context = frames[-1, -CONTEXT_SAMPLES:]
            answer, state["h"], state["c"] = self._session.run(
                ["speech_probs", "hn", "cn"], {"input": inputs, **state}
            )
            answers.append(np.asarray(answer, np.float32).reshape(-1))
        return np.concatenate(answers)


def _frames(waveform: Waveform) -> Waveform:
    """Shape (samples,) to (frames, 512), zero-padded."""
    missing = -len(waveform) % FRAME_SAMPLES
    return np.pad(waveform, (0, missing)).reshape(-1, FRAME_SAMPLES)


def _contexts(frames: Waveform, before: Waveform) -> Waveform:
    """What precedes each frame, shape (frames, 64)."""
    return np.concatenate((before[np.newaxis], frames[:-1, -CONTEXT_SAMPLES:]))


def _model_path() -> Path:
    # Found without importing silero_vad, whose __init__ wants torch and torchaudio.
    spec = find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("silero-vad is not installed")
    return Path(spec.submodule_search_locations[0]) / _MODEL_FILE
