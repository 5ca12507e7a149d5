"""The log: one line each, whatever an object is called."""

import logging
import sys


class OneLineFormatter(logging.Formatter):
    """Keeps a message on one line, so that an object's name cannot forge another line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        """The line without the traceback, which keeps its lines."""
        return on_one_line(super().formatMessage(record))


def on_one_line(text: str) -> str:
    """A text without line breaks, terminal escapes and other characters that print nothing."""
    return "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in text
    )


def to_stderr(level: int = logging.INFO) -> None:
    """Write the log of the whole process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    # Its warnings, such as of malformed headers, show the whole URL, signature and all.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
