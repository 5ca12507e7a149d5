from pathlib import Path

import pytest

from tests.unit.transcriber.stores import MemoryStore
from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.storage.router import StoreRouter

S3, FILE = ObjectUri.parse("s3://media/a.mp3"), ObjectUri.parse("file:///media/a.mp3")


def test_each_uri_goes_to_the_store_of_its_scheme(tmp_path: Path) -> None:
    s3, file = MemoryStore(), MemoryStore()
    stores = StoreRouter({"s3": s3, "file": file})
    stores.put(S3, b"bucket")
    stores.put(FILE, b"folder")
    assert (s3.objects, file.objects) == ({S3: b"bucket"}, {FILE: b"folder"})
    assert stores.find(FILE) == b"folder"
    assert [each.uri for each in stores.list(ObjectUri.parse("s3://media/"))] == [S3]
    stores.download(stores.stat(S3), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"bucket"
    assert stores.create(S3, b"too late") is False
    stores.remove(S3)
    assert (s3.objects, file.objects) == ({}, {FILE: b"folder"})
    assert stores.create(S3, b"new") is True
    stores.remove_many([S3, FILE])
    assert (s3.objects, file.objects) == ({}, {})


def test_a_scheme_without_a_store_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(ConfigurationInvalid, match=r"file:// URIs .* only https://, s3://: check"):
        StoreRouter({"s3": MemoryStore(), "https": MemoryStore()}).stat(FILE)
