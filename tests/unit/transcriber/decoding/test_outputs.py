import json
from io import StringIO
from typing import Any

import pytest
from whisper.utils import get_writer

from tests.unit.transcriber.decoding.said import segment, spoken, transcript
from transcription_contract.options import OutputFormat, Subtitles
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning, WarningKind
from whisper_transcriber.decoding.outputs import PLAIN, render
from whisper_transcriber.decoding.transcript import Segment, Suspicion

TALK = transcript(
    segment(1.0, 2.5, " Good day."), segment(3700.25, 3701.0, ' "Grüße" --> <b>\tEnde')
)

GOLDEN = {
    OutputFormat.SRT: (
        "1\n00:00:01,000 --> 00:00:02,500\nGood day.\n\n"
        '2\n01:01:40,250 --> 01:01:41,000\n"Grüße" -> <b> Ende\n\n'
    ),
    OutputFormat.VTT: (
        "WEBVTT\n\n"
        "00:01.000 --> 00:02.500\nGood day.\n\n"
        '01:01:40.250 --> 01:01:41.000\n"Grüße" --&gt; &lt;b&gt; Ende\n\n'
    ),
    OutputFormat.TXT: 'Good day.\n"Grüße" --> <b> Ende\n',
    OutputFormat.TSV: (
        'start\tend\ttext\n1000\t2500\tGood day.\n3700250\t3701000\t "Grüße" --> <b> Ende\n'
    ),
}


@pytest.mark.parametrize("output_format", GOLDEN)
def test_files_are_openai_whispers_but_text_is_only_text(output_format: OutputFormat) -> None:
    assert render(TALK, output_format).decode() == GOLDEN[output_format]


WIDE = Subtitles(max_line_width=24)
TWO_LINES = Subtitles(max_line_width=24, max_line_count=2)
SAID = [
    spoken(0.0, " The doctor calls the hospital on Friday, and nobody answers."),
    spoken(6.0, " Then she tries again.", pace=0.25),
    spoken(3600.0, " An hour later: good news, at last."),
]


@pytest.mark.parametrize("output_format", GOLDEN)
@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(PLAIN, id="plain"),
        pytest.param(WIDE, id="lines"),
        pytest.param(TWO_LINES, id="two lines at once"),
        pytest.param(Subtitles(highlight_words=True), id="highlighted"),
        pytest.param(TWO_LINES.model_copy(update={"highlight_words": True}), id="both"),
    ],
)
def test_plain_text_is_written_as_openai_whisper_writes_it(
    output_format: OutputFormat, layout: Subtitles
) -> None:
    assert render(transcript(*SAID), output_format, layout).decode() == by_whisper(
        SAID, output_format, layout
    )


def by_whisper(said: list[Segment], output_format: OutputFormat, layout: Subtitles) -> str:
    segments: list[dict[str, Any]] = []
    for each in said:
        segments.append({"start": each.start, "end": each.end, "text": each.text})
        if layout.need_words:
            segments[-1]["words"] = [
                {"word": word.text, "start": word.start, "end": word.end} for word in each.words
            ]
    file = StringIO()
    writer = get_writer(output_format.value, output_dir="")
    writer.write_result({"segments": segments}, file=file, options=layout.model_dump())
    return file.getvalue()


def test_json_has_openai_whispers_schema() -> None:
    content = json.loads(render(TALK, OutputFormat.JSON))
    assert content["text"] == ' Good day. "Grüße" --> <b>\tEnde'
    assert content["language"] == "en"
    assert content["segments"][0] == {
        "id": 0,
        "seek": 100,
        "start": 1.0,
        "end": 2.5,
        "text": " Good day.",
        "tokens": [50364, 1, 50464],
        "temperature": 0.0,
        "avg_logprob": -0.1234,
        "compression_ratio": 1.5,
        "no_speech_prob": 0.01,
    }


def test_json_adds_what_the_text_was_made_from_and_with() -> None:
    content = json.loads(render(TALK, OutputFormat.JSON))
    assert content["duration"] == 3723.5
    assert content["source"] == "s3://media/talk.mp3"
    assert (content["model"], content["model_sha256"]) == ("demo.pt", "0" * 64)


def test_json_says_which_sound_was_transcribed_and_what_was_wrong_with_it() -> None:
    said = transcript(segment(0, 1, " Hello."))
    facts = AudioFacts(track=2, tracks=3, channels=6, codec="aac", sample_rate=48000)
    gap = AudioWarning(kind=WarningKind.GAP, message="No sound.", start=10.0, seconds=5.5)
    whole = AudioWarning(kind=WarningKind.SILENT_TRACK, message="Track 1 is silent.")
    known = type(said)(**(vars(said) | {"audio": facts, "warnings": (gap, whole)}))
    content = json.loads(render(known, OutputFormat.JSON))
    assert content["audio"] == {
        "track": 2,
        "tracks": 3,
        "channels": 6,
        "separate": False,
        "codec": "aac",
        "container": "",
        "sample_rate": 48000,
    }
    assert content["warnings"] == [
        {"kind": "gap", "message": "No sound.", "start": 10.0, "seconds": 5.5},
        {"kind": "silentTrack", "message": "Track 1 is silent."},
    ]
    assert json.loads(render(said, OutputFormat.JSON))["warnings"] == []


def test_json_flags_suspect_segments_and_names_a_language_that_differs() -> None:
    plain = segment(0, 1, " Hello.")
    suspect = plain.model_copy(
        update={"suspect": (Suspicion.LOOP, Suspicion.RATE), "language": "en"}
    )
    foreign = plain.model_copy(update={"language": "de"})
    first, second, third = json.loads(
        render(transcript(plain, suspect, foreign), OutputFormat.JSON)
    )["segments"]
    assert first.keys().isdisjoint({"suspect", "language", "channel"})
    assert (second["suspect"], "language" in second) == (["loop", "rate"], False)
    assert third["language"] == "de"


def test_json_has_openai_whispers_words() -> None:
    timed = transcript(spoken(1.0, " Good day."), segment(3.0, 4.0, " Untimed."))
    first, second = json.loads(render(timed, OutputFormat.JSON))["segments"]
    assert first["words"] == [
        {"word": " Good", "start": 1.0, "end": 1.5, "probability": 0.75},
        {"word": " day.", "start": 1.5, "end": 2.0, "probability": 0.75},
    ]
    assert second["words"] == []


@pytest.mark.parametrize("output_format", OutputFormat)
def test_a_recording_without_speech_has_outputs_too(output_format: OutputFormat) -> None:
    content = render(transcript(), output_format, TWO_LINES)
    assert content == {
        OutputFormat.SRT: b"",
        OutputFormat.VTT: b"WEBVTT\n\n",
        OutputFormat.TXT: b"",
        OutputFormat.TSV: b"start\tend\ttext\n",
    }.get(output_format, content)


@pytest.mark.parametrize("output_format", OutputFormat)
def test_the_same_transcript_gives_the_same_bytes(output_format: OutputFormat) -> None:
    assert render(TALK, output_format, TWO_LINES) == render(TALK, output_format, TWO_LINES)
