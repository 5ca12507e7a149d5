"""spec.source: the recordings to transcribe."""

from typing import Annotated

from pydantic import Field

from transcription_api.base import BUCKET, URI_LENGTH, ApiModel, rule
from transcription_contract.options import SourceAudio

MAX_GLOBS = 32
_ADDRESS = r'https://[A-Za-z0-9.:_\[\]-]+/[!"$-~]*'
_SOURCE = f"self.matches(r'^({BUCKET}/.*|{_ADDRESS})$')"

Glob = Annotated[str, Field(min_length=1, max_length=256)]


class Source(ApiModel):
    """A recording, or a prefix of many."""

    uri: str = Field(
        min_length=1,
        max_length=URI_LENGTH,
        description="URI of one recording, such as s3://bucket/key or https://host/path, or of all "
        "recordings below a prefix that ends in a slash, such as s3://bucket/prefix/. Formats that "
        "ffmpeg reads: wav, mp3, m4a, flac, ogg, opus, webm, mp4 and more.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    _SOURCE,
                    "source.uri must be an object such as s3://recordings/standup.mp3, a prefix "
                    "such as s3://recordings/calls/, or a URL such as "
                    "https://media.example.com/standup.mp3",
                )
            ]
        },
    )
    include: tuple[Glob, ...] = Field(
        default=(),
        max_length=MAX_GLOBS,
        description="With a prefix: transcribe only objects that match one of these patterns, such "
        'as "*.mp3" or "2026/*". A pattern without a slash is compared with the last part of the '
        "name, a pattern with a slash with the whole path below the prefix. * matches any "
        "characters, including slashes. Defaults to all objects.",
    )
    audio: SourceAudio = Field(
        default=SourceAudio(), description="Tracks and channels to transcribe."
    )
    exclude: tuple[Glob, ...] = Field(
        default=(),
        max_length=MAX_GLOBS,
        description="With a prefix: leave out objects that match one of these patterns, even if "
        "they match include. Defaults to none.",
    )
