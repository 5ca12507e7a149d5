import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.transcriber.stores import MemoryStore
from transcription_contract.locations import ObjectUri
from transcription_contract.options import ModelReference
from whisper_transcriber.errors import (
    AccessDenied,
    Interrupted,
    ModelInvalid,
    ModelNotFound,
    ModelSourceUnavailable,
    ObjectStoreUnavailable,
    SourceReplaced,
    TranscriberError,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models import catalogue
from whisper_transcriber.models.store import ModelStore, check
from whisper_transcriber.storage.store import StoredObject

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URI = "s3://models/mine.pt"
OWN = ModelReference(uri=URI, sha256=SHA256)
OFFICIAL = ModelReference(name="large")
MIRROR = "s3://mirror/whisper/"


@pytest.fixture(autouse=True)
def _large_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The official model ``large`` is a few bytes for once."""
    small = replace(catalogue.find("large"), sha256=SHA256)
    monkeypatch.setitem(catalogue.OFFICIAL, "large", small)


class FailingStore(MemoryStore):
    """A store that fails to say whether anything is there."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def stat(self, uri: ObjectUri) -> StoredObject:
        raise self._error


NO_INTERNET = FailingStore(ObjectStoreUnavailable("no route to host"))


def holding(*uris: str, content: bytes = CONTENT) -> MemoryStore:
    store = MemoryStore()
    store.objects |= {ObjectUri.parse(uri): content for uri in uris}
    return store


def models_of(
    folder: Path,
    store: MemoryStore,
    internet: MemoryStore = NO_INTERNET,
    mirror_uri: str | None = None,
) -> ModelStore:
    return ModelStore(folder, store, Interruption(), mirror_uri=mirror_uri, internet=internet)


def test_a_checkpoint_is_fetched_and_checked(tmp_path: Path) -> None:
    checkpoint = models_of(tmp_path / "models", holding(URI)).resolve(OWN)
    assert checkpoint.path.read_bytes() == CONTENT
    assert checkpoint.sha256 == SHA256


def test_a_checkpoint_in_the_cache_needs_neither_store_nor_internet(tmp_path: Path) -> None:
    models_of(tmp_path, holding(URI)).resolve(OWN)
    nothing = FailingStore(ObjectStoreUnavailable("down"))
    for reference in (OWN, OFFICIAL):
        assert models_of(tmp_path, nothing).resolve(reference).path.read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["large.pt", "large-v3.pt"])
def test_an_official_model_may_lie_in_the_cache_under_its_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(CONTENT)
    assert models_of(tmp_path, MemoryStore()).resolve(OFFICIAL).path == tmp_path / name


def test_another_checksum_is_refused_with_both(tmp_path: Path) -> None:
    promised = "a" * 64
    with pytest.raises(ModelInvalid) as refused:
        models_of(tmp_path, holding(URI)).resolve(ModelReference(uri=URI, sha256=promised))
    for word in (URI, promised, SHA256):
        assert word in str(refused.value)
    assert os.listdir(tmp_path) == [f"{promised}.lock"]


def test_a_missing_object_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"s3://models/mine.pt does not exist: check spec"):
        models_of(tmp_path, MemoryStore()).resolve(OWN)


def test_a_model_that_is_replaced_while_it_is_read_is_no_fault_of_the_recording(
    tmp_path: Path,
) -> None:
    with pytest.raises(ModelInvalid, match="was replaced while it was read"):
        models_of(tmp_path, FailingStore(SourceReplaced("other"))).resolve(OWN)


@pytest.mark.parametrize("name", ["large.pt", "large-v3.pt"])
def test_the_mirror_comes_before_the_internet(name: str, tmp_path: Path) -> None:
    store = holding(MIRROR + name)
    checkpoint = models_of(tmp_path, store, mirror_uri=MIRROR).resolve(OFFICIAL)
    assert checkpoint.path.read_bytes() == CONTENT


def test_without_mirror_an_official_model_comes_from_the_internet(tmp_path: Path) -> None:
    internet = holding(catalogue.find("large").url)
    assert models_of(tmp_path, MemoryStore(), internet).resolve(OFFICIAL).sha256 == SHA256


