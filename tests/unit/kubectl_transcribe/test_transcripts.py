import pytest

from kubectl_transcribe.transcripts import MAX_REMARKS, Delivered, chosen, is_silent, remarks
from transcription_contract.options import OutputFormat

OUTPUT = "s3://transcripts/calls/"


def delivered(*names: str) -> Delivered:
    """Recordings a, b... with these files below the output, one recording each."""
    items = [
        {
            "uri": f"s3://recordings/{number}.mp3",
            "outputs": [{"format": name.rpartition(".")[2], "uri": OUTPUT + name, "bytes": 3}],
        }
        for number, name in enumerate(names)
    ]
    return Delivered.model_validate({"uid": "u", "items": items, "versions": {}})


def test_without_a_format_the_most_readable_is_chosen():
    found = chosen(delivered("a.json", "a.vtt", "b.vtt"), OUTPUT, None)
    assert [str(each.path) for each in found] == ["a.vtt", "b.vtt"]


def test_with_a_format_only_that():
    found = chosen(delivered("a.json", "a.txt"), OUTPUT, OutputFormat.JSON)
    assert [str(each.uri) for each in found] == [f"{OUTPUT}a.json"]


def test_every_one_is_every_format():
    found = chosen(delivered("a.json", "2026/b.txt"), OUTPUT, None, every=True)
    assert [str(each.path) for each in found] == ["a.json", "2026/b.txt"]


def test_a_format_that_was_not_delivered_is_named_with_those_that_were():
    with pytest.raises(ValueError, match="in the format srt; there is: txt, json"):
        chosen(delivered("a.json", "a.txt"), OUTPUT, OutputFormat.SRT)


def test_nothing_delivered_is_said():
    with pytest.raises(ValueError, match="none of the recordings could be transcribed"):
        chosen(Delivered(uid="u"), OUTPUT, None)


@pytest.mark.parametrize(
    "name", ["../../.bashrc.txt", "a/../../b.txt", "/etc/x.txt", "a//b.txt", "a\x00.txt"]
)
def test_a_name_that_climbs_out_of_the_folder_is_not_followed(name):
    with pytest.raises(ValueError, match="was not written by the job"):
        chosen(delivered(name), OUTPUT, None)


def test_a_transcript_elsewhere_is_not_the_jobs():
    items = [{"uri": "a", "outputs": [{"format": "txt", "uri": "s3://secrets/a.txt"}]}]
    found = Delivered.model_validate({"uid": "u", "items": items})
    with pytest.raises(ValueError, match="was not written by the job"):
        chosen(found, OUTPUT, None)


@pytest.mark.parametrize(
    ("content", "silent"),
    [(b"", True), (b"\n", True), (b"WEBVTT\n\n", True), (b"Good morning.\n", False)],
    ids=["nothing", "a line end", "a header", "words"],
)
def test_a_transcript_with_nothing_in_it_is_silence(content, silent):
    assert is_silent(content) is silent


def manifest(*items: dict[str, object]) -> Delivered:
    return Delivered.model_validate({"uid": "u", "items": items})


def test_warnings_are_told_with_their_place_and_suspect_text_with_its_number():
    calls = manifest(
        {
            "uri": "s3://recordings/a.mp3",
            "warnings": [
                {"kind": "gap", "message": "12.0 s are missing.", "start": 3723.4, "seconds": 12.0},
                {"kind": "silentTrack", "message": "Track 1 is silent."},
            ],
        },
        {"uri": "s3://recordings/b.mp3", "suspectSegments": 3},
    )
    assert remarks(calls) == [
        "warning: s3://recordings/a.mp3 at 1:02:03: 12.0 s are missing.",
        "warning: s3://recordings/a.mp3: Track 1 is silent.",
        "suspect text: s3://recordings/b.mp3: the JSON transcript flags 3 of its segments as "
        "improbable or repetitive",
    ]


def test_without_warnings_nothing_is_told():
    assert remarks(delivered("a.txt")) == []


def test_of_many_warnings_the_first_are_told():
    gap = {"kind": "gap", "message": "A gap."}
    found = remarks(manifest({"uri": "s3://recordings/a.mp3", "warnings": [gap] * 30}))
    assert len(found) == MAX_REMARKS + 1
    assert found[-1] == "10 more: manifest.json lists them"
