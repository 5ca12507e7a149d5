"""manifest.json in the store -> which transcripts there are, and their names here. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath

from pydantic import Field

from transcription_api.base import ApiModel
from transcription_contract.locations import ObjectUri
from transcription_contract.options import OutputFormat

READABLE = (OutputFormat.TXT, OutputFormat.VTT, OutputFormat.SRT, OutputFormat.TSV,
            OutputFormat.JSON)  # fmt: skip
"""What is printed when no format is asked for: the first of these that was delivered."""

MAX_REMARKS = 20
"""Number of remarks that are printed."""


class Output(ApiModel):
    """One delivered file."""

    format: OutputFormat
    uri: str


class Warned(ApiModel):
    """A warning about a recording. ``start``: in seconds, where it has a place."""

    message: str
    start: float | None = None


class Item(ApiModel):
    """One recording."""

    uri: str
    outputs: tuple[Output, ...] = ()
    warnings: tuple[Warned, ...] = ()
    suspect_segments: int = 0


class Delivered(ApiModel):
    """manifest.json. ``uid``: of the TranscriptionJob that delivered it."""

    uid: str
    items: tuple[Item, ...] = Field(default=())


@dataclass(frozen=True)
class Transcript:
    """One file: which recording it is of, where it lies, and its path below a folder here."""

    recording: str
    uri: ObjectUri
    path: PurePath


def chosen(
    delivered: Delivered, output_uri: str, form: OutputFormat | None, *, every: bool = False
) -> list[Transcript]:
    """Of each recording the transcript in one format, or ``every`` one without a format.

    Raises:
        ValueError: nothing was delivered in that format, or something elsewhere than in the
            output's prefix.
    """
    there = {output.format for item in delivered.items for output in item.outputs}
    wanted = {form} if form else there if every else set(_most_readable(there))
    if not wanted & there:
        names = ", ".join(each.value for each in READABLE if each in there)
        raise ValueError(
            f"there is no transcript in the format {form.value}; there is: {names}"
            if form and there
            else "nothing was delivered: none of the recordings could be transcribed"
        )
    return [
        Transcript(item.uri, *_place(output.uri, output_uri))
        for item in delivered.items
        for output in item.outputs
        if output.format in wanted
    ]


def remarks(delivered: Delivered) -> list[str]:
    """A line for each warning about a recording and for suspect text, the first MAX_REMARKS."""
    found = [
        f"warning: {item.uri}{_place_of(each)}: {each.message}"
        for item in delivered.items
        for each in item.warnings
    ]
    found += [
        f"suspect text: {item.uri}: the JSON transcript flags {item.suspect_segments} of its "
        "segments as improbable or repetitive"
        for item in delivered.items
        if item.suspect_segments
    ]
    more = len(found) - MAX_REMARKS
    return found[:MAX_REMARKS] + ([f"{more} more: manifest.json lists them"] if more > 0 else [])


def _place_of(warned: Warned) -> str:
    if warned.start is None:
        return ""
    minutes, seconds = divmod(int(warned.start), 60)
    hours, minutes = divmod(minutes, 60)
    return f" at {hours}:{minutes:02d}:{seconds:02d}"


def is_silent(content: bytes) -> bool:
    """Whether a transcript that people read has nothing in it."""
    return content.strip() in (b"", b"WEBVTT")


def _most_readable(there: set[OutputFormat]) -> Sequence[OutputFormat]:
    return [each for each in READABLE if each in there][:1]


def _place(uri: str, output_uri: str) -> tuple[ObjectUri, PurePath]:
    name = uri.removeprefix(output_uri)
    path = PurePosixPath(name)
    # Keys are anybody's: one that climbs out of the folder is not followed.
    if name == uri or path.is_absolute() or {"..", ""} & set(name.split("/")) or "\x00" in name:
        raise ValueError(f"{uri} is no place below {output_uri}: it was not written by the job")
    return ObjectUri.parse(uri), path