@pytest.mark.parametrize(
    "mirror",
    [
        pytest.param(MemoryStore(), id="empty"),
        pytest.param(holding(MIRROR + "large.pt", content=b"another"), id="with another model"),
        pytest.param(FailingStore(AccessDenied("no")), id="that may not be listed"),
    ],
)
def test_what_the_mirror_lacks_comes_from_the_internet(mirror: MemoryStore, tmp_path: Path) -> None:
    internet = holding(catalogue.find("large").url)
    store = models_of(tmp_path, mirror, internet, mirror_uri=MIRROR)
    assert store.resolve(OFFICIAL).path.read_bytes() == CONTENT


def test_neither_mirror_nor_internet_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelSourceUnavailable) as refused:
        models_of(tmp_path, MemoryStore(), mirror_uri=MIRROR).resolve(OFFICIAL)
    for words in (
        "neither in the mirror s3://mirror/whisper/ (s3://mirror/whisper/large.pt does not exist; "
        "s3://mirror/whisper/large-v3.pt does not exist)",
        "no route to host",
        f"copy {catalogue.find('large').url} to s3://mirror/whisper/large.pt",
    ):
        assert words in str(refused.value)


@pytest.mark.parametrize(
    "internet",
    [
        pytest.param(NO_INTERNET, id="unreachable"),
        pytest.param(MemoryStore(), id="without the file"),
        pytest.param(FailingStore(AccessDenied("blocked")), id="behind a proxy that refuses"),
        pytest.param(
            holding(catalogue.find("large").url.replace(catalogue.find("large").sha256, SHA256),
                    content=b"<html>please log in"),
            id="behind a proxy that answers",
        ),
    ],
)  # fmt: skip
def test_without_mirror_and_internet_the_job_is_told_how_to_do_without(
    internet: MemoryStore, tmp_path: Path
) -> None:
    with pytest.raises(ModelSourceUnavailable, match=r"could not be downloaded: .*set up a mirror"):
        models_of(tmp_path, MemoryStore(), internet).resolve(OFFICIAL)
    assert os.listdir(tmp_path) == [f"{SHA256}.lock"]


@pytest.mark.parametrize("error", [ObjectStoreUnavailable("down"), Interrupted("stop")])
def test_a_mirror_that_is_down_is_worth_another_pod_not_another_source(
    error: TranscriberError, tmp_path: Path
) -> None:
    store = models_of(
        tmp_path, FailingStore(error), holding(catalogue.find("large").url), mirror_uri=MIRROR
    )
    with pytest.raises(type(error)):
        store.resolve(OFFICIAL)


def test_an_unknown_name_is_refused_before_anything_is_fetched() -> None:
    with pytest.raises(ModelNotFound, match=r"only tiny.en, tiny"):
        check(ModelReference(name="huge"))
    with pytest.raises(ModelNotFound, match="neither a name nor a uri"):
        check(ModelReference(uri=URI))
    check(OWN)
    check(OFFICIAL)


def test_a_download_gives_signs_of_life(tmp_path: Path) -> None:
    signs: list[int] = []
    models = ModelStore(
        tmp_path, holding("s3://models/mine.pt"), Interruption(),
        internet=NO_INTERNET, sign_of_life=lambda: signs.append(1),
    )  # fmt: skip
    models.resolve(ModelReference(uri="s3://models/mine.pt", sha256=SHA256))
    assert signs


@pytest.mark.parametrize("rest", [CONTENT[:3], b"xyz", CONTENT + b"more"])
def test_the_rest_of_a_cut_download_is_used_if_it_is_the_model_s(
    rest: bytes, tmp_path: Path
) -> None:
    (tmp_path / f".{SHA256}.1234.part").write_bytes(rest)
    models = models_of(tmp_path, holding("s3://models/mine.pt"))
    found = models.resolve(ModelReference(uri="s3://models/mine.pt", sha256=SHA256))
    assert found.path.read_bytes() == CONTENT
