import re
from itertools import groupby, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.transcriber.decoding.parsers import PARSERS, Cue, parse_srt
from tests.unit.transcriber.decoding.said import segment, spoken, transcript, word
from transcription_contract.options import OutputFormat, Subtitles
from whisper_transcriber.decoding.formats.lines import columns
from whisper_transcriber.decoding.outputs import PLAIN, render
from whisper_transcriber.decoding.transcript import Segment, join

TWO_LINES = Subtitles(max_line_width=10, max_line_count=2)
HIGHLIGHT = Subtitles(highlight_words=True)
IN_CUES = [OutputFormat.SRT, OutputFormat.VTT]

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
    said = segment(0, 4, " " + "o" * 40, (word(0.0, 4.0, " " + "o" * 40),))
    layout = Subtitles(max_line_width=19, max_line_count=1)
    cues = parse_srt(render(transcript(said), OutputFormat.SRT, layout))
    assert [(cue.start, cue.end) for cue in cues] == [(0, 1900), (1900, 3800), (3800, 4000)]


JAPANESE = "今日は会議の議題について話し合い、来週の月曜日までに資料を送ってください。"


@pytest.mark.parametrize("output_format", IN_CUES)
def test_japanese_has_lines_of_the_width_that_people_see(output_format: OutputFormat) -> None:
    layout = Subtitles(max_line_width=16, max_line_count=2)
    said = transcript(segment(0.0, 8.0, JAPANESE), duration=8.0)
    cues = PARSERS[output_format](render(said, output_format, layout))
    assert "".join(cue.text for cue in cues).replace("\n", "") == JAPANESE
    lines = [line for cue in cues for line in cue.text.split("\n")]
    assert max(map(columns, lines)) <= 16
    assert not any(line[0] in "。、，！？」" for line in lines)
    starts = [cue.start for cue in cues]
    assert starts == sorted(set(starts))
    assert all(cue.text.count("\n") < 2 for cue in cues)


CROWDED = [(0, 2), (2, 2), (2, 5), (4.5, 6), (6, 5.9)]


