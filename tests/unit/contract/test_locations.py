from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transcription_contract.locations import (
    WORKSPACES,
    ObjectUri,
    item_name,
    manifest_uri,
    result_name,
    result_uri,
    shown,
    workspace_uri,
)
from transcription_contract.options import OutputFormat


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("s3://recordings/standup.mp3", "standup"),
        ("s3://recordings/a/b/2026.11.22 call.wav", "2026.11.22 call"),
        ("s3://recordings/plain", "plain"),
        ("s3://recordings/.mp3", ".mp3"),
        ("s3://recordings/manifest.mp3", "manifest.transcript"),
        ("https://media.example:8443/talks/a%20b.mp3?token=x/y.z", "a b"),
        ("https://media.example/", "transcript"),
    ],
    ids=[
        "usual",
        "dots and a space",
        "no extension",
        "nothing but an extension",
        "the manifest's",
        "a web address",
        "a web address without a name",
    ],
)
def test_a_single_recordings_results_are_called_after_it(source, expected):
    assert result_name(source) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("calls/a/x.mp3", "a/x.mp3"),
        ("calls/x.wav", "x.wav"),
        ("calls/manifest", "manifest."),
        ("calls/manifest.", "manifest.."),
        ("calls/manifest.json", "manifest.json"),
    ],
)
def test_one_of_many_recordings_keeps_its_path_and_extension(key, expected):
    assert item_name("s3://recordings/calls/", f"s3://recordings/{key}") == expected


@pytest.mark.parametrize("output_format", OutputFormat)
def test_results_lie_below_the_output(output_format):
    found = result_uri("a/x.mp3", "s3://out/x/", output_format)
    assert str(found) == f"s3://out/x/a/x.mp3.{output_format.value}"


def test_manifest_and_workspace_lie_below_the_output():
    assert str(manifest_uri("s3://out/")) == "s3://out/manifest.json"
    assert str(workspace_uri("s3://out/x/", "u-1")) == "s3://out/x/.transcription/u-1/"


pieces = st.sampled_from(
    ["manifest", ".", "..", "json", "/", "a" * 250, "a" * 505, "a" * 506, "é" * 250, WORKSPACES]
) | st.text(max_size=8)
names = (
    st.lists(pieces, min_size=1, max_size=5)
    .map("".join)
    # As S3 allows them, and as they are taken for recordings.
    .filter(lambda name: 0 < len(name.encode()) <= 1024 and not name.endswith("/"))
    .filter(lambda name: not name.startswith(WORKSPACES))
)
prefixes = st.sampled_from(
    ["s3://out/", "s3://out/x/", f"s3://out/{'p' * 990}/", "file:///home/me/out/"]
)


@example(keys={"manifest", "manifest.", "manifest..", "manifest.json"}, output="s3://out/")
@example(
    keys={"a" * 1020, f"{'a' * 900}.{sha256(b'a' * 1020).hexdigest()[:24]}"}, output="s3://out/"
)
@example(keys={"a/../b", f"a/dot.{sha256(b'..').hexdigest()[:24]}/b"}, output="s3://out/")
@example(
    keys={"a" * 254, f"{'a' * 180}.{sha256(b'a' * 254).hexdigest()[:24]}"}, output="file:///out/"
)
@given(keys=st.sets(names, max_size=8), output=prefixes)
def test_no_two_results_share_a_place_with_each_other_the_manifest_or_the_workspace(keys, output):
    source = "s3://recordings/calls/"
    taken = [
        result_uri(item_name(source, source + key), output, output_format)
        for key in sorted(keys)
        for output_format in OutputFormat
    ]
    assert len(set(taken)) == len(taken)
    assert manifest_uri(output) not in taken
    for uri in taken:
        assert str(uri).startswith(output)
        assert not str(uri).startswith(str(workspace_uri(output, "")))
        assert not {".", ".."} & set(uri.key.split("/"))
        if uri.scheme == "file":
            assert all(0 < len(part.encode()) <= 255 for part in uri.key.split("/"))
        else:
            assert len(uri.key.encode()) <= 1024


@pytest.mark.parametrize(
    ("uri", "parts", "prefix"),
    [
        ("s3://recordings/a/x.mp3", ("recordings", "a/x.mp3", "s3"), False),
        ("s3://recordings/a/", ("recordings", "a/", "s3"), True),
        ("s3://recordings/", ("recordings", "", "s3"), True),
        ("s3://recordings/a\nb", ("recordings", "a\nb", "s3"), False),
        ("file:///home/me/x.mp3", ("", "home/me/x.mp3", "file"), False),
        ("https://media.example:8443/x?a=/", ("media.example:8443", "x?a=/", "https"), False),
    ],
)
def test_a_uri_comes_apart_and_together_again(uri, parts, prefix):
    parsed = ObjectUri.parse(uri)
    assert (parsed.bucket, parsed.key, parsed.scheme) == parts
    assert parsed.is_prefix is prefix
    assert str(parsed) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "standup.mp3",
        "http://media.example/x",
        "https://user@media.example/x",
        "https://media.example",
        "https://media.example/x#y",
        "file://host/x",
        "s3://",
        "s3://bucket",
        "s3://UPPER/x",
        "s3://a/b",
    ],
)
def test_what_is_no_uri_of_ours_is_refused(uri):
    with pytest.raises(ValueError, match="not an S3 URI"):
        ObjectUri.parse(uri)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (
            "https://media.example/a%20b.mp3?X-Amz-Signature=SECRET",
            "https://media.example/a%20b.mp3",
        ),
        ("https://me:secret@media.example/a.mp3#x", "https://media.example/a.mp3"),
        ("http://media.example/a.mp3?sig=x", "http://media.example/a.mp3"),
        ("s3://media/what?#really@.mp3", "s3://media/what?#really@.mp3"),
        ("file:///media/what?.mp3", "file:///media/what?.mp3"),
    ],
    ids=["a signed link", "a user", "a redirect to http", "an odd key", "an odd file"],
)
def test_what_is_shown_of_a_uri_has_no_secret(uri: str, expected: str) -> None:
    assert shown(uri) == expected


def test_an_object_shows_its_uri_without_its_query() -> None:
    assert ObjectUri.parse("https://a.example/x.mp3?sig=1").shown == "https://a.example/x.mp3"
