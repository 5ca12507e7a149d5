"""Recordings whose channels, or tracks, are transcribed separately."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.unit.transcriber.decoding.parsers import Cue, parse_srt, parse_tsv, parse_vtt
from tests.unit.transcriber.decoding.said import segment, spoken, transcript
from transcription_contract.options import OutputFormat, Subtitles
from whisper_transcriber.audio.facts import AudioFacts
from whisper_transcriber.decoding.outputs import render
from whisper_transcriber.decoding.transcript import Transcript, join

CALL = join(
    [
        segment(0.0, 2.0, " Good morning.", channel=1),
        segment(4.0, 6.0, " My <phone> is broken.", channel=2),
        segment(1.5, 3.0, " Hello?", channel=2),
        segment(5.0, 7.0, " Oh no.", channel=1),
        segment(7.0, 8.0, " Go on.", channel=1),
    ],
    10.0,
)


def call() -> Transcript:
    return transcript(*CALL, duration=10.0)


def test_channels_are_merged_by_time_and_may_overlap() -> None:
    assert [(each.channel, each.start, each.end) for each in CALL] == [
        (1, 0.0, 2.0),
        (2, 1.5, 3.0),
        (2, 4.0, 6.0),
        (1, 5.0, 7.0),
        (1, 7.0, 8.0),
    ]


def test_json_has_the_channel_of_each_segment_and_word() -> None:
    timed = spoken(0.0, " Good day.").model_copy(update={"channel": 2})
    (found,) = json.loads(render(transcript(timed), OutputFormat.JSON))["segments"]
    assert found["channel"] == 2
    assert [each["channel"] for each in found["words"]] == [2, 2]


def test_vtt_has_a_voice_for_each_channel() -> None:
    content = render(call(), OutputFormat.VTT)
    assert parse_vtt(content)[:3] == [
        Cue(0, 2000, "Good morning.", "Channel 1"),
        Cue(1500, 3000, "Hello?", "Channel 2"),
        Cue(4000, 6000, "My <phone> is broken.", "Channel 2"),
    ]
    assert b"\n<v Channel 1>Good morning.\n" in content


def test_srt_names_the_channel_in_each_cue() -> None:
    assert [each.text for each in parse_srt(render(call(), OutputFormat.SRT))] == [
        "Channel 1: Good morning.",
        "Channel 2: Hello?",
        "Channel 2: My <phone> is broken.",
        "Channel 1: Oh no.",
        "Channel 1: Go on.",
    ]


def test_txt_names_the_channel_at_each_change() -> None:
    assert render(call(), OutputFormat.TXT).decode().splitlines() == [
        "Channel 1: Good morning.",
        "Channel 2: Hello?",
        "My <phone> is broken.",
        "Channel 1: Oh no.",
        "Go on.",
    ]


def test_tsv_has_a_column_for_the_channel_only_where_there_are_some() -> None:
    assert [each.voice for each in parse_tsv(render(call(), OutputFormat.TSV))] == list("12211")
    mixed = transcript(segment(0, 1, " Hello."))
    assert render(mixed, OutputFormat.TSV) == b"start\tend\ttext\n0\t1000\tHello.\n"


def test_tracks_are_called_tracks() -> None:
    facts = AudioFacts(track=None, tracks=2, channels=1)
    tracks = replace(call(), audio=facts)
    assert render(tracks, OutputFormat.TXT).startswith(b"Track 1: Good morning.\nTrack 2: Hello?\n")
    both = replace(call(), audio=facts.model_copy(update={"separate": True}))
    assert render(both, OutputFormat.TXT).startswith(b"Channel 1: Good morning.\n")


@pytest.mark.parametrize("width", [10, 16, 24, 42])
def test_a_cue_has_the_text_of_one_channel_and_its_label_counts(width: int) -> None:
    said = [
        spoken(0.0, " one two three four five").model_copy(update={"channel": 1}),
        spoken(0.5, " six seven eight nine ten").model_copy(update={"channel": 2}),
    ]
    layout = Subtitles(max_line_width=width, max_line_count=2)
    talk = transcript(*join(said, 10.0), duration=10.0)
    voices = {1: "one two three four five", 2: "six seven eight nine ten"}
    for channel, words in voices.items():
        cues = parse_vtt(render(talk, OutputFormat.VTT, layout))
        own = [each for each in cues if each.voice == f"Channel {channel}"]
        assert " ".join(each.text for each in own).split() == words.split()
        assert all(before.end <= after.start for before, after in pairwise(own))
    lines = [
        line
        for each in parse_srt(render(talk, OutputFormat.SRT, layout))
        for line in each.text.split("\n")
    ]
    if width >= 22:
        assert max(map(len, lines)) <= width
    assert sum(line.startswith("Channel ") for line in lines) >= 2
