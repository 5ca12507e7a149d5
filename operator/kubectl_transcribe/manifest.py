"""What the command line says -> a TranscriptionJob's manifest. Pure but for the random end of a
name that nobody chose."""

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError

from transcription_api import API_VERSION, KIND
from transcription_api.object_store import ObjectStore
from transcription_api.spec import Spec
from transcription_contract.base import mistakes
from transcription_contract.languages import LANGUAGE_CODES
from transcription_contract.locations import ObjectUri, result_name
from transcription_contract.options import (
    LANGUAGE_AUTO,
    ChannelMode,
    ExistingOutput,
    OutputFormat,
)

Json = dict[str, Any]

_NAME_LENGTH = 40
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Kubernetes' own for generated names: they spell no words."""
_MARKS = re.compile("[\u0300-\u036f]")
"""What is left of an umlaut or an accent beside its letter."""

_TAKES = {
    "operatorClassName": "--operator-class takes small letters, digits and hyphens, at most 63",
    "source.audio.track": "--track takes auto, all, or a number from 1 to 99",
    "model.uri": "--model takes an official name, or an s3:// URI of a file of your own",
    "model.sha256": "--model-sha256 takes 64 digits and small letters, as `sha256sum` prints them",
}
"""For a field whose pattern says less to people than to programs."""


@dataclass(frozen=True)
class Wishes:
    """The flags; what is None or empty is left to the operator's defaults.

    ``bucket``: receives local files, below recordings/, and without ``output`` the transcripts,
    below transcripts/; each job has a prefix of its own there.
    """

    name: str | None = None
    output: str | None = None
    bucket: str | None = None
    formats: tuple[OutputFormat, ...] = ()
    model: str | None = None
    model_sha256: str | None = None
    language: str | None = None
    translate: bool = False
    operator_class: str | None = None
    node_pool: str | None = None
    workers: int | None = None
    secret: str | None = None
    track: str | None = None
    channels: ChannelMode | None = None
    existing: ExistingOutput | None = None
    hotwords: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submission:
    """One TranscriptionJob to be. ``uploads``: local files, and the objects that they become."""

    manifest: Json
    uploads: dict[PurePath, ObjectUri] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The TranscriptionJob's."""
        return str(self.manifest["metadata"]["name"])

    @property
    def store(self) -> ObjectStore:
        """Where it reads and writes, and what opens it."""
        return Spec.model_validate(self.manifest["spec"]).object_store

    @property
    def prefix(self) -> ObjectUri | None:
        """All that lies below it is transcribed; None for a single recording."""
        source = ObjectUri.parse(self.manifest["spec"]["source"]["uri"])
        return source if source.is_prefix else None


def submissions(sources: Sequence[str], wishes: Wishes, namespace: str) -> list[Submission]:
    """A job for each URI, and one for all local files together.

    Raises:
        ValueError: with a sentence about the flag that would mend it.
    """
    uris = [source for source in sources if "://" in source]
    files = [PurePath(source) for source in sources if "://" not in source]
    jobs = len(uris) + bool(files)
    if jobs > 1 and wishes.name:
        raise ValueError(f"--name is for one TranscriptionJob, and these sources make {jobs}")
    found = [_of_uri(uri, wishes, namespace, alone=jobs == 1) for uri in uris]
    return found + ([_of_files(files, wishes, namespace, alone=jobs == 1)] if files else [])


def require_bucket(name: str) -> None:
    """See to it that ``--bucket`` is a bucket's name.

    Raises:
        ValueError: it is not.
    """
    if "/" in name:
        bare = name.removeprefix("s3://").partition("/")[0] or "acme"
        raise ValueError(
            "--bucket (or TRANSCRIBE_BUCKET) takes a name, without s3:// and slashes, such as "
            f"{bare}"
        )
    try:
        ObjectUri.parse(f"s3://{name}/")
    except ValueError as error:
        raise ValueError(
            f"--bucket (or TRANSCRIBE_BUCKET) {name}: a bucket's name has 3 to 63 small letters, "
            "digits, dots and hyphens"
        ) from error


def unique_name(text: str) -> str:
    """A resource's name that begins with what can be kept of a file's, and that nobody has."""
    letters = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    stem = re.sub(r"[^a-z0-9]+", "-", letters)[:_NAME_LENGTH].strip("-")
    return f"{stem or 'job'}-{''.join(secrets.choice(_LETTERS) for _ in range(5))}"


