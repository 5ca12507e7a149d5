import re
from pathlib import PurePath

import pytest

from kubectl_transcribe.manifest import Wishes, submissions, unique_name
from transcription_contract.options import ChannelMode, ExistingOutput, OutputFormat


def only(sources: list[str], **wishes):
    (submission,) = submissions(sources, Wishes(**wishes), "media")
    return submission


def test_a_local_file_becomes_an_object_below_the_bucket_and_the_transcript_lies_beside():
    submission = only(["calls/standup.mp3"], name="standup", bucket="acme")
    assert submission.manifest == {
        "apiVersion": "transcription.dev/v1alpha1",
        "kind": "TranscriptionJob",
        "metadata": {"name": "standup", "namespace": "media"},
        "spec": {
            "source": {"uri": "s3://acme/recordings/standup/standup.mp3"},
            "output": {"uri": "s3://acme/transcripts/standup/"},
        },
    }
    assert {str(path): str(uri) for path, uri in submission.uploads.items()} == {
        "calls/standup.mp3": "s3://acme/recordings/standup/standup.mp3"
    }


def test_several_files_are_one_job_on_their_prefix():
    submission = only(["a.mp3", "b.wav"], name="calls", bucket="acme")
    assert submission.manifest["spec"]["source"] == {"uri": "s3://acme/recordings/calls/"}
    assert sorted(str(uri) for uri in submission.uploads.values()) == [
        "s3://acme/recordings/calls/a.mp3",
        "s3://acme/recordings/calls/b.wav",
    ]


@pytest.mark.parametrize(
    ("sources", "prefix"),
    [
        (["a.mp3"], None),
        (["a.mp3", "b.wav"], "s3://acme/recordings/calls/"),
        (["s3://acme/x/"], "s3://acme/x/"),
        (["https://media.example/x/"], None),
    ],
    ids=["one file", "several files", "a prefix", "an address"],
)
def test_a_submission_knows_the_prefix_that_would_be_transcribed(sources, prefix):
    found = only(sources, name="calls", bucket="acme").prefix
    assert (str(found) if found else None) == prefix


def test_every_flag_has_its_field():
    submission = only(
        ["s3://recordings/standup.mp3"],
        name="standup",
        output="s3://transcripts/standup/",
        formats=(OutputFormat.SRT, OutputFormat.TXT),
        model="s3://models/mine.pt",
        model_sha256="a" * 64,
        language="de",
        translate=True,
        operator_class="research",
        node_pool="gpu",
        workers=4,
        secret="store",
        track="2",
        channels=ChannelMode.SEPARATE,
        existing=ExistingOutput.OVERWRITE,
        hotwords=("kopf", "Kubernetes"),
    )
    assert not submission.uploads
    assert submission.manifest["spec"] == {
        "source": {
            "uri": "s3://recordings/standup.mp3",
            "audio": {"track": 2, "channels": "separate"},
        },
        "output": {
            "uri": "s3://transcripts/standup/",
            "formats": ["srt", "txt"],
            "existing": "overwrite",
        },
        "decoding": {"hotwords": ["kopf", "Kubernetes"]},
        "objectStore": {"secretName": "store"},
        "model": {"uri": "s3://models/mine.pt", "sha256": "a" * 64},
        "language": "de",
        "task": "translate",
        "operatorClassName": "research",
        "nodePool": "gpu",
        "workers": 4,
    }


@pytest.mark.parametrize("stated", ["pt", "PT", "pt-BR", "pt_PT"])
def test_a_language_is_taken_as_other_programs_write_its_code(stated):
    submission = only(["s3://recordings/a.mp3"], language=stated)
    assert submission.manifest["spec"]["language"] == "pt"


def test_all_tracks_are_a_word():
    submission = only(["s3://recordings/a.mkv"], track="all")
    assert submission.manifest["spec"]["source"]["audio"] == {"track": "all"}


def test_an_official_model_is_a_name():
    submission = only(["s3://recordings/a.mp3"], model="large-v3")
    assert submission.manifest["spec"]["model"] == {"name": "large-v3"}


