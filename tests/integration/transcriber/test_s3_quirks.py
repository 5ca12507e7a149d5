"""The object store's client against servers that differ from what S3 promises."""

from pathlib import Path

import pytest

from tests.integration.transcriber.quirky_stores import ODD_KEYS, at, connected, keys
from tests.integration.transcriber.stub_s3 import BOMB, serving
from whisper_transcriber.errors import (
    ITEM_FAULTS,
    AccessDenied,
    ConfigurationInvalid,
    ObjectStoreUnavailable,
    SourceArchived,
    SourceDenied,
    SourceNameInvalid,
    TranscriberError,
)
from whisper_transcriber.storage.store import ObjectMissingError


@pytest.mark.parametrize("quirk", ["gcs", "v1only", None])
@pytest.mark.parametrize("page", [1, 2, 1000])
def test_every_store_lists_every_key_as_it_is(quirk: str | None, page: int) -> None:
    with serving(*([quirk] if quirk else []), page=page) as stub:
        stub.objects |= {("media", key): key.encode() for key in ODD_KEYS}
        store = connected(stub)
        assert keys(store) == sorted(ODD_KEYS)
        assert [store.find(at(key)) for key in keys(store)] == [
            key.encode() for key in sorted(ODD_KEYS)
        ]
        assert keys(store, after="b.wav") == [key for key in sorted(ODD_KEYS) if key > "b.wav"]


def test_a_listing_is_continued_where_the_last_one_ended() -> None:
    with serving(a=b"", b=b"", c=b"") as stub:
        assert keys(connected(stub), after="b") == ["c"]
        assert "start-after=b" in stub.seen("GET")[0]


def test_a_listing_that_repeats_itself_is_an_error_and_not_endless() -> None:
    with serving("endless", page=1, a=b"", b=b"") as stub:
        with pytest.raises(ConfigurationInvalid, match="listing of s3://media/ repeats itself"):
            connected(stub).list(at(""))
        assert len(stub.requests) < 5


@pytest.mark.parametrize(
    ("quirk", "error", "words", "unwanted"),
    [
        ("skew", ObjectStoreUnavailable, "clock of the node .* by 120 minutes", "check the keys"),
        ("expired", ObjectStoreUnavailable, "session token .* has expired", "could not be reached"),
    ],
)
@pytest.mark.parametrize("use", ["stat", "find", "list"])
def test_what_passes_is_called_what_it_is(
    quirk: str, error: type[TranscriberError], words: str, unwanted: str, use: str
) -> None:
    with serving(quirk, a=b"x") as stub, pytest.raises(error, match=words) as raised:
        getattr(connected(stub), use)(at("a"))
    assert unwanted not in str(raised.value)


def test_a_throttled_key_service_is_waited_for() -> None:
    with serving("throttled", a=b"x") as stub:
        assert connected(stub, retry_seconds=30).find(at("a")) == b"x"


@pytest.mark.parametrize(
    ("quirk", "error", "code", "words", "unwanted"),
    [
        ("glacier", SourceArchived, 65, r"archived .* restore it", "keys"),
        ("denied", SourceDenied, 77, r"refused access to s3://media/a.wav", "archive"),
        ("kms", SourceDenied, 77, r"cannot be decrypted .*the key is disabled", "archive"),
    ],
)
def test_an_object_that_cannot_be_read_is_that_object_s_fault(
    quirk: str,
    error: type[TranscriberError],
    code: int,
    words: str,
    unwanted: str,
    tmp_path: Path,
) -> None:
    with serving(quirk) as stub:
        stub.objects["media", "a.wav"] = b"sound"
        stub.denied = {"a.wav"}
        store = connected(stub)
        with pytest.raises(error, match=words) as raised:
            store.download(store.stat(at("a.wav")), tmp_path / "a")
        assert isinstance(raised.value, ITEM_FAULTS)
        assert raised.value.exit_code == code
        assert unwanted not in str(raised.value)


