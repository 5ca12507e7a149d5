"""manifest.json: what a job delivered. Written last, so it stands for a finished job."""

from collections import Counter
from typing import ClassVar

from pydantic import ConfigDict

from transcription_contract.base import Model
from transcription_contract.locations import manifest_uri
from transcription_contract.options import OutputFormat
from transcription_contract.task import Task
from transcription_contract.termination import (
    MAX_FAILURES,
    Failure,
    ItemFailure,
    Result,
    ResultFile,
)
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning
from whisper_transcriber.errors import (
    AllItemsFailed,
    MediaInvalid,
    SourceNotFound,
    TranscriberError,
    by_reason,
)
from whisper_transcriber.storage.store import Store

NOT_MEDIA = "NotMedia"
"""The reason of a failure that means: not a recording at all. Below a prefix it is skipped."""


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

    ``skipped``: why it was left out: no media, or delivered by an earlier job, whose outputs these
    are. ``recipe``: a digest of the options that the outputs depend on.
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
    recipe: str = ""

    @property
    def has_transcript(self) -> bool:
        """Whether its outputs exist, from this job or an earlier one."""
        return bool(self.outputs) and self.failure is None


class ManifestModel(_Readable):
    """The checkpoint that was used."""

    label: str
    sha256: str


class Manifest(_Readable):
    """The whole job. ``uid``, ``owner``: of its TranscriptionJob.

    ``devices``: on which its recordings were decoded. ``kept``: what earlier jobs delivered to the
    same output from other sources.
    """

    uid: str
    owner: str
    items: tuple[ManifestItem, ...]
    model: ManifestModel
    task: str
    versions: dict[str, str]
    devices: tuple[str, ...] = ()
    kept: tuple[ManifestItem, ...] = ()

    @property
    def failures(self) -> list[ItemFailure]:
        """The recordings without a transcript, in order."""
        return [
            ItemFailure(item=each.uri, reason=each.failure.reason, message=each.failure.message)
            for each in self.items
            if each.failure
        ]

    def write(self, store: Store, task: Task) -> None:
        """Store it at the task's output."""
        content = self.model_dump_json(by_alias=True, indent=1).encode() + b"\n"
        store.put(manifest_uri(task.output_uri), content)

    def result(self) -> Result:
        """The same as a pod's last word."""
        failures = self.failures
        languages = Counter(each.language for each in self.items if each.language)
        outputs = self.items[0].outputs if len(self.items) == 1 else ()
        return Result(
            language=languages.most_common(1)[0][0] if languages else "",
            audio_seconds=round(sum(each.seconds for each in self.items if not each.skipped)),
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


def check_any_success(manifest: Manifest) -> None:
    """Raise an error if no recording at all has a transcript.

    Raises:
        AllItemsFailed: for different reasons; for one that all share, its own error.
        SourceNotFound: none of the objects is a recording.
    """
    if any(each.has_transcript for each in manifest.items):
        return
    failures = manifest.failures
    if not failures:
        raise SourceNotFound(
            f"none of the {len(manifest.items)} objects of the source is a recording; the first: "
            f"{manifest.items[0].skipped}"
        )
    raise _common_error(failures)(
        f"none of the {len(failures)} recordings could be transcribed; the first: "
        f"{failures[0].message}"
    )


def _common_error(failures: list[ItemFailure]) -> type[TranscriberError]:
    reasons = {each.reason for each in failures}
    shared = by_reason(reasons.pop()) if len(reasons) == 1 else AllItemsFailed
    # Many recordings that are no media, each in its own way, have their own reason.
    return AllItemsFailed if issubclass(shared, MediaInvalid) else shared
