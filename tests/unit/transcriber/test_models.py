import hashlib
import urllib.error
from pathlib import Path

import pytest

from tests.unit.transcriber.stores import MemoryStore
from transcription_contract.locations import S3Uri
from transcription_contract.options import ModelReference
from whisper_transcriber.errors import ModelInvalid, ModelNotFound, ModelSourceUnavailable
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models import ModelStore, official_models

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URI = "s3://models/mine.pt"
OWN = ModelReference(uri=URI, sha256=SHA256)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.objects[S3Uri.parse(URI)] = CONTENT
    return store


@pytest.fixture
def model_store(store: MemoryStore, tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", store, Interruption())


def test_a_checkpoint_is_fetched_and_checked(model_store: ModelStore) -> None:
    checkpoint = model_store.resolve(OWN)
    assert checkpoint.path.read_bytes() == CONTENT
    assert checkpoint.sha256 == SHA256


def test_a_checkpoint_in_the_cache_needs_no_store(
    model_store: ModelStore, store: MemoryStore
) -> None:
    model_store.resolve(OWN)
    store.objects.clear()
    assert model_store.resolve(OWN).path.read_bytes() == CONTENT


def test_a_damaged_checkpoint_in_the_cache_is_fetched_again(model_store: ModelStore) -> None:
    path = model_store.resolve(OWN).path
    path.write_bytes(b"rotten")
    assert model_store.resolve(OWN).path.read_bytes() == CONTENT


def test_another_checksum_is_refused_with_both(model_store: ModelStore) -> None:
    promised = "a" * 64
    with pytest.raises(ModelInvalid) as refused:
        model_store.resolve(ModelReference(uri=URI, sha256=promised))
    assert URI in str(refused.value)
    assert promised in str(refused.value)
    assert SHA256 in str(refused.value)


def test_nothing_is_left_behind_of_a_refused_checkpoint(
    model_store: ModelStore, tmp_path: Path
) -> None:
    with pytest.raises(ModelInvalid):
        model_store.resolve(ModelReference(uri=URI, sha256="a" * 64))
    assert [path.suffix for path in (tmp_path / "models").iterdir()] == [".lock"]


def test_a_missing_object_is_named(model_store: ModelStore) -> None:
    missing = ModelReference(uri="s3://models/none.pt", sha256=SHA256)
    with pytest.raises(ModelNotFound, match=r"s3://models/none.pt does not exist"):
        model_store.resolve(missing)


def test_an_unknown_name_is_answered_with_the_known_ones(model_store: ModelStore) -> None:
    with pytest.raises(ModelNotFound, match=r"'huge', only tiny.en, tiny, .*large-v3.*turbo"):
        model_store.resolve(ModelReference(name="huge"))


def test_official_checksums_are_those_in_the_urls() -> None:
    url, sha256 = official_models()["tiny"]
    assert sha256 in url
    assert len(sha256) == 64


def test_an_official_model_that_cannot_be_downloaded_is_tried_again_later(
    model_store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(url: str, timeout: float) -> object:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(ModelSourceUnavailable, match=r"tiny.pt could not be downloaded"):
        model_store.resolve(ModelReference(name="tiny"))
