import logging

from whisper_transcriber.logs import OneLineFormatter


def test_a_name_cannot_forge_a_line_of_the_log_but_a_traceback_has_its_lines() -> None:
    formatter = OneLineFormatter("%(levelname)s %(message)s")
    record = logging.LogRecord("x", logging.INFO, "", 0, "reading %s", ("a\nERROR b\x1b[1m",), None)
    assert formatter.format(record) == "INFO reading a\\nERROR b\\x1b[1m"
    record.exc_text = "Traceback\n  here"
    assert formatter.format(record).endswith("\nTraceback\n  here")
