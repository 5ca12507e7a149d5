"""Why a recording could not be decoded, in words that help."""

import signal
from collections.abc import Collection
from pathlib import Path

from whisper_transcriber.audio.ffmpeg import Outcome
from whisper_transcriber.audio.signatures import recording_format
from whisper_transcriber.errors import (
    DecoderKilled,
    LimitExceeded,
    MediaInvalid,
    NoAudioStream,
    TranscriberError,
)

_FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_MARKS_OF_PROTECTION = (b"enca", b"drms", b"aavd", b"pssh")
"""Names of tracks in an encrypted MP4, which ffmpeg takes for damaged ones."""

_MARKED_BYTES = 1 << 20

_NO_INDEX = ("moov atom not found", "STSC and STCO")
_NO_DECODER = "Decoder (codec "

_CODEC_NAMES = {
    "mpegh_3d_audio": "MPEG-H 3D Audio",
    "mhm1": "MPEG-H 3D Audio",
    "mha1": "MPEG-H 3D Audio",
    "apac": "Apple Positional Audio",
    "ac-4": "Dolby AC-4",
    "ac4": "Dolby AC-4",
    "drms": "protected AAC",
    "none": "an unknown codec",
}


def codec_name(codec: str) -> str:
    """A codec as people know it, with ffmpeg's name."""
    known = _CODEC_NAMES.get(codec.lower())
    return f"{known} ({codec})" if known else codec


def undecodable(
    uri: str, path: Path, head: bytes, outcome: Outcome, codecs: Collection[str]
) -> MediaInvalid:
    """The error for a recording of which ffmpeg decoded nothing.

    Args:
        codecs: of the tracks that were tried.
    """
    if outcome.is_protected or _is_protected(path):
        return MediaInvalid(f"{uri} is encrypted or protected against copying (DRM)")
    if any("matches no streams" in line for line in outcome.complaints):
        return NoAudioStream(f"{uri} has no audio track")
    if outcome.undecodable and codecs and any(_NO_DECODER in e for e in outcome.complaints):
        names = ", ".join(dict.fromkeys(codec_name(each) for each in codecs))
        return MediaInvalid(f"{uri} has its sound in {names}, which cannot be decoded: convert it")
    if any("Cannot allocate memory" in line for line in outcome.complaints):
        # Our own limit; of a machine that is short of memory one hears nothing but SIGKILL.
        return MediaInvalid(
            f"{uri} is damaged or malicious: it asks for more memory or has more tracks "
            "than any recording"
        )
    if head[1:4] == b"dss":
        return MediaInvalid(
            f"{uri} is a DSS dictation of a kind that cannot be decoded: convert it to WAV or "
            "FLAC first"
        )
    cause = next(iter(outcome.complaints), "it holds no audio samples")
    name = recording_format(head)
    if name == "MP4" and any(mark in each for each in outcome.complaints for mark in _NO_INDEX):
        return MediaInvalid(
            f"{uri} begins like MP4 but is truncated or damaged: its index is missing or cut off "
            f"({cause}). Upload it again"
        )
    if name:
        return MediaInvalid(
            f"{uri} begins like {name} but is truncated or damaged, and nothing of it "
            f"can be decoded: {cause}"
        )
    return MediaInvalid(f"{uri} is not a recording that ffmpeg can decode: {cause}")


def _is_protected(path: Path) -> bool:
    with path.open("rb") as file:
        ends = file.read(_MARKED_BYTES)
        file.seek(max(0, path.stat().st_size - _MARKED_BYTES))
        ends += file.read(_MARKED_BYTES)
    return ends[4:8] in (b"ftyp", b"styp") and any(mark in ends for mark in _MARKS_OF_PROTECTION)


def killed(by: signal.Signals, uri: str) -> TranscriberError:
    """Whose fault it is that ffmpeg was ended by a signal.

    Its limits are ours and its crashes the file's: trying again would end alike. SIGKILL is the
    kernel's, for want of memory in the pod, or a person's.
    """
    if by is signal.SIGXCPU:
        return LimitExceeded(
            f"decoding {uri} took more processor time than limits.maxFileSeconds allows for"
        )
    if by in _FROM_OUTSIDE:
        return DecoderKilled(
            f"ffmpeg was killed by {by.name} while it decoded {uri}: out of memory, most likely"
        )
    return MediaInvalid(f"{uri} is damaged in a way that makes ffmpeg crash ({by.name})")