def crowded() -> list[Segment]:
    """Segments that overlap, or have no length, and whose words are all spoken at once."""
    return [
        segment(start, end, f" {name} two three",
                tuple(word(start, start, f" {each}") for each in (name, "two", "three")))
        for (start, end), name in zip(CROWDED, "abcde", strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize("output_format", IN_CUES)
@pytest.mark.parametrize(
    "layout",
    [PLAIN, HIGHLIGHT, TWO_LINES, Subtitles(highlight_words=True, max_line_width=10)],
    ids=["plain", "highlighted", "two lines", "highlighted lines"],
)
@pytest.mark.parametrize("joined", [True, False], ids=["joined", "as they are"])
def test_every_cue_can_be_seen_and_none_overlaps(
    output_format: OutputFormat, layout: Subtitles, joined: bool
) -> None:
    said = join(crowded(), 6.0) if joined else crowded()
    talk = transcript(*said, duration=6.0)
    cues = PARSERS[output_format](render(talk, output_format, layout))
    assert all(cue.end - cue.start >= 20 for cue in cues)
    assert all(before.end <= after.start for before, after in pairwise(cues))
    assert cues[-1].end <= 6000
    shown = [re.sub("</?u>", "", cue.text) for cue in cues]
    words = " ".join(text for text, _ in groupby(shown))
    assert words.split() == render(talk, OutputFormat.TXT).decode().split()


def test_words_without_times_are_highlighted_one_after_the_other() -> None:
    said = segment(0.0, 3.0, " aa bb cc", tuple(word(0, 0, each) for each in (" aa", " bb", " cc")))
    cues = parse_srt(render(transcript(said), OutputFormat.SRT, HIGHLIGHT))
    assert [cue.text for cue in cues] == ["<u>aa</u> bb cc", "aa <u>bb</u> cc", "aa bb <u>cc</u>"]


RIGHT_TO_LEFT = ["שלום, זה מבחן 123.", "مرحبا، هذا اختبار."]


@pytest.mark.parametrize("said", RIGHT_TO_LEFT, ids=["Hebrew", "Arabic"])
@pytest.mark.parametrize("output_format", PARSERS)
def test_right_to_left_text_stays_in_logical_order(output_format: OutputFormat, said: str) -> None:
    layout = Subtitles(max_line_width=12, max_line_count=2)
    cues = PARSERS[output_format](
        render(transcript(segment(0, 4, f" {said}")), output_format, layout)
    )
    assert " ".join(cue.text for cue in cues).replace("\n", " ") == said
    if output_format in IN_CUES:
        assert max(len(line) for cue in cues for line in cue.text.split("\n")) <= 12


@pytest.mark.parametrize("output_format", IN_CUES)
def test_no_cue_ends_after_the_sound(output_format: OutputFormat) -> None:
    said = join([segment(0.0, 0.4, " One"), segment(0.4, 30.0, " two.")], 0.5)
    cues = PARSERS[output_format](render(transcript(*said, duration=0.5), output_format))
    assert [(cue.start, cue.end) for cue in cues] == [(0, 400), (400, 500)]


FORGERIES = [
    "-->", "\n\n7\n00:00:01,000 --> 00:00:02,000\n", "\n", "\r", "\t", "\x00", "\x85", "\u2028",
    '"', "--", ">", "<v Eve>", "&amp;", "\ue000", "\ud800", "NOTE", " ", "word", "x" * 60,
    "漢" * 30,
]  # fmt: skip
hostile = st.lists(
    st.sampled_from(FORGERIES) | st.text(st.characters(codec=None), max_size=5), max_size=8
).map("".join)
DURATION = 90.0


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
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd",
                  re.sub(r"[\t-\r\x1c-\x1f\x85]", " ", said))  # fmt: skip
    text = re.sub(r"-{2,}>", "->", re.sub(r"\s+", " ", text)) if srt else text
    return re.sub(r"\s", "", text)


@given(said=recordings())
@example(said=[segment(0.0, 1.0, "--\n-->")])
@pytest.mark.parametrize("output_format", PARSERS)
def test_any_text_parses_back_as_the_same_cues(
    output_format: OutputFormat, said: list[Segment]
) -> None:
    cues: list[Cue] = PARSERS[output_format](
        render(transcript(*said, duration=DURATION), output_format)
    )
    assert len(cues) == len(said)
    for each, own in zip(cues, said, strict=True):
        if output_format is not OutputFormat.TXT:
            assert (each.start, each.end) == (
                round(own.start * 1000),
                round(own.end * 1000),
            )
        expected = printed(own.text, srt=output_format is OutputFormat.SRT)
        assert re.sub(r"\s", "", each.text) == expected


layouts = st.builds(
    Subtitles,
    max_line_width=st.none() | st.integers(10, 50),
    max_line_count=st.none() | st.integers(1, 3),
    highlight_words=st.booleans(),
)


@given(said=recordings(), layout=layouts)
@pytest.mark.parametrize("output_format", IN_CUES)
def test_any_text_stays_within_its_lines_and_its_time(
    output_format: OutputFormat, said: list[Segment], layout: Subtitles
) -> None:
    cues: list[Cue] = PARSERS[output_format](
        render(transcript(*said, duration=DURATION), output_format, layout)
    )
    assert bool(cues) == bool(said)
    assert all(each.end - each.start >= 20 for each in cues)
    moments = [moment for each in cues for moment in (each.start, each.end)]
    assert moments == sorted(moments)
    assert not moments or moments[-1] <= DURATION * 1000
    if layout.max_line_width and not layout.highlight_words:
        lines = [line for each in cues for line in each.text.split("\n")]
        assert max(map(columns, lines), default=0) <= layout.max_line_width
    if layout.max_line_width and layout.max_line_count:
        assert all(each.text.count("\n") < layout.max_line_count for each in cues)


@given(said=recordings(), layout=layouts)
@pytest.mark.parametrize("output_format", IN_CUES)
def test_no_layout_loses_a_character(
    output_format: OutputFormat, said: list[Segment], layout: Subtitles
) -> None:
    plain = layout.model_copy(update={"highlight_words": False})
    cues: list[Cue] = PARSERS[output_format](
        render(transcript(*said, duration=DURATION), output_format, plain)
    )
    shown = re.sub(r"\s", "", "".join(each.text for each in cues))
    expected = "".join(printed(each.text, srt=False) for each in said)
    assert re.sub("-{2,}>", "->", shown) == re.sub("-{2,}>", "->", expected)
