import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.transcriber.privileges import without_privileges
from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import (
    AccessDenied,
    ConfigurationInvalid,
    VolumeFull,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage import files
from whisper_transcriber.storage.files import FileStore
from whisper_transcriber.storage.store import ObjectMissingError

STORE = FileStore(Interruption())


def at(path: Path, name: str = "") -> ObjectUri:
    return ObjectUri.parse(f"file://{path}/{name}")


def names(folder: Path) -> list[str]:
    return [str(each.uri).removeprefix(f"file://{folder}/") for each in STORE.list(at(folder))]


def test_what_was_put_is_found(tmp_path: Path) -> None:
    uri = at(tmp_path, "new/folders/a b ü.json")
    STORE.put(uri, b"{}")
    assert STORE.find(uri) == b"{}"
    assert STORE.stat(uri).size == 2
    assert names(tmp_path) == ["new/folders/a b ü.json"]


def test_what_is_not_there_is_none_or_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name in ("none", "no/such/folder", "file/below"):
        assert STORE.find(at(tmp_path, name)) is None
        with pytest.raises(ObjectMissingError):
            STORE.stat(at(tmp_path, name))
        STORE.remove(at(tmp_path, "none"))
    assert STORE.list(at(tmp_path, "none/")) == []


def test_an_etag_changes_with_the_file(tmp_path: Path) -> None:
    uri, path = at(tmp_path, "a.wav"), tmp_path / "a.wav"
    path.write_bytes(b"one")
    first = STORE.stat(uri).etag
    assert STORE.stat(uri).etag == first
    other = tmp_path / "b.wav"
    other.write_bytes(b"two")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    assert STORE.stat(uri).etag != first


def test_a_listing_is_in_the_order_of_keys_and_of_files_only(tmp_path: Path) -> None:
    for name in ("b.mp3", "a/z.mp3", "a-b.mp3", "a/deep/er/x.mp3", "empty/.keep"):
        STORE.put(at(tmp_path, name), b"x")
    (tmp_path / "hollow").mkdir()
    os.mkfifo(tmp_path / "pipe.mp3")
    assert names(tmp_path) == ["a-b.mp3", "a/deep/er/x.mp3", "a/z.mp3", "b.mp3", "empty/.keep"]


def test_links_to_files_are_followed_and_those_to_folders_not(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    STORE.put(at(elsewhere, "talk.mp3"), b"talk")
    folder.mkdir()
    (folder / "talk.mp3").symlink_to(elsewhere / "talk.mp3")
    (folder / "others").symlink_to(elsewhere)
    (folder / "up").symlink_to(tmp_path)
    (folder / "dangling.mp3").symlink_to(tmp_path / "none")
    (folder / "circle.mp3").symlink_to("circle.mp3")
    assert names(folder) == ["talk.mp3"]
    assert STORE.stat(at(folder, "talk.mp3")).size == 4


def test_a_name_that_is_not_utf_8_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.mp3")).write_bytes(b"")
    STORE.put(at(tmp_path, "good.mp3"), b"")
    assert names(tmp_path) == ["good.mp3"]
    assert "its name is not UTF-8" in caplog.text


@pytest.mark.parametrize(
    "key",
    ["media/../etc/passwd", "..", "media/./a", "/etc/passwd", "media//a", "media/a\0.mp3"],
)
@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda uri: STORE.stat(uri), id="stat"),
        pytest.param(lambda uri: STORE.put(uri, b""), id="put"),
        pytest.param(lambda uri: STORE.remove(uri), id="remove"),
        pytest.param(lambda uri: STORE.list(uri), id="list"),
    ],
)
def test_a_path_that_leads_upwards_or_has_two_names_is_refused(
    use: Callable[[ObjectUri], object], key: str
) -> None:
    with pytest.raises(ConfigurationInvalid, match="not the plain path"):
        use(ObjectUri("", key, "file"))


def test_other_schemes_are_none_of_its_business() -> None:
    with pytest.raises(ConfigurationInvalid):
        STORE.stat(ObjectUri("media", "a.mp3"))


def test_a_folder_a_pipe_and_a_device_are_no_recordings(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigurationInvalid, match="is a folder: with a slash"):
        STORE.stat(ObjectUri.parse(f"file://{tmp_path}"))
    for name in (f"{tmp_path}/pipe", "/dev/zero"):
        with pytest.raises(ConfigurationInvalid, match="is not a file"):
            STORE.stat(ObjectUri.parse(f"file://{name}"))


def test_what_is_put_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    uri = at(tmp_path, "manifest.json")
    contents = {bytes([letter]) * 200_000 for letter in b"abcd"}
    writers = [
        threading.Thread(target=lambda each=each: [STORE.put(uri, each) for _ in range(5)])
        for each in contents
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert STORE.find(uri) in contents | {None}
    assert os.listdir(tmp_path) == ["manifest.json"]


def test_a_put_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(ConfigurationInvalid, match="Is a directory"):
        STORE.put(at(tmp_path, "out"), b"x")
    assert os.listdir(tmp_path) == ["out"]


def test_a_file_in_the_place_of_a_folder_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "talk").write_bytes(b"")
    for name in ("talk/a.json", "talk/deep/a.json"):
        with pytest.raises(ConfigurationInvalid, match="one of the folders in its path is a file"):
            STORE.put(at(tmp_path, name), b"x")


