"""How loud a recording is, and what makes quiet speech loud enough for the detector.

In whole numbers, a function of the samples alone: workers that look at the same stretch agree.
"""

import numpy as np
from numpy.typing import NDArray

from whisper_transcriber.audio.samples import Waveform, as_waveform
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

REACH_BLOCKS = 25
"""Sound within 2.5 s on each side sets the level of a moment: about a sentence."""

GREATEST_LOCAL_GAIN = 20
"""26 dB more than the whole stretch is amplified by: in a pause, the noise stays noise."""


def gain(read: ReadIntegers, start: int, stop: int, quiet: int = QUIET) -> int:
    """By how much to amplify a stretch so that speech in it is heard; 1 for most.

    Speech that was recorded 45 dB too low is speech.

    Args:
        quiet: only what is less loud is amplified.
    """
    return _gain(_peaks(read, start, stop), quiet)


class Levelling:
    """A gain that follows the speech: somebody quiet after somebody loud is heard.

    Silero's detector adapts to loud speech. With one gain for everything it lost a whole quiet
    recording of 5 s that followed louder ones after a pause of 1 s or 3 s.
    """

    def __init__(self, read: ReadIntegers, start: int, stop: int) -> None:
        """Looks at all samples of the stretch once."""
        peaks = _peaks(read, start, stop)
        self._read = read
        self._start = start
        self._whole = _gain(peaks, QUIET)
        self._gains = _local_gains(peaks, self._whole)

    @property
    def is_even(self) -> bool:
        """Whether the gain is the same everywhere."""
        return bool((self._gains == self._whole).all())

    def even(self, start: int, stop: int) -> Waveform:
        """The samples of a part, all amplified by the least gain of the stretch."""
        return amplified(as_waveform(self._read(start, stop)), self._whole)

    def waveform(self, start: int, stop: int) -> Waveform:
        """The levelled samples of a part of the stretch."""
        samples = as_waveform(self._read(start, stop))
        if not len(self._gains):
            return samples
        centres = np.arange(len(self._gains)) * _BLOCK + _BLOCK // 2
        positions = np.arange(start, start + len(samples)) - self._start
        factors = np.interp(positions, centres, self._gains).astype(np.float32)
        louder: Waveform = np.clip(samples * factors, np.float32(-1), np.float32(1))
        return louder


def amplified(waveform: Waveform, factor: int) -> Waveform:
    """A waveform made louder, without leaving [-1, 1]."""
    if factor == 1:
        return waveform
    louder: Waveform = np.clip(waveform * np.float32(factor), np.float32(-1), np.float32(1))
    return louder


def _peaks(read: ReadIntegers, start: int, stop: int) -> NDArray[np.int32]:
    """The loudest sample of each whole block."""
    found = [np.zeros(0, np.int32)]
    for position in range(start, stop, _CHUNK):
        samples = read(position, min(position + _CHUNK, stop)).astype(np.int32)
        whole = len(samples) // _BLOCK * _BLOCK
        found.append(np.abs(samples[:whole]).reshape(-1, _BLOCK).max(axis=1))
    return np.concatenate(found)


def _gain(peaks: NDArray[np.int32], quiet: int) -> int:
    if not len(peaks):
        return 1
    # In a short recording the second is a tenth of it.
    rank = min(LOUDEST_BLOCKS, 1 + len(peaks) // 10)
    level = int(np.partition(peaks, -rank)[-rank])
    if not 0 < level < quiet:
        return 1
    return min(GREATEST_GAIN, TARGET // level)


def _local_gains(peaks: NDArray[np.int32], whole: int) -> NDArray[np.float64]:
    """For each block, by how much to amplify; ``whole``: the least, the gain of all of it."""
    if not len(peaks):
        return np.zeros(0)
    width = 2 * REACH_BLOCKS + 1
    around = np.lib.stride_tricks.sliding_window_view(np.pad(peaks, REACH_BLOCKS), width)
    # Half a second must be louder: a click is not speech.
    rank = width // 10
    levels = np.maximum(np.partition(around, -rank, axis=1)[:, -rank], 1)
    most = min(GREATEST_GAIN, whole * GREATEST_LOCAL_GAIN)
    gains = np.where(levels * whole < QUIET, np.minimum(most, TARGET / levels), whole)
    return np.where(levels > 1, gains, whole).astype(np.float64)
