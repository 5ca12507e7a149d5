"""spec.source: what is transcribed."""

from typing import Annotated

from pydantic import Field

from transcription_contract.options import SourceAudio
from transcription_operator.api.base import BUCKET, URI_LENGTH, ApiModel, rule

MAX_GLOBS = 32
_ADDRESS = r'https://[A-Za-z0-9.:_\[\]-]+/[!"$-~]*'
_SOURCE = f"self.matches(r'^({BUCKET}/.*|{_ADDRESS})$')"

Glob = Annotated[str, Field(min_length=1, max_length=256)]


class Source(ApiModel):
    """The recording, or the prefix of many."""

    uri: str = Field(
        min_length=1,
        max_length=URI_LENGTH,
        description="One recording, as s3://bucket/key or https://host/path; or all recordings "
        "below a prefix that ends in a slash, as s3://bucket/prefix/. Anything that ffmpeg reads: "
        "wav, mp3, m4a, flac, ogg, opus, webm, mp4, and more.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    _SOURCE,
                    "source.uri must be an object such as s3://recordings/standup.mp3, a prefix "
                    "such as s3://recordings/calls/, or an address such as "
                    "https://media.example.com/standup.mp3",
                )
            ]
        },
    )
    include: tuple[Glob, ...] = Field(
        default=(),
        max_length=MAX_GLOBS,
        description="With a prefix: transcribe only what one of these patterns matches, such as "
        '"*.mp3" or "2026/*". A pattern without a slash is matched with the last part of the '
        "name, another one with the whole path below the prefix; * stands for any characters, "
        "slashes too. Default: everything.",
    )
    audio: SourceAudio = Field(
        default=SourceAudio(), description="Which of the recording's sound is transcribed."
    )
    exclude: tuple[Glob, ...] = Field(
        default=(),
        max_length=MAX_GLOBS,
        description="With a prefix: leave out what one of these patterns matches, also where "
        "include takes it.",
    )
