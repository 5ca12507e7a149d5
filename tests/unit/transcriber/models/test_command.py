import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.transcriber.stores import MemoryStore
from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ModelNotFound
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models import catalogue, command
from whisper_transcriber.models.store import ModelStore

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def test_the_table_says_what_is_there_already(tmp_path: Path) -> None:
    tiny = catalogue.find("tiny")
    (tmp_path / f"{tiny.sha256}.pt").touch()
    (tmp_path / "large-v3-turbo.pt").touch()
    heads, *rows = (line.split() for line in command.list_models(tmp_path).splitlines())
    assert heads == ["NAME", "PARAMETERS", "LANGUAGES", "CACHED", "SHA256"]
    cached = {row[0] for row in rows if row[4] == "yes"}
    assert cached == {"tiny", "turbo", "large-v3-turbo"}
    assert ["tiny", "39", "M", "many", "yes", tiny.sha256] in rows
    assert len(rows) == len(catalogue.OFFICIAL)


def test_models_are_fetched_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = replace(catalogue.find("tiny"), sha256=SHA256)
    monkeypatch.setitem(catalogue.OFFICIAL, "tiny", tiny)
    internet = MemoryStore()
    internet.objects[ObjectUri.parse(tiny.url)] = CONTENT
    models = ModelStore(tmp_path, MemoryStore(), Interruption(), internet=internet)
    with pytest.raises(ModelNotFound, match="'huge'"):
        command.preload(["tiny", "huge"], models)
    assert not list(tmp_path.iterdir())
    (checkpoint,) = command.preload(["tiny"], models)
    assert checkpoint.path.read_bytes() == CONTENT
