"""A model reference to a checkpoint on disk, whose SHA-256 has been checked."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from transcription_contract.locations import ObjectUri
from transcription_contract.options import ModelReference
from whisper_transcriber.errors import (
    AccessDenied,
    BucketNotFound,
    ConfigurationInvalid,
    ModelInvalid,
    ModelNotFound,
    ModelSourceUnavailable,
    ObjectStoreUnavailable,
    SourceNotFound,
    SourceReplaced,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models import catalogue
from whisper_transcriber.models.cache import ModelCache
from whisper_transcriber.models.catalogue import OfficialModel
from whisper_transcriber.storage import addresses
from whisper_transcriber.storage.store import ObjectMissingError, Store, nothing
from whisper_transcriber.storage.web import WebSource

log = logging.getLogger(__name__)

INTERNET_RETRY_SECONDS = 60.0
"""Less than a store's: where there is no internet, waiting for it helps nobody."""


@dataclass(frozen=True)
class Checkpoint:
    """A model file that is what it claims to be."""

    path: Path
    sha256: str

    @classmethod
    def of_file(cls, path: Path) -> "Checkpoint":
        """A user's own file, as it is.

        Raises:
            ModelNotFound: it cannot be read.
        """
        try:
            with path.open("rb") as file:
                return cls(path, hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise ModelNotFound(f"the model {path} cannot be read: {error.strerror}") from error


def check(reference: ModelReference) -> None:
    """Find out before anything is fetched whether a reference means anything.

    Raises:
        ModelNotFound: there is no official model of that name, or half of the reference is missing.
    """
    if reference.name is not None:
        catalogue.find(reference.name)
    elif reference.uri is None or reference.sha256 is None:
        raise ModelNotFound("spec.model has neither a name nor a uri with its sha256")


class ModelStore:
    """Finds checkpoints in the model directory, the object store, its mirror, or the internet.

    ``mirror_uri``: a prefix in ``store`` with official models, such as large-v3.pt.
    ``internet``: a Store of https URLs; by default one that trusts the system's authorities.
    ``sign_of_life``: called while a checkpoint is fetched or hashed, and while another worker is.
    """

    def __init__(
        self,
        directory: Path,
        store: Store,
        interruption: Interruption,
        *,
        mirror_uri: str | None = None,
        internet: Store | None = None,
        sign_of_life: Callable[[], None] = nothing,
    ) -> None:
        self._cache = ModelCache(directory, interruption, sign_of_life)
        self._sign_of_life = sign_of_life
        self._store = store
        self._mirror = ObjectUri.parse(mirror_uri) if mirror_uri else None
        # The addresses are OpenAI's, not the user's: a company's own resolver may well lead
        # elsewhere, and the checksum tells what came.
        self._internet = internet or WebSource(
            interruption,
            retry_seconds=INTERNET_RETRY_SECONDS,
            allowed_networks=addresses.EVERYWHERE,
        )

    def resolve(self, reference: ModelReference) -> Checkpoint:
        """The checkpoint that ``reference`` means.

        Raises:
            ModelNotFound: there is no official model of that name, or no object at that URI.
            ModelInvalid: its checksum is not the promised one.
            ModelSourceUnavailable: an official model is neither in the mirror nor to be downloaded.
            VolumeFull, ConfigurationInvalid: the model directory has no room, or is read-only.
        """
        check(reference)
        if reference.name is not None:
            model = catalogue.find(reference.name)
            fetch = partial(self._fetch_official, model)
            return self._cached(model.name, model.sha256, model.files, fetch)
        uri, sha256 = str(reference.uri), str(reference.sha256)
        return self._cached(uri, sha256, (), partial(self._fetch_own, uri, sha256))

    def _cached(
        self, label: str, sha256: str, names: tuple[str, ...], fetch: "partial[None]"
    ) -> Checkpoint:
        path = self._cache.find(sha256, *names) or self._cache.add(label, sha256, fetch)
        return Checkpoint(path, sha256)

    def _fetch_own(self, uri: str, sha256: str, path: Path) -> None:
        try:
            self._fetch(self._store, ObjectUri.parse(uri), sha256, path)
        except ObjectMissingError:
            raise ModelNotFound(f"{uri} does not exist: check spec.model.uri") from None

    def _fetch_official(self, model: OfficialModel, path: Path) -> None:
        missing: list[str] = []
        for name in model.files if self._mirror else ():
            complaint = self._miss_in_mirror(name, model, path)
            if complaint is None:
                return
            missing.append(complaint)
        try:
            self._fetch(self._internet, ObjectUri.parse(model.url), model.sha256, path)
        except (
            ObjectMissingError,
            SourceNotFound,
            AccessDenied,
            ConfigurationInvalid,
            ObjectStoreUnavailable,
        ) as error:
            raise ModelSourceUnavailable(self._advice(model, missing, error)) from error

    def _miss_in_mirror(self, name: str, model: OfficialModel, path: Path) -> str | None:
        """None when it came from there, else why not."""
        assert self._mirror
        uri = self._mirror.child(name)
        try:
            self._fetch(self._store, uri, model.sha256, path)
        except ObjectMissingError:
            return f"{uri} does not exist"
        # S3 calls what is missing forbidden, too, to those who may not list the bucket.
        except (AccessDenied, BucketNotFound, ModelInvalid) as error:
            log.warning("mirror: %s", error)
            return str(error)
        log.info("the model %r came from %s", model.name, uri)
        return None

    def _fetch(self, store: Store, uri: ObjectUri, sha256: str, path: Path) -> None:
        """Write a checked file to ``path``, after the bytes of it that are there already."""
        log.info("fetching the model from %r", uri.shown)
        continued = path.exists()
        try:
            source = store.stat(uri)
            if continued and path.stat().st_size > source.size:
                path.unlink()
            store.download(source, path, resume=True, at_each_chunk=self._sign_of_life)
            self._cache.require(path, sha256, uri.shown)
        except SourceReplaced as error:
            path.unlink(missing_ok=True)
            raise ModelInvalid(f"the model {uri.shown!r} was replaced while it was read") from error
        except ModelInvalid:
            path.unlink(missing_ok=True)
            if not continued:
                raise
            # The first bytes may have been another file's.
            log.warning("the continued download is not the model: fetching it from the beginning")
            self._fetch(store, uri, sha256, path)

    def _advice(self, model: OfficialModel, missing: list[str], error: Exception) -> str:
        cause = f"{model.url} is not there" if isinstance(error, ObjectMissingError) else str(error)
        if not self._mirror:
            return (
                f"the model {model.name!r} could not be downloaded: {cause}; without internet, "
                "copy it to your object store and state spec.model.uri and sha256, or have the "
                "operator's administrator set up a mirror of the models"
            )
        return (
            f"the model {model.name!r} is neither in the mirror {self._mirror} "
            f"({'; '.join(missing)}) nor to be downloaded: {cause}; copy {model.url} to "
            f"{self._mirror.child(model.files[0])}"
        )
