import pytest

from tests.unit.transcriber.stores import MemoryStore
from transcription_contract.locations import ObjectUri
from whisper_transcriber.coordination.layout import ItemLanguage, Part
from whisper_transcriber.coordination.workspace import Workspace

ENGLISH = ItemLanguage(language="en", probability=1.0)
GERMAN = ItemLanguage(language="de", probability=0.9)
NAME = "items/0.language.json"
WHERE = ObjectUri("out", "talks/.transcription/u1/items/0.language.json")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def workspace(store: MemoryStore) -> Workspace:
    return Workspace(store, "s3://out/talks/", "u1")


def test_what_is_missing_is_made_and_stored(store: MemoryStore, workspace: Workspace) -> None:
    assert workspace.agree(NAME, ItemLanguage, lambda: ENGLISH) == ENGLISH
    assert ItemLanguage.model_validate_json(store.objects[WHERE]) == ENGLISH


def test_what_is_stored_wins(workspace: Workspace) -> None:
    workspace.put(NAME, GERMAN)
    assert workspace.agree(NAME, ItemLanguage, lambda: ENGLISH) == GERMAN


def test_of_two_workers_at_once_both_go_on_with_the_stored_one(
    store: MemoryStore, workspace: Workspace
) -> None:
    class Overtaken(MemoryStore):
        def put(self, uri: ObjectUri, content: bytes, content_type: str = "") -> None:
            super().put(uri, GERMAN.model_dump_json(by_alias=True).encode())

    overtaken = Workspace(Overtaken(), "s3://out/talks/", "u1")
    assert overtaken.agree(NAME, ItemLanguage, lambda: ENGLISH) == GERMAN


def test_a_document_of_another_version_is_made_anew(
    store: MemoryStore, workspace: Workspace
) -> None:
    store.objects[WHERE] = b'{"tongue": "en"}'
    assert workspace.agree(NAME, ItemLanguage, lambda: ENGLISH) == ENGLISH


def test_documents_are_listed_by_the_names_that_they_were_stored_under(
    workspace: Workspace,
) -> None:
    workspace.put("parts/0.0.1.abc.json", Part(texts=()))
    workspace.mark("claims/0.0.1.5")
    assert workspace.names() == {"parts/0.0.1.abc.json", "claims/0.0.1.5"}


def test_a_document_is_held_until_another_takes_its_place(workspace: Workspace) -> None:
    assert not workspace.holds(NAME, ENGLISH)
    workspace.put(NAME, ENGLISH)
    assert workspace.holds(NAME, ENGLISH)
    workspace.put(NAME, GERMAN)
    assert not workspace.holds(NAME, ENGLISH)


def test_only_the_job_s_own_workspace_is_removed(store: MemoryStore, workspace: Workspace) -> None:
    other = Workspace(store, "s3://out/talks/", "u10")
    other.put(NAME, ENGLISH)
    store.put(ObjectUri("out", "talks/a.txt"), b"hello")
    workspace.put(NAME, ENGLISH)
    workspace.put("items.json", ENGLISH)

    workspace.remove()

    assert {uri.key for uri in store.objects} == {
        "talks/.transcription/u10/items/0.language.json",
        "talks/a.txt",
    }