def test_a_name_that_is_too_long_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="name too long"):
        STORE.put(at(tmp_path, "a" * 300), b"x")


def test_a_full_disk_is_told_apart() -> None:
    # The kernel's own full disk.
    with (
        pytest.raises(VolumeFull, match="no room for"),
        files.room_for("file:///a"),
        open("/dev/full", "wb", buffering=0) as full,
    ):
        full.write(b"x")


def test_results_get_the_permissions_that_new_files_have(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    STORE.put(at(tmp_path, "result"), b"x")
    usual, result = ((tmp_path / name).stat().st_mode for name in ("usual", "result"))
    assert stat.S_IMODE(result) == stat.S_IMODE(usual)


def test_what_may_not_be_read_or_written_is_named(tmp_path: Path) -> None:
    uri = at(tmp_path, "locked/a.mp3")
    STORE.put(uri, b"x")
    (tmp_path / "locked").chmod(0)
    with without_privileges(tmp_path):
        for use in (STORE.stat, STORE.find, STORE.remove, lambda uri: STORE.put(uri, b"")):
            with pytest.raises(AccessDenied, match=r"locked/a.mp3 may not be used by this user"):
                use(uri)
        # Not an empty folder: recordings would be missing and nobody would know.
        with pytest.raises(AccessDenied, match="locked/ may not"):
            STORE.list(at(tmp_path))
    (tmp_path / "locked").chmod(0o755)


def test_of_a_workspace_no_empty_folder_stays(tmp_path: Path) -> None:
    workspace = at(tmp_path, "out/.transcription/uid/")
    uris = [workspace.child(name) for name in ("parts/1", "parts/2", "items.json")]
    for uri in uris:
        STORE.put(uri, b"")
    STORE.remove(uris[0])
    assert (tmp_path / "out/.transcription/uid/parts").is_dir()
    for uri in uris[1:]:
        STORE.remove(uri)
    assert os.listdir(tmp_path / "out") == []


def test_other_empty_folders_stay(tmp_path: Path) -> None:
    uri = at(tmp_path, "out/mine/a.json")
    STORE.put(uri, b"")
    STORE.remove(uri)
    assert (tmp_path / "out/mine").is_dir()


def test_a_folder_that_another_worker_tidies_away_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = at(tmp_path, ".transcription/uid/part")
    made, calls = files._make_folder, []

    def make_and_lose(path: Path, uri: ObjectUri) -> None:
        made(path, uri)
        calls.append(path)
        if len(calls) < 3:
            path.rmdir()

    monkeypatch.setattr(files, "_make_folder", make_and_lose)
    STORE.put(uri, b"x")
    assert STORE.find(uri) == b"x"


def test_what_a_killed_writer_left_is_no_recording_but_goes_with_its_workspace(
    tmp_path: Path,
) -> None:
    STORE.put(at(tmp_path, f"{files._TEMPORARY}12"), b"")
    STORE.put(at(tmp_path, f".transcription/uid/{files._TEMPORARY}12"), b"")
    assert names(tmp_path) == [f".transcription/uid/{files._TEMPORARY}12"]


def test_of_many_that_create_a_file_one_does(tmp_path: Path) -> None:
    uri, created = at(tmp_path, "new/items.json"), []
    start = threading.Barrier(8)

    def create(content: bytes) -> None:
        start.wait()
        if STORE.create(uri, content):
            created.append(content)

    writers = [threading.Thread(target=create, args=(b"%d" % each * 9,)) for each in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert created == [STORE.find(uri)]
    assert os.listdir(tmp_path / "new") == ["items.json"]


def test_a_file_is_created_once_even_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    uri = at(tmp_path, "items.json")
    assert [STORE.create(uri, b"one"), STORE.create(uri, b"two")] == [True, False]
    assert STORE.find(uri) == b"one"
    assert os.listdir(tmp_path) == ["items.json"]


def test_a_listing_can_be_continued_after_a_key(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        STORE.put(at(tmp_path, name), b"")
    listed = STORE.list(at(tmp_path), after=at(tmp_path, "a").key)
    assert [each.uri.key.rpartition("/")[2] for each in listed] == ["b", "c"]


def test_many_are_removed_at_once(tmp_path: Path) -> None:
    uris = [at(tmp_path, f"out/.transcription/uid/{name}") for name in ("a", "b", "none")]
    for uri in uris[:2]:
        STORE.put(uri, b"")
    STORE.remove_many(uris)
    assert os.listdir(tmp_path / "out") == []
