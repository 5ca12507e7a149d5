"""spec.output: location and form of the transcripts."""

from pydantic import Field

from transcription_api.base import BUCKET, URI_LENGTH, ApiModel, rule
from transcription_contract.options import DEFAULT_FORMATS, ExistingOutput, OutputFormat, Subtitles

_S3_PREFIX = f"self.matches('^{BUCKET}/(.*/)?$')"


class Output(ApiModel):
    """Location and form of the transcripts."""

    uri: str = Field(
        min_length=1,
        max_length=URI_LENGTH,
        description="Prefix for the transcripts, such as s3://bucket/prefix/. A single recording "
        "standup.mp3 becomes standup.json, standup.vtt and standup.txt. With a prefix as source, "
        "a/standup.mp3 below it becomes a/standup.mp3.json and so on.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    _S3_PREFIX,
                    "output.uri must be a prefix that ends in a slash, such as "
                    "s3://transcripts/standup/",
                )
            ]
        },
    )
    formats: tuple[OutputFormat, ...] = Field(
        default=DEFAULT_FORMATS,
        min_length=1,
        max_length=len(OutputFormat),
        description="File formats of the transcripts. Defaults to json, vtt and txt.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    subtitles: Subtitles = Field(
        default=Subtitles(),
        description="Layout of srt and vtt files.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "!has(self.maxLineCount) || has(self.maxLineWidth)",
                    "subtitles.maxLineCount requires subtitles.maxLineWidth, such as 42",
                )
            ]
        },
    )
    existing: ExistingOutput | None = Field(
        default=None,
        description="Results that another TranscriptionJob delivered to the same prefix. fail: "
        "fail the job. skip: keep the transcripts of recordings with the same content and options, "
        "and transcribe the other recordings. overwrite: replace them. Defaults to fail.",
    )
    overwrite: bool = Field(
        default=False,
        description="Older form of existing: overwrite. Defaults to false.",
    )

    @property
    def if_existing(self) -> ExistingOutput:
        """The value of ``existing``, also where the user states the older ``overwrite``."""
        older = ExistingOutput.OVERWRITE if self.overwrite else ExistingOutput.FAIL
        return self.existing or older
