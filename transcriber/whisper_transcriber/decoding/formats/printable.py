"""Text as one line that a file format can hold: it ends no line, no cue and no field."""

import re

_BREAKS = re.compile(r"\s{2,}|[\t-\r\x1c-\x1f\x85\u2028\u2029]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and lone surrogates, which have no UTF-8."""


def one_line(said: str) -> str:
    """The text without line breaks; what cannot be printed becomes U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", _BREAKS.sub(" ", said))
