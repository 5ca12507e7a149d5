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
        def create(self, uri: ObjectUri, content: bytes, content_type: str = "") -> bool:
            self.put(uri, GERMAN.model_dump_json(by_alias=True).encode())
            return super().create(uri, content)

    overtaken = Workspace(Overtaken(), "s3://out/talks/", "u1")
    assert overtaken.agree(NAME, ItemLanguage, lambda: ENGLISH) == GERMAN


def test_a_document_of_another_version_is_replaced(
    store: MemoryStore, workspace: Workspace
) -> None:
    store.objects[WHERE] = b'{"tongue": "en"}'
    assert workspace.agree(NAME, ItemLanguage, lambda: ENGLISH) == ENGLISH


def test_documents_are_listed_by_the_names_that_they_were_stored_under(
    workspace: Workspace,
) -> None:
    workspace.put("parts/0.0.1.abc.json", Part(texts=()))
    assert workspace.claim("leases/0.0.1.0", 5)
    assert workspace.names() == ["leases/0.0.1.0", "parts/0.0.1.abc.json"]
    assert workspace.names("parts/") == ["parts/0.0.1.abc.json"]
    assert workspace.names(after="leases0") == ["parts/0.0.1.abc.json"]


def test_only_one_worker_has_a_claim(workspace: Workspace) -> None:
    assert workspace.claim("leases/0.0.1.0", 5)
    assert not workspace.claim("leases/0.0.1.0", 6)
    assert workspace.claimed_by("leases/0.0.1.0") == 5
    assert workspace.claimed_by("leases/0.0.1.1") is None


def test_an_etag_tells_one_document_from_the_next(workspace: Workspace) -> None:
    assert workspace.etag(NAME) is None
    workspace.put(NAME, ENGLISH)
    english = workspace.etag(NAME)
    workspace.put(NAME, GERMAN)
    assert workspace.etag(NAME) not in (None, english)


def test_only_the_job_s_own_workspace_is_removed(store: MemoryStore, workspace: Workspace) -> None:
    other = Workspace(store, "s3://out/talks/", "u10")
    other.put(NAME, ENGLISH)
    store.put(ObjectUri("out", "talks/a.txt"), b"hello")
    workspace.put(NAME, ENGLISH)
    workspace.put("items.json", ENGLISH)

    workspace.remove_all()

    assert {uri.key for uri in store.objects} == {
        "talks/.transcription/u10/items/0.language.json",
        "talks/a.txt",
    }
