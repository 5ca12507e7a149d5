"""manifest.json: what a job delivered. Written last, so it stands for a finished job."""

from collections import Counter
from typing import ClassVar

from pydantic import ConfigDict

from transcription_contract.base import Model
from transcription_contract.options import OutputFormat
from transcription_contract.termination import (
    MAX_FAILURES,
    Failure,
    ItemFailure,
    Result,
    ResultFile,
)
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning


class _Readable(Model):
    """Read by other versions, too: what they do not know, they skip."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")


class ManifestOutput(_Readable):
    """One delivered file."""

    format: OutputFormat
    uri: str
    bytes: int
    sha256: str


class ManifestItem(_Readable):
    """One recording and what became of it: outputs, or why there are none.

    ``skipped``: why it was left out: no media, or delivered by an earlier job.
    """

    uri: str
    etag: str
    bytes: int
    seconds: float = 0.0
    language: str | None = None
    outputs: tuple[ManifestOutput, ...] = ()
    failure: Failure | None = None
    audio: AudioFacts | None = None
    warnings: tuple[AudioWarning, ...] = ()
    suspect_segments: int = 0
    skipped: str | None = None


class ManifestModel(_Readable):
    """The checkpoint that was used."""

    label: str
    sha256: str


class Manifest(_Readable):
    """The whole job. ``uid``, ``owner``: of its TranscriptionJob."""

    uid: str
    owner: str
    items: tuple[ManifestItem, ...]
    model: ManifestModel
    task: str
    versions: dict[str, str]

    @property
    def failures(self) -> list[ItemFailure]:
        """The recordings without a transcript, in order."""
        return [
            ItemFailure(item=each.uri, reason=each.failure.reason, message=each.failure.message)
            for each in self.items
            if each.failure
        ]

    def result(self) -> Result:
        """The same as a pod's last word."""
        failures = self.failures
        languages = Counter(each.language for each in self.items if each.language)
        outputs = self.items[0].outputs if len(self.items) == 1 else ()
        return Result(
            language=languages.most_common(1)[0][0] if languages else "",
            audio_seconds=round(sum(each.seconds for each in self.items)),
            model_sha256=self.model.sha256,
            items=len(self.items),
            items_failed=len(failures),
            items_skipped=sum(1 for each in self.items if each.skipped),
            warnings=sum(len(each.warnings) for each in self.items),
            suspect_segments=sum(each.suspect_segments for each in self.items),
            files=tuple(
                ResultFile(format=each.format, uri=each.uri, bytes=each.bytes) for each in outputs
            ),
            failures=tuple(failures[:MAX_FAILURES]),
        )
