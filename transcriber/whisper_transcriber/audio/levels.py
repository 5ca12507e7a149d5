"""How loud a recording is, and what makes quiet speech loud enough for the detector.

In whole numbers, a function of the samples alone: workers that look at the same stretch agree.
"""

import numpy as np

from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.audio.windows import SAMPLE_RATE, ReadIntegers

_BLOCK = SAMPLE_RATE // 10
_CHUNK = 300 * _BLOCK

LOUDEST_BLOCKS = 10
"""A second of sound must be louder than what counts as the level: a click or two is not speech."""

QUIET = 3277
"""A tenth of full scale (-20 dB): speech that is recorded well is louder."""

VERY_QUIET = 328
"""-40 dB: speech that the model, too, understands better when it is louder."""

TARGET = 16384
GREATEST_GAIN = 1000
"""60 dB: beyond, 16 bits hold no speech."""


def gain(read: ReadIntegers, start: int, stop: int, quiet: int = QUIET) -> int:
    """By how much to amplify a stretch so that speech in it is heard; 1 for most.

    Speech that was recorded 45 dB too low is speech.

    Args:
        quiet: only what is less loud is amplified.
    """
    peaks = [np.zeros(0, np.int32)]
    for position in range(start, stop, _CHUNK):
        samples = read(position, min(position + _CHUNK, stop)).astype(np.int32)
        whole = len(samples) // _BLOCK * _BLOCK
        peaks.append(np.abs(samples[:whole]).reshape(-1, _BLOCK).max(axis=1))
    blocks = np.sort(np.concatenate(peaks))
    if not len(blocks):
        return 1
    # In a short recording the second is a tenth of it.
    level = int(blocks[-min(LOUDEST_BLOCKS, 1 + len(blocks) // 10)])
    if not 0 < level < quiet:
        return 1
    return min(GREATEST_GAIN, TARGET // level)


def amplified(waveform: Waveform, factor: int) -> Waveform:
    """A waveform made louder, without leaving [-1, 1]."""
    if factor == 1:
        return waveform
    louder: Waveform = np.clip(waveform * np.float32(factor), np.float32(-1), np.float32(1))
    return louder
