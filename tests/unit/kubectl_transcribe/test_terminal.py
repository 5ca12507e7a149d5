import io
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from kubectl_transcribe.terminal import line, plain, write

HOSTILE = st.text(
    st.one_of(st.characters(categories=["Cc"]), st.sampled_from("\u202e\u2066"), st.characters())
)


@given(HOSTILE)
def test_what_is_shown_holds_nothing_that_a_terminal_obeys(text):
    left = {c for c in plain(text) if unicodedata.category(c) == "Cc"}
    assert left <= {"\n", "\t"}
    assert not {"\u202e", "\u2066"} & set(plain(text))


@given(HOSTILE)
def test_a_line_is_one_line(text):
    assert len(line(text).splitlines()) <= 1


def test_ordinary_text_stays_as_it_is():
    assert plain("Sitzung 会議 🎙\tZeile\n") == "Sitzung 会議 🎙\tZeile\n"


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_every_byte_and_a_terminal_only_text():
    pipe, terminal = io.TextIOWrapper(io.BytesIO()), Terminal(io.BytesIO(), encoding="utf-8")
    for stream in (pipe, terminal):
        write(b"a\x1b[31mb\xff", stream)
    assert pipe.buffer.getvalue() == b"a\x1b[31mb\xff"
    assert terminal.buffer.getvalue().decode() == "a\ufffd[31mb\ufffd"
