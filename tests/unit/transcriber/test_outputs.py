import json

import pytest

from transcription_contract.options import OutputFormat
from whisper_transcriber.outputs import Transcript, render
from whisper_transcriber.transcript import Segment


def segment(start: float, end: float, words: str) -> Segment:
    return Segment(
        seek=100,
        start=start,
        end=end,
        text=words,
        tokens=(50364, 1, 50464),
        temperature=0.0,
        avg_logprob=-0.1234,
        compression_ratio=1.5,
        no_speech_prob=0.01,
    )


def transcript(*segments: Segment) -> Transcript:
    return Transcript(
        segments=segments,
        language="en",
        duration=3723.5,
        source="s3://media/talk.mp3",
        model="demo.pt",
        model_sha256="0" * 64,
        task="transcribe",
    )


TALK = transcript(segment(1.0, 2.5, " Good day."), segment(3700.25, 3701.0, " Grüße --> Ende"))


def test_json_has_openai_whisper_s_schema() -> None:
    content = json.loads(render(TALK, OutputFormat.JSON))
    assert content["text"] == " Good day. Grüße --> Ende"
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


def test_vtt_is_webvtt_and_text_cannot_forge_a_cue() -> None:
    assert render(TALK, OutputFormat.VTT).decode() == (
        "WEBVTT\n\n"
        "00:01.000 --> 00:02.500\nGood day.\n\n"
        "01:01:40.250 --> 01:01:41.000\nGrüße -> Ende\n\n"
    )


def test_txt_has_a_line_for_each_segment() -> None:
    assert render(TALK, OutputFormat.TXT).decode() == "Good day.\nGrüße --> Ende\n"


@pytest.mark.parametrize("output_format", OutputFormat)
def test_a_recording_without_speech_has_outputs_too(output_format: OutputFormat) -> None:
    content = render(transcript(), output_format)
    assert content == {
        OutputFormat.VTT: b"WEBVTT\n\n",
        OutputFormat.TXT: b"",
    }.get(output_format, content)


@pytest.mark.parametrize("output_format", OutputFormat)
def test_the_same_transcript_gives_the_same_bytes(output_format: OutputFormat) -> None:
    assert render(TALK, output_format) == render(TALK, output_format)
