import csv
import html
import io
import json
import re
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transcription_contract.options import OutputFormat, Subtitles
from whisper_transcriber.decoding.outputs import PLAIN, Transcript, render
from whisper_transcriber.decoding.transcript import Segment, Word, join


def segment(start: float, end: float, said: str, words: tuple[Word, ...] = ()) -> Segment:
    return Segment(
        seek=100,
        start=start,
        end=end,
        text=said,
        tokens=(50364, 1, 50464),
        temperature=0.0,
        avg_logprob=-0.1234,
        compression_ratio=1.5,
        no_speech_prob=0.01,
        words=words,
    )


def spoken(start: float, said: str, pace: float = 0.5) -> Segment:
    """A segment whose words take ``pace`` seconds each."""
    words = tuple(
        Word(start=start + i * pace, end=start + (i + 1) * pace, text=word, probability=0.75)
        for i, word in enumerate(re.findall(r"\s*\S+", said))
    )
    return segment(start, start + pace * len(words), said, words)


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


def test_json_has_openai_whispers_words() -> None:
    timed = transcript(spoken(1.0, " Good day."), segment(3.0, 4.0, " Untimed."))
    first, second = json.loads(render(timed, OutputFormat.JSON))["segments"]
    assert first["words"] == [
        {"word": " Good", "start": 1.0, "end": 1.5, "probability": 0.75},
        {"word": " day.", "start": 1.5, "end": 2.0, "probability": 0.75},
    ]
    assert second["words"] == []


TWO_LINES = Subtitles(max_line_width=10, max_line_count=2)
HIGHLIGHT = Subtitles(highlight_words=True)
LAYOUTS: list[tuple[str, Subtitles, Segment, list[str]]] = [
    ("as long as it is", PLAIN, spoken(0, " one two three four five"), ["one two three four five"]),
    (
        "lines of ten",
        Subtitles(max_line_width=10),
        spoken(0, " one two three four five"),
        ["one two\nthree four\nfive"],
    ),
    ("two lines of ten", TWO_LINES, spoken(0, " one two three four five"),
     ["one two\nthree four", "five"]),
    ("a word longer than a line", TWO_LINES, spoken(0, " a Rindfleischetikettierung"),
     ["a\nRindfleisc", "hetikettie\nrung"]),
    ("without times", TWO_LINES, segment(0, 2, " one two three four five"),
     ["one two\nthree four", "five"]),
    ("escapes do not count as width", TWO_LINES, spoken(0, " <<<<< >>>>"), ["<<<<< >>>>"]),
    ("the word that is spoken", HIGHLIGHT, spoken(0, " a <i>"), ["<u>a</u> <i>", "a <u><i></u>"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "said", "expected"),
    [each[1:] for each in LAYOUTS],
    ids=[each[0] for each in LAYOUTS],
)
def test_subtitles_are_laid_out(layout: Subtitles, said: Segment, expected: list[str]) -> None:
    cues = parse_srt(render(transcript(said), OutputFormat.SRT, layout))
    assert [cue.text for cue in cues] == expected


def test_a_cut_words_time_is_shared_by_its_pieces() -> None:
    said = segment(0, 4, " " + "o" * 39, (word(0.0, 4.0, " " + "o" * 39),))
    layout = Subtitles(max_line_width=19, max_line_count=1)
    cues = parse_srt(render(transcript(said), OutputFormat.SRT, layout))
    assert [(cue.start, cue.end) for cue in cues] == [(0, 2000), (2000, 3900), (3900, 4000)]


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


class Cue(NamedTuple):
    """Times in milliseconds; text without escapes."""

    start: int
    end: int
    text: str


TIMING = re.compile(r"(?:(\d+):)?(\d\d):(\d\d)[.,](\d{3}) --> (?:(\d+):)?(\d\d):(\d\d)[.,](\d{3})")


def cue(timing: str, lines: list[str]) -> Cue:
    found = TIMING.fullmatch(timing)
    assert found, timing
    numbers = [int(group or 0) for group in found.groups()]
    start, end = (
        ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
        for hours, minutes, seconds, milliseconds in (numbers[:4], numbers[4:])
    )
    assert lines
    assert "-->" not in "\n".join(lines)
    return Cue(start, end, "\n".join(lines))


def blocks(content: str) -> list[list[str]]:
    """Separated by empty lines; ended by what WebVTT and SRT readers end lines at."""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x85\u2028\u2029]", content)
    return [block.split("\n") for block in content.split("\n\n") if block]


def parse_srt(content: bytes) -> list[Cue]:
    found = blocks(content.decode())
    assert [lines[0] for lines in found] == [str(i) for i in range(1, len(found) + 1)]
    return [cue(lines[1], lines[2:]) for lines in found]


