"""The decisions about one window: which attempts are made, and which text is kept. Pure.

A window that passes the thresholds keeps its text, and the speech that no segment accounts for
becomes a window of its own. One that repeats itself is cut in two, since most loops go away with
the context that led into them. One that is improbable is tried at higher temperatures. The best
attempt is kept if none passes, and flagged.

All of it depends on the results of the window alone: whoever schedules the attempts, in whatever
order, gets the same text.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from whisper_transcriber.audio.windows import SAMPLE_RATE, Window
from whisper_transcriber.decoding import coverage
from whisper_transcriber.decoding.coverage import is_spoken, segments_of, skips_speech, speech_in
from whisper_transcriber.decoding.quality import Thresholds
from whisper_transcriber.decoding.transcript import Segment, Suspicion
from whisper_transcriber.engine.protocol import DecodingResult

ROUNDS = 3
"""How often the speech that a window's text leaves out is decoded again (more adds nothing)."""

HALVINGS = 2
"""How often a window that loops is cut in two."""

SHORT_WINDOW = 3 * SAMPLE_RATE
"""Not cut any further: below it, temperatures help more than less context. Speech so short that
Whisper takes it for silence is silence."""

MINIMUM_WINDOW = SAMPLE_RATE * 3 // 10
MINIMUM_PROGRESS = SAMPLE_RATE
"""A text without room that ends before this is not continued, but cut in two."""

WORSE_IN_A_ROW = 2
"""Higher temperatures are given up after so many that were no better."""

_HOPELESS = frozenset({Suspicion.LOOP, Suspicion.NO_SPEECH})
"""Text of this kind says nothing about which speech is missing from it."""

CutPlace = Callable[[Window], int]
"""The sample at which a window is best cut in two."""


@dataclass(frozen=True)
class Policy:
    """What decisions about windows depend on besides their results."""

    thresholds: Thresholds
    cut: CutPlace


