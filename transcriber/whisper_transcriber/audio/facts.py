"""What was found out about a recording's sound, as the JSON and the manifest tell it."""

from enum import StrEnum

from transcription_contract.base import Model


class WarningKind(StrEnum):
    """What a warning is about: a word for programs."""

    GAP = "gap"
    DAMAGE = "damage"
    LATE_START = "lateStart"
    DRIFT = "drift"
    CLOCK_RESET = "clockReset"
    UNREAD_BYTES = "unreadBytes"
    OTHER_TRACKS = "otherTracks"
    SILENT_TRACK = "silentTrack"
    UNDECODABLE_TRACK = "undecodableTrack"
    CANCELLED_MIX = "cancelledMix"
    UNCERTAIN_LANGUAGE = "uncertainLanguage"


class AudioWarning(Model):
    """Something that a listener of the recording should know.

    ``start``, ``seconds``: where in the recording, and for how long; None where it has no place.
    ``message``: one sentence.
    """

    kind: WarningKind
    message: str
    start: float | None = None
    seconds: float | None = None


class AudioFacts(Model):
    """Which sound was transcribed.

    ``track``: the audio track's number from 1; None when all were. ``tracks``: how many there are.
    ``channels``: of that track. ``separate``: each channel was transcribed by itself.
    ``codec``, ``container``: ffmpeg's names. ``sample_rate``: in Hz.
    """

    track: int | None
    tracks: int
    channels: int
    separate: bool = False
    codec: str = ""
    container: str = ""
    sample_rate: int = 0