def _of_uri(uri: str, wishes: Wishes, namespace: str, *, alone: bool) -> Submission:
    source = _parsed(uri)
    name = wishes.name or unique_name(result_name(uri.rstrip("/")))
    bucket = wishes.bucket or (source.bucket if source.scheme == "s3" else None)
    if bucket and not wishes.output:
        require_bucket(bucket)
    return Submission(_manifest(name, namespace, uri, _output(name, bucket, wishes, alone), wishes))


def _of_files(files: list[PurePath], wishes: Wishes, namespace: str, *, alone: bool) -> Submission:
    names = [file.name for file in files]
    if twice := {each for each in names if names.count(each) > 1}:
        raise ValueError(f"two of the files are called {min(twice)}: submit them one by one")
    name = wishes.name or unique_name(files[0].stem)
    bucket = wishes.bucket or (_prefix(wishes.output).bucket if wishes.output else None)
    if not bucket:
        raise ValueError(
            "local files need a bucket to be uploaded to: name it by --bucket, or set "
            "TRANSCRIBE_BUCKET"
        )
    require_bucket(bucket)
    folder = ObjectUri.parse(f"s3://{bucket}/recordings/{name}/")
    uploads = {file: folder.child(file.name) for file in files}
    source = str(folder if len(files) > 1 else uploads[files[0]])
    output = _output(name, bucket, wishes, alone)
    return Submission(_manifest(name, namespace, source, output, wishes), uploads)


def _output(name: str, bucket: str | None, wishes: Wishes, alone: bool) -> str:
    if wishes.output:
        # Two jobs in one place would be one job too many.
        prefix = _prefix(wishes.output)
        return str(prefix if alone else prefix.child(f"{name}/"))
    if not bucket:
        raise ValueError(
            "the transcripts need a place: name a prefix by --output, such as "
            f"s3://transcripts/{name}/, or a bucket by --bucket"
        )
    return f"s3://{bucket}/transcripts/{name}/"


def _manifest(name: str, namespace: str, source: str, output: str, wishes: Wishes) -> Json:
    formats = [each.value for each in wishes.formats]
    spec: Json = {
        "source": _given(uri=source, audio=_audio(wishes)),
        "output": _given(uri=output, formats=formats, existing=_value(wishes.existing)),
        "objectStore": _given(secretName=wishes.secret),
        "model": _model(wishes.model or "", wishes.model_sha256),
        "language": _language(wishes.language) if wishes.language else None,
        "task": "translate" if wishes.translate else None,
        "decoding": _given(hotwords=list(wishes.hotwords)),
        "operatorClassName": wishes.operator_class,
        "nodePool": wishes.node_pool,
        "workers": wishes.workers,
    }
    spec = _given(**spec)
    try:
        Spec.model_validate(spec)
    except ValidationError as error:
        mistake = mistakes(error)[0]
        raise ValueError(_TAKES.get(mistake.partition(": ")[0], f"spec.{mistake}")) from error
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def _audio(wishes: Wishes) -> Json:
    track = wishes.track
    number = int(track) if track and track.isascii() and track.isdecimal() else None
    return _given(track=number or track, channels=_value(wishes.channels))


def _value(choice: StrEnum | None) -> str | None:
    return choice.value if choice else None


def _language(stated: str) -> str:
    """Whisper's code: EN and pt-BR are written so elsewhere."""
    code = stated.strip().lower().replace("_", "-").partition("-")[0]
    if code not in (LANGUAGE_AUTO, *LANGUAGE_CODES):
        raise ValueError(
            f"--language {stated} is not a language code of Whisper, such as en, de or pt, or auto"
        )
    return code


def _model(model: str, sha256: str | None) -> Json:
    if "://" in model:
        return _given(uri=model, sha256=sha256)
    if "/" in model or "\\" in model or model.endswith(".pt"):
        raise ValueError(
            f"--model {model} looks like a file: put it into the object store, and name it by "
            "--model s3://BUCKET/KEY and --model-sha256"
        )
    return _given(name=model, sha256=sha256)


def _given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def _parsed(uri: str) -> ObjectUri:
    found = ObjectUri.parse(uri)
    if found.scheme == "file":
        raise ValueError(f"{uri} is on this machine: name the file without file://")
    return found


def _prefix(uri: str) -> ObjectUri:
    found = _parsed(uri)
    if found.scheme != "s3" or not found.is_prefix:
        raise ValueError("--output must be a prefix such as s3://transcripts/standup/")
    return found