def parse_vtt(content: bytes) -> list[Cue]:
    header, *found = blocks(content.decode())
    assert header == ["WEBVTT"]
    cues = [cue(lines[0], lines[1:]) for lines in found]
    tags = re.compile(r"</?u>")
    assert not any("<" in tags.sub("", each.text) for each in cues)
    return [each._replace(text=html.unescape(each.text)) for each in cues]


def parse_tsv(content: bytes) -> list[Cue]:
    text = content.decode()
    header, *rows = [line.split("\t") for line in text.split("\n")[:-1]]
    assert header == ["start", "end", "text"]
    assert [[*row] for row in csv.reader(io.StringIO(text), delimiter="\t")] == [header, *rows]
    return [Cue(int(start), int(end), said) for start, end, said in rows]


def parse_txt(content: bytes) -> list[Cue]:
    return [Cue(0, 0, line) for line in content.decode().split("\n")[:-1]]


PARSERS = {
    OutputFormat.SRT: parse_srt,
    OutputFormat.VTT: parse_vtt,
    OutputFormat.TSV: parse_tsv,
    OutputFormat.TXT: parse_txt,
}

FORGERIES = [
    "-->", "\n\n7\n00:00:01,000 --> 00:00:02,000\n", "\n", "\r", "\t", "\x00", "\x85", "\u2028",
    '"', "--", ">", "<v Eve>", "&amp;", "\ue000", "\ud800", "NOTE", " ", "word", "x" * 60,
]  # fmt: skip
hostile = st.lists(
    st.sampled_from(FORGERIES) | st.text(st.characters(codec=None), max_size=5), max_size=8
).map("".join)
DURATION = 90.0


def word(start: float, end: float, said: str) -> Word:
    return Word(start=start, end=end, text=said, probability=0.5)


@st.composite
def recordings(draw: st.DrawFn) -> list[Segment]:
    """As join() leaves them: some with words, some without."""
    times = st.floats(0, 100)
    words = st.lists(st.builds(word, times, times, hostile), max_size=5)
    found = []
    for spoken_words in draw(st.lists(words, max_size=5)):
        said = "".join(each.text for each in spoken_words) or draw(hostile)
        kept = tuple(spoken_words) if draw(st.booleans()) else ()
        found.append(segment(draw(times), draw(times), said, kept))
    return join(found, DURATION)


def printed(said: str, *, srt: bool) -> str:
    """What must be left of a text when line breaks and blanks do not count."""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000-\ue002]", "\ufffd",
                  re.sub(r"[\t-\r\x1c-\x1f\x85]", " ", said))  # fmt: skip
    text = re.sub(r"-{2,}>", "->", re.sub(r"\s+", " ", text)) if srt else text
    return re.sub(r"\s", "", text)


@given(said=recordings())
@example(said=[segment(0.0, 1.0, "--\n-->")])
@pytest.mark.parametrize("output_format", PARSERS)
def test_any_text_parses_back_as_the_same_cues(
    output_format: OutputFormat, said: list[Segment]
) -> None:
    cues = PARSERS[output_format](render(transcript(*said), output_format))
    assert len(cues) == len(said)
    for each, segment in zip(cues, said, strict=True):
        if output_format is not OutputFormat.TXT:
            assert (each.start, each.end) == (
                round(segment.start * 1000),
                round(segment.end * 1000),
            )
        expected = printed(segment.text, srt=output_format is OutputFormat.SRT)
        assert re.sub(r"\s", "", each.text) == expected


layouts = st.builds(
    Subtitles,
    max_line_width=st.none() | st.integers(10, 50),
    max_line_count=st.none() | st.integers(1, 3),
    highlight_words=st.booleans(),
)


@given(said=recordings(), layout=layouts)
@pytest.mark.parametrize("output_format", [OutputFormat.SRT, OutputFormat.VTT])
def test_any_text_stays_within_its_lines_and_its_time(
    output_format: OutputFormat, said: list[Segment], layout: Subtitles
) -> None:
    cues = PARSERS[output_format](render(transcript(*said), output_format, layout))
    assert bool(cues) == bool(said)
    moments = [moment for each in cues for moment in (each.start, each.end)]
    assert moments == sorted(moments)
    if cues:
        assert moments[0] >= round(said[0].start * 1000)
        assert moments[-1] <= round(said[-1].end * 1000)
    if layout.max_line_width and not layout.highlight_words:
        lines = [line for each in cues for line in each.text.split("\n")]
        assert max(map(len, lines), default=0) <= layout.max_line_width
    if layout.max_line_width and layout.max_line_count:
        assert all(each.text.count("\n") < layout.max_line_count for each in cues)


@given(said=recordings())
def test_any_text_is_whole_in_the_json(said: list[Segment]) -> None:
    content = json.loads(render(transcript(*said), OutputFormat.JSON))
    assert [each["text"] for each in content["segments"]] == [
        re.sub("[\ud800-\udfff]", "?", each.text) for each in said
    ]
