"""Where somebody speaks in a recording's stretch: the detector's answers as windows."""

import numpy as np
from numpy.typing import NDArray

from transcription_contract.decoding import VoiceActivity
from whisper_transcriber.audio import levels, stretches, windows
from whisper_transcriber.audio.cache import AudioCache
from whisper_transcriber.audio.stretches import SPEECH_DEFAULTS
from whisper_transcriber.audio.vad import VoiceDetector
from whisper_transcriber.audio.windows import WINDOW_LIMIT, Span, Window


class SpeechFinder:
    """Finds speech in recordings. The detector is loaded when it is first needed."""

    def __init__(
        self,
        recordings: AudioCache,
        activity: VoiceActivity = SPEECH_DEFAULTS,
        limit: int = WINDOW_LIMIT,
        *,
        joined: bool = False,
    ) -> None:
        """``limit``: of a window, in samples. ``joined``: see ``windows.windows``."""
        self._recordings = recordings
        self._activity = activity
        self._limit = limit
        self._joined = joined
        self._detector: VoiceDetector | None = None

    def windows(self, item: int, within: Span) -> list[Window]:
        """The windows of speech of all lanes, in order of time."""
        found: list[Window] = []
        for lane in range(self._recordings.lanes(item)):
            samples = self._recordings.samples(item, lane)
            found += windows.windows(
                item,
                self._stretches(item, lane, within),
                samples.integers,
                self._limit,
                lane,
                joined=self._joined,
            )
        return sorted(found, key=lambda each: (each.start, each.lane))

    def _stretches(self, item: int, lane: int, within: Span) -> list[Span]:
        if not self._activity.enabled:
            return stretches.speech((), within, self._activity)
        samples = self._recordings.samples(item, lane)
        levelled = levels.Levelling(samples.integers, within.start, within.stop)
        return stretches.speech(self._heard(levelled, within).tolist(), within, self._activity)

    def _heard(self, levelled: levels.Levelling, within: Span) -> NDArray[np.float32]:
        """The detector's probabilities, with and without levelling, whichever is higher.

        Levelled, somebody quiet after somebody loud is heard; but so is the noise in the pauses,
        beside which the detector misses soft words.
        """
        self._detector = self._detector or VoiceDetector()
        found = self._detector.probabilities(levelled.waveform, *within)
        if levelled.is_even:
            return found
        return np.maximum(found, self._detector.probabilities(levelled.even, *within))
