"""spec.output: where the transcripts go, and in which form."""

from pydantic import Field

from transcription_contract.options import DEFAULT_FORMATS, ExistingOutput, OutputFormat, Subtitles
from transcription_operator.api.base import BUCKET, URI_LENGTH, ApiModel, rule

_S3_PREFIX = f"self.matches('^{BUCKET}/(.*/)?$')"


class Output(ApiModel):
    """Where the transcripts go."""

    uri: str = Field(
        min_length=1,
        max_length=URI_LENGTH,
        description="The prefix that receives the transcripts, as s3://bucket/prefix/. They are "
        "named after the recording: standup.mp3 becomes standup.json, standup.vtt, standup.txt; "
        "with a prefix as source, a/standup.mp3 below it becomes a/standup.mp3.json and so on.",
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
        description="The transcript's file formats.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    subtitles: Subtitles = Field(
        default=Subtitles(),
        description="How srt and vtt files are laid out.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "!has(self.maxLineCount) || has(self.maxLineWidth)",
                    "subtitles.maxLineCount needs subtitles.maxLineWidth, such as 42: without it "
                    "a line is never full",
                )
            ]
        },
    )
    existing: ExistingOutput | None = Field(
        default=None,
        description="Results of another TranscriptionJob at the same prefix. fail: fail the job. "
        "skip: leave out recordings whose transcript of the same content and options is there, and "
        "transcribe the others. overwrite: replace them. Defaults to fail.",
    )
    overwrite: bool = Field(
        default=False,
        description="Older name of existing: overwrite. Defaults to false.",
    )

    @property
    def if_existing(self) -> ExistingOutput:
        """What is done about another job's results, in whichever form the user states it."""
        older = ExistingOutput.OVERWRITE if self.overwrite else ExistingOutput.FAIL
        return self.existing or older
