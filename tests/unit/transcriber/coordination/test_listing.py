"""Which objects of a source are recordings to be transcribed."""

from pathlib import Path

import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.stage import TASK, MortalStore, job, recording
from transcription_contract.locations import ObjectUri
from transcription_contract.task import Task
from whisper_transcriber.coordination.layout import Items
from whisper_transcriber.coordination.listing import JUNK, is_junk, list_source, wanted
from whisper_transcriber.errors import SourceNotFound

FOLDER = TASK.model_copy(
    update={"source_uri": "s3://media/talks/", "output_uri": "s3://media/texts/"}
)


def listed(tmp_path: Path, keys: tuple[str, ...], task: Task = FOLDER) -> Items:
    held = stage.objects(**{key: recording(1) for key in keys})
    return list_source(job(tmp_path, MortalStore(held), task), "recipe")


def names(items: Items) -> list[str]:
    return [item.name for item in items.items]


@pytest.mark.parametrize("pattern", ["*.wav", "*.WAV", "rec00?.wav"])
def test_patterns_match_upper_and_lower_case_alike(pattern: str) -> None:
    found = ("REC001.WAV", "rec002.wav", "rec003.mp3")
    including = FOLDER.model_copy(update={"include": (pattern,)})
    excluding = FOLDER.model_copy(update={"exclude": (pattern,)})
    assert wanted(found, including) == ["REC001.WAV", "rec002.wav"]
    assert wanted(found, excluding) == ["rec003.mp3"]


@pytest.mark.parametrize(
    "name",
    ["._a.wav", "x/._a.wav", ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX/a.wav",
     "a.wav.part", "a.tmp"],
)  # fmt: skip
def test_what_systems_and_sync_clients_leave_behind_is_skipped_and_counted(
    tmp_path: Path, name: str
) -> None:
    assert is_junk(name)
    items = listed(tmp_path, ("talks/a.wav", f"talks/{name}"))
    assert names(items) == ["a.wav"]
    assert [(each.uri, each.skipped) for each in items.settled] == [
        (f"s3://media/talks/{name}", JUNK)
    ]


def test_a_source_of_nothing_but_junk_holds_no_recording(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="holds no recording"):
        listed(tmp_path, ("talks/.DS_Store",))


@pytest.mark.parametrize(
    ("source", "output", "keys", "expected"),
    [
        ("talks/", "", ("talks/a.wav", "a.wav.txt", "manifest.json"), ["a.wav"]),
        ("talks/", "", ("talks/a.wav", ".transcription/u/items.json"), ["a.wav"]),
        ("", "texts/", ("a.wav", "texts/a.wav.txt", "texts/b.wav"), ["a.wav"]),
        ("", "texts/", ("a.wav", "texts2/a.wav"), ["a.wav", "texts2/a.wav"]),
    ],
    ids=["the output around the source", "a workspace", "the output within", "no output"],
)
def test_only_what_this_job_writes_is_left_out_of_its_source(
    tmp_path: Path, source: str, output: str, keys: tuple[str, ...], expected: list[str]
) -> None:
    task = FOLDER.model_copy(
        update={"source_uri": f"s3://media/{source}", "output_uri": f"s3://media/{output}"}
    )
    assert names(listed(tmp_path, keys, task)) == expected


def test_a_slow_lister_does_not_overwrite_the_list_of_a_faster_one(tmp_path: Path) -> None:
    held = stage.objects(**{"talks/a.wav": recording(1)})

    class Slow(MortalStore):
        """Lists the source while another worker stores its own list."""

        def list(self, prefix: ObjectUri, after: str | None = None):  # type: ignore[no-untyped-def]
            found = super().list(prefix, after)
            if prefix.key == "talks/":
                held[ObjectUri("media", "talks/b.wav")] = recording(1)
                other = job(tmp_path, MortalStore(held), FOLDER)
                other.workspace.agree("items.json", Items, lambda: list_source(other, "r"))
            return found

    slow = job(tmp_path, Slow(held), FOLDER)
    agreed = slow.workspace.agree("items.json", Items, lambda: list_source(slow, "r"))
    assert names(agreed) == ["a.wav", "b.wav"]