def test_a_file_without_a_bucket_goes_where_its_transcript_goes():
    submission = only(["a.mp3"], name="a", output="s3://transcripts/a/")
    assert submission.uploads == {
        PurePath("a.mp3"): submission.uploads[PurePath("a.mp3")].parse(
            "s3://transcripts/recordings/a/a.mp3"
        )
    }


def test_each_uri_is_a_job_of_its_own_with_a_place_of_its_own():
    made = submissions(
        ["s3://acme/x.mp3", "s3://acme/y.mp3", "z.mp3"], Wishes(output="s3://acme/out/"), "media"
    )
    outputs = [each.manifest["spec"]["output"]["uri"] for each in made]
    assert outputs == [f"s3://acme/out/{each.name}/" for each in made]
    assert len(set(outputs)) == 3


REFUSED = [
    ("a file and no bucket", ["a.mp3"], {}, "name it by --bucket"),
    ("an address and no place", ["https://media.example/a.mp3"], {}, "a prefix by --output"),
    ("an output that is no prefix", ["a.mp3"], {"output": "s3://acme/out"}, "--output must be"),
    ("an output that is no bucket", ["a.mp3"], {"output": "https://acme/"}, "--output must be"),
    ("an output that is no URI", ["a.mp3"], {"output": "out/"}, "is not an S3 URI"),
    ("a bucket that is no name", ["a.mp3"], {"bucket": "Acme_Corp"}, "has 3 to 63 small letters"),
    ("a bucket as a URI", ["a.mp3"], {"bucket": "s3://acme/x"},
     "takes a name, without s3:// and slashes, such as acme"),
    ("one name for two", ["s3://acme/x", "s3://acme/y"], {"name": "n"}, "--name is for one"),
    ("two files of one name", ["x/a.mp3", "y/a.mp3"], {"bucket": "acme"}, "called a.mp3"),
    ("a file as a URI", ["file:///tmp/a.mp3"], {"bucket": "acme"}, "without file://"),
    ("an unknown scheme", ["ftp://media.example/a"], {"bucket": "acme"}, "is not an S3 URI"),
    ("no language", ["s3://acme/x"], {"language": "English"},
     "--language English is not a language code of Whisper, such as en"),
    ("no track", ["s3://acme/x"], {"track": "second"}, "--track takes auto, all, or a number"),
    ("track 0", ["s3://acme/x"], {"track": "0"}, "--track takes auto, all, or a number"),
    ("no checksum", ["s3://acme/x"], {"model": "s3://acme/x.pt", "model_sha256": "1"},
     "--model-sha256 takes 64 digits"),
    ("a model by https", ["s3://acme/x"], {"model": "https://acme/x.pt"}, "or an s3:// URI"),
    ("a model in a folder", ["s3://acme/x"], {"model": "./mine"}, "./mine looks like a file"),
    ("a model's file", ["s3://acme/x"], {"model": "mine.pt"}, "mine.pt looks like a file"),
    ("a class that is no name", ["s3://acme/x"], {"operator_class": "Team A"},
     "--operator-class takes small letters, digits and hyphens"),
    ("too many workers", ["s3://acme/x"], {"workers": 5000}, "spec.workers"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sources", "wishes", "sentence"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_what_cannot_be_made_a_manifest_is_said(sources, wishes, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        submissions(sources, Wishes(**wishes), "media")


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("Stand-up 3. März", "stand-up-3-marz"),
        ("Gespräch über Öl, groß", "gesprach-uber-ol-gross"),
        ("../../etc", "etc"),
        ("会議", "job"),
        ("x" * 300, "x" * 40),
    ],
)
def test_a_name_is_made_of_a_file_name_and_is_never_the_same(text, stem):
    names = {unique_name(text) for _ in range(20)}
    assert len(names) == 20
    for name in names:
        assert re.fullmatch(rf"{re.escape(stem)}-[a-z0-9]{{5}}", name)