@dataclass
class WindowDecoding:
    """The attempts at one window. ``take`` the result of each until nothing is to be decoded.

    ``temperature``: of the next attempt. ``rounds``, ``halvings``: how many are left.
    ``instead``: segments of this stretch from before, kept if nothing else is found here.
    """

    policy: Policy
    window: Window
    rounds: int = ROUNDS
    halvings: int = HALVINGS
    instead: list[Segment] = field(default_factory=list)
    attempts: list[DecodingResult] = field(default_factory=list)
    _kept: list[Segment] = field(default_factory=list)
    _left_out: list[Segment] = field(default_factory=list)
    _parts: list["WindowDecoding"] = field(default_factory=list)

    @property
    def temperature(self) -> float:
        """Of the next attempt."""
        return self.policy.thresholds.temperatures[len(self.attempts)]

    @property
    def segments(self) -> list[Segment]:
        """The text of the window, once nothing is left to be decoded."""
        found = [*self._kept, *(each for part in self._parts for each in part.segments)]
        return found or self.instead

    @property
    def left_out(self) -> list[Segment]:
        """Text that is not kept: Whisper takes the stretch for silence, or nobody speaks in it."""
        return [*self._left_out, *(each for part in self._parts for each in part.left_out)]

    def take(self, decoded: DecodingResult) -> list["WindowDecoding"]:
        """Take the result of an attempt; returns what is to be decoded next."""
        self.attempts.append(decoded)
        suspicions = self._suspicions(decoded)
        if len(self.attempts) == 1 and self._is_silence(suspicions):
            self._left_out += segments_of(self.window, decoded, suspicions)
            return []
        if not suspicions:
            return self._accept(decoded)
        if Suspicion.LOOP in suspicions and self._can_be_halved:
            return self._halve(self._spoken_in(decoded, suspicions))
        if self._has_hope(suspicions):
            return [self]
        return self._accept(self.policy.thresholds.best(self.attempts, self._spoken))

    @property
    def _spoken(self) -> float:
        return speech_in(self.window) / SAMPLE_RATE

    @property
    def _aligned(self) -> bool:
        return self.attempts[-1].aligned

    @property
    def _is_short(self) -> bool:
        return self.window.stop - self.window.start <= SHORT_WINDOW

    @property
    def _can_be_halved(self) -> bool:
        return self.halvings > 0 and not self._is_short

    def _suspicions(self, decoded: DecodingResult) -> tuple[Suspicion, ...]:
        return self.policy.thresholds.suspicions(decoded, self._spoken)

    def _is_silence(self, suspicions: Iterable[Suspicion]) -> bool:
        """Where the detector found much speech, it is believed, and not Whisper."""
        believed = not self.policy.thresholds.detected or speech_in(self.window) <= SHORT_WINDOW
        return believed and Suspicion.NO_SPEECH in suspicions

    def _spoken_in(
        self, decoded: DecodingResult, suspicions: tuple[Suspicion, ...]
    ) -> list[Segment]:
        found = segments_of(self.window, decoded, suspicions)
        return [each for each in found if is_spoken(self.window, each)]

    def _has_hope(self, suspicions: Iterable[Suspicion]) -> bool:
        thresholds, tried = self.policy.thresholds, len(self.attempts)
        if tried == len(thresholds.temperatures):
            return False
        if Suspicion.LOOP in suspicions or tried <= WORSE_IN_A_ROW:
            return True
        best = thresholds.best(self.attempts, self._spoken)
        return any(each is best for each in self.attempts[-WORSE_IN_A_ROW:])

    def _accept(self, decoded: DecodingResult) -> list["WindowDecoding"]:
        """Keep the text, and decode the speech that it leaves out."""
        suspicions = self._suspicions(decoded)
        spoken = self._spoken_in(decoded, suspicions)
        self._left_out += [
            each
            for each in segments_of(self.window, decoded, suspicions)
            if not is_spoken(self.window, each)
        ]
        if _HOPELESS.intersection(suspicions):
            self._kept = spoken
            return []
        whole = self._without_gaps(spoken) if self.rounds > 0 else spoken
        if decoded.exhausted:
            whole = self._closed(decoded, whole)
        if whole and (decoded.exhausted or self.rounds > 0):
            return self._go_on(whole, spoken, continued=decoded.exhausted)
        skipping = [_skipping(each) for each in spoken if each not in whole]
        if not whole and self.rounds > 0 and self._can_be_halved:
            # Next to no text where somebody speaks: the same window would end the same way.
            return self._halve(skipping)
        self._kept = [*whole, *skipping]
        return []

    def _without_gaps(self, spoken: list[Segment]) -> list[Segment]:
        """The segments that account for the speech in them; none if that is no speech at all."""
        whole = [
            each for each in spoken if not skips_speech(self.window, each, aligned=self._aligned)
        ]
        missed = sum(map(speech_in, self._missed(whole)))
        return whole if missed < speech_in(self.window) else []

    def _missed(self, accepted: list[Segment]) -> list[Window]:
        return coverage.missed_speech(self.window, accepted, aligned=self._aligned)

    def _closed(self, decoded: DecodingResult, segments: list[Segment]) -> list[Segment]:
        """The segments before the one that found no room, if they get the window far enough."""
        suspicions = self._suspicions(decoded)
        if decoded.aligned:
            finished = segments_of(self.window, decoded, suspicions)[:-1]
        else:
            closed = tuple(each for each in decoded.phrases if each.end is not None)
            finished = segments_of(self.window, replace(decoded, phrases=closed), suspicions)
        segments = [each for each in segments if each in finished]
        reached = max((coverage.sample(each.end) for each in segments), default=0)
        return segments if reached - self.window.start >= MINIMUM_PROGRESS else []

    def _go_on(
        self, accepted: list[Segment], spoken: list[Segment], *, continued: bool
    ) -> list["WindowDecoding"]:
        """Keep segments, and decode what they leave out of the window.

        A text that found no room is continued at its end as often as it takes.
        """
        self._kept = list(accepted)
        end = max(coverage.sample(each.end) for each in accepted)
        for missed in self._missed(accepted):
            rounds = self.rounds if continued and missed.start >= end else self.rounds - 1
            if rounds >= 0 and missed.stop - missed.start > MINIMUM_WINDOW:
                self._parts.append(self._part(missed, rounds, self.halvings))
        for segment in spoken:
            if segment in accepted:
                continue
            again = [part for part in self._parts if coverage.overlaps(part.window, segment)]
            (again[0].instead if again else self._kept).append(_skipping(segment))
        return list(self._parts)

    def _halve(self, instead: list[Segment]) -> list["WindowDecoding"]:
        """Cut the window in two; ``instead`` is kept if neither half has text."""
        cut = self.policy.cut(self.window)
        self.instead = instead or self.instead
        self._parts = [
            self._part(half, max(0, self.rounds - 1), max(0, self.halvings - 1))
            for half in (
                coverage.stretch(self.window, self.window.start, cut),
                coverage.stretch(self.window, cut, self.window.stop),
            )
            if half.stop - half.start > MINIMUM_WINDOW
        ]
        return list(self._parts)

    def _part(self, window: Window, rounds: int, halvings: int) -> "WindowDecoding":
        return WindowDecoding(self.policy, window, rounds, halvings)


def _skipping(segment: Segment) -> Segment:
    """A segment flagged for having less text than speech."""
    suspect = dict.fromkeys((*segment.suspect, Suspicion.RATE))
    return segment.model_copy(update={"suspect": tuple(suspect)})