@pytest.mark.parametrize("key", ["a/../b.wav", "./a.wav", "a/..", "a//b.wav", "/a.wav"])
def test_an_object_of_any_name_is_read(key: str, tmp_path: Path) -> None:
    with serving() as stub:
        stub.objects["media", key] = b"sound"
        store = connected(stub)
        store.download(store.stat(at(key)), tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == b"sound"


def test_a_name_that_the_store_refuses_is_one_item_s_fault(tmp_path: Path) -> None:
    with serving("dots") as stub:
        stub.objects["media", "a/../b.wav"] = b"sound"
        store = connected(stub)
        (listed,) = store.list(at(""))
        with pytest.raises(SourceNameInvalid, match=r"segment '.' or '..'") as raised:
            store.download(listed, tmp_path / "file")
        assert isinstance(raised.value, ITEM_FAULTS)
        # A proxy that takes the segment for a step upwards leads to nothing.
        stub.quirks.clear()
        stub.objects.clear()
        with pytest.raises(SourceNameInvalid, match="NoSuchKey"):
            store.download(listed, tmp_path / "other")


def test_an_object_is_stored_as_it_is_when_it_says_to_be_compressed(tmp_path: Path) -> None:
    with serving("compressed", bomb=BOMB) as stub:
        store = connected(stub)
        store.download(store.stat(at("bomb")), tmp_path / "bomb")
        assert (tmp_path / "bomb").read_bytes() == BOMB
        assert store.find(at("bomb")) == BOMB


def test_a_store_without_ranges_is_read_to_the_end(tmp_path: Path) -> None:
    with serving("rangeless", a=b"0123456789") as stub:
        store = connected(stub)
        (tmp_path / "part").write_bytes(b"0123")
        store.download(store.stat(at("a")), tmp_path / "part", resume=True)
        assert (tmp_path / "part").read_bytes() == b"0123456789"


@pytest.mark.parametrize("quirk", [None, "unconditional", "ignorant", "lock"])
def test_of_two_that_create_an_object_the_first_one_wins(quirk: str | None) -> None:
    with serving(*([quirk] if quirk else [])) as stub:
        one, two = connected(stub), connected(stub)
        assert [one.create(at("a"), b"1"), two.create(at("a"), b"2")] == [True, False]
        assert [one.create(at("b"), b"1"), two.create(at("b"), b"2")] == [True, False]
        assert (stub.objects["media", "a"], stub.objects["media", "b"]) == (b"1", b"1")


def test_creating_an_object_takes_one_request_once_the_store_is_known() -> None:
    with serving() as stub:
        store = connected(stub)
        store.create(at("first"), b"")
        before = len(stub.requests)
        assert store.create(at("second"), b"")
        assert len(stub.requests) == before + 1
        assert stub.requests[-1][2]["If-None-Match"] == "*"


@pytest.mark.parametrize("quirk", [None, "no batches"])
def test_many_objects_are_removed(quirk: str | None) -> None:
    names = [f"x/{number} &<ü>.json" for number in range(7)] + ["x/bell\a.json"]
    with serving(*([quirk] if quirk else []), keep=b"") as stub:
        stub.objects |= {("media", name): b"" for name in names}
        connected(stub).remove_many([at(name) for name in [*names, "x/none"]])
        assert [key for _, key in stub.objects] == ["keep"]


def test_thousands_are_removed_by_thousands_and_the_last_one_last() -> None:
    with serving() as stub:
        names = [f"{number}" for number in range(2501)]
        stub.objects |= {("media", name): b"" for name in names}
        connected(stub).remove_many([at(name) for name in names])
        assert not stub.objects
        assert len(stub.requests) == 4
        assert stub.requests[-1][:2] == ("DELETE", "/media/2500")


def test_what_may_not_be_removed_is_told() -> None:
    with serving(a=b"", b=b"", c=b"") as stub:
        stub.denied = {"b"}
        with pytest.raises(AccessDenied, match=r"AccessDenied"):
            connected(stub).remove_many([at("a"), at("b"), at("c")])


def test_a_missing_object_with_others_below_it_hints_at_the_slash() -> None:
    with serving() as stub:
        stub.objects["media", "calls/a.wav"] = b""
        store = connected(stub)
        with pytest.raises(ObjectMissingError) as missing:
            store.stat(at("calls"))
        assert "s3://media/calls/, with a slash at its end" in missing.value.hint
        with pytest.raises(ObjectMissingError) as missing:
            store.stat(at("call"))
        assert missing.value.hint == ""


def test_a_bucket_s_region_is_learnt_from_the_store_s_refusal() -> None:
    with serving("elsewhere", a=b"x") as stub:
        store = connected(stub)
        assert [store.find(at("a")), store.find(at("a"))] == [b"x", b"x"]
        assert [path for path in stub.seen("GET") if "location" in path] == []
        assert len(stub.requests) == 3


def test_requests_say_who_pays_and_how_objects_are_encrypted() -> None:
    with serving() as stub:
        store = connected(
            stub, request_payer="requester", encryption="aws:kms", kms_key="arn:aws:kms:x"
        )
        store.put(at("a"), b"x")
        store.find(at("a"))
    written, read = (headers for _, _, headers in stub.requests)
    assert written["x-amz-server-side-encryption"] == "aws:kms"
    assert written["x-amz-server-side-encryption-aws-kms-key-id"] == "arn:aws:kms:x"
    assert (written["x-amz-request-payer"], read["x-amz-request-payer"]) == ("requester",) * 2
    assert "x-amz-server-side-encryption" not in read
    assert "x-amz-request-payer" in read["Authorization"]
