"""The operator's log: JSON, one object a line, or text for people.

Names and messages come from users and servers; neither form lets them forge a line.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, TextIO

Format = Literal["json", "text"]
Level = Literal["debug", "info", "warning", "error"]

_OURS = ("transcription_operator", "transcription_kube")
_job: ContextVar[str | None] = ContextVar("job", default=None)


@contextmanager
def about(job: str) -> Iterator[None]:
    """Have every line that is logged within, in this task, name the job (namespace/name)."""
    token = _job.set(job)
    try:
        yield
    finally:
        _job.reset(token)


def configure(form: Format, level: Level = "info", stream: TextIO = sys.stderr) -> None:
    """Write the log of the whole process to a stream.

    ``level`` debug is for our own packages: the libraries log each response and each timer there.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(number, logging.INFO), handlers=[handler], force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(number)
    # At INFO it logs each probe.
    logging.getLogger("aiohttp.access").setLevel(max(number, logging.WARNING))


class JsonFormatter(logging.Formatter):
    """``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``, ``job``, ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if job := _job.get():
            line["job"] = job
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class TextFormatter(logging.Formatter):
    """A line for people; a traceback keeps its lines."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        """The line without the traceback."""
        text = super().formatMessage(record)
        if job := _job.get():
            text += f" [{job}]"
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
