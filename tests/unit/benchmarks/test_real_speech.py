from pathlib import Path

import pytest

from tests.benchmarks import speech
from tests.benchmarks.real_speech import Results, summarise
from tests.benchmarks.speech import Errors, Recording


def recording(name: str, reference: str | None, seconds: float = 60.0) -> Recording:
    return Recording(Path(name), name, name.partition("/")[0], seconds, reference)


@pytest.mark.parametrize(
    ("name", "reference", "transcript", "expected"),
    [
        pytest.param("en/a.wav", "Mr. Brown has 2 cats", " mister brown has two cats.",
                     Errors(5, 0, 0), id="English as Whisper's normaliser has it"),
        pytest.param("de/a.wav", "Guten Tag", "guten Abend, ja!", Errors(2, 2, 0),
                     id="a word changed and one added"),
        pytest.param("ja/a.wav", "おはよう", "おはよ。", Errors(4, 1, 0), id="Japanese characters"),
        pytest.param("de/a.wav", "Guten Tag", " ", Errors(2, 2, 1), id="an empty transcript"),
        pytest.param("en/a.wav", None, "", Errors(0, 0, 1), id="empty, without a reference"),
        pytest.param("en/a.wav", None, "hello", Errors(0, 0, 0), id="text without a reference"),
    ],
)  # fmt: skip
def test_a_transcript_is_scored(
    name: str, reference: str | None, transcript: str, expected: Errors
) -> None:
    assert speech.errors(recording(name, reference), transcript) == expected


def test_the_manifest_is_read_with_its_reference_files(tmp_path: Path) -> None:
    header = (
        "path\tlanguage\tseconds\tspeakers\tchannels\tsample_rate\treference_text\treference_file"
    )
    rows = [
        'en/two.wav\ten\t5.5\t2\t2\t8000\thello | "you"\t',
        "en/long.wav\ten\t9\t1\t1\t8000\t\tl.txt",
    ]
    (tmp_path / "manifest.tsv").write_text(
        "\n".join([header, *rows, "en/mute.wav\ten\t1\t1\t1\t8000\t\t"])
    )
    (tmp_path / "l.txt").write_text("a long text")
    found = speech.recordings(tmp_path)
    assert [each.reference for each in found] == ['hello   "you"', "a long text", None]
    assert found[0].path == tmp_path / "en/two.wav"
    assert found[0].folder == "en"


def test_a_language_is_compared_with_the_better_peer_without_the_composed_recordings() -> None:
    results = Results(
        "base",
        [recording("en/a.wav", "red green blue black"), recording("en/composed/b.wav", "white")],
        {"en/a.wav": "red green blue"},
        {
            "transcribe()": {"en/a.wav": "red green", "en/composed/b.wav": "white"},
            "faster-whisper": {"en/a.wav": "red green blue black", "en/composed/b.wav": ""},
        },
    )
    figures = {
        figure.name.removeprefix("real_speech.base "): figure for figure in summarise(results)
    }
    english = figures["en word error rate"]
    assert english.value == 0.25
    assert english.peer == "transcribe(): 0.500; faster-whisper: 0"
    assert english.note == "1 recordings, 1.0 min, +0.250"
    assert figures["all word error rate"].value == 0.25
    assert figures["en/composed word error rate"].value == 1.0
    empty = figures["empty transcripts"]
    assert (empty.value, empty.peer) == (1, "transcribe(): 0; faster-whisper: 1")
