import pytest

from transcription_contract.locations import (
    S3Uri,
    manifest_uri,
    result_uri,
    workspace_uri,
)
from transcription_contract.options import OutputFormat


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("s3://recordings/standup.mp3", "s3://out/x/standup.txt"),
        ("s3://recordings/a/b/2026.11.22 call.wav", "s3://out/x/2026.11.22 call.txt"),
        ("s3://recordings/plain", "s3://out/x/plain.txt"),
        ("s3://recordings/.mp3", "s3://out/x/.mp3.txt"),
        ("s3://recordings/manifest.mp3", "s3://out/x/manifest.transcript.txt"),
    ],
    ids=["usual", "dots and a space", "no extension", "nothing but an extension", "the manifest's"],
)
def test_results_are_called_after_the_recording(source, expected):
    assert str(result_uri(source, "s3://out/x/", OutputFormat.TXT)) == expected


def test_manifest_and_workspace_lie_below_the_output():
    assert str(manifest_uri("s3://out/")) == "s3://out/manifest.json"
    assert str(workspace_uri("s3://out/x/", "u-1")) == "s3://out/x/.transcription/u-1/"


@pytest.mark.parametrize("uri", ["https://x/y", "s3://", "s3://bucket", "s3://UPPER/x", "s3://a/b"])
def test_what_is_no_s3_uri_is_refused(uri):
    with pytest.raises(ValueError, match="not an S3 URI"):
        S3Uri.parse(uri)
