"""manifest.json: what a job delivered. Written last, so it stands for a finished job."""

from typing import ClassVar

from pydantic import ConfigDict

from transcription_contract.base import Model
from transcription_contract.options import OutputFormat
from transcription_contract.termination import Result, ResultFile


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
    """One recording and what became of it."""

    uri: str
    etag: str
    bytes: int
    seconds: float
    language: str
    outputs: tuple[ManifestOutput, ...]


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

    def result(self) -> Result:
        """The same as a pod's last word."""
        item = self.items[0]
        return Result(
            language=item.language,
            audio_seconds=round(item.seconds),
            model_sha256=self.model.sha256,
            files=tuple(
                ResultFile(format=each.format, uri=each.uri, bytes=each.bytes)
                for each in item.outputs
            ),
        )
