import logging
import socket
import threading
from collections.abc import Iterator

import pytest
import urllib3

from whisper_transcriber.logs import OneLineFormatter, to_stderr


def test_a_name_cannot_forge_a_line_of_the_log_but_a_traceback_has_its_lines() -> None:
    formatter = OneLineFormatter("%(levelname)s %(message)s")
    record = logging.LogRecord("x", logging.INFO, "", 0, "reading %s", ("a\nERROR b\x1b[1m",), None)
    assert formatter.format(record) == "INFO reading a\\nERROR b\\x1b[1m"
    record.exc_text = "Traceback\n  here"
    assert formatter.format(record).endswith("\nTraceback\n  here")


@pytest.fixture
def restored_level() -> Iterator[None]:
    """What is set for urllib3's log is set for the test alone."""
    logger = logging.getLogger("urllib3")
    before = logger.level
    yield
    logger.setLevel(before)


@pytest.mark.usefixtures("restored_level")
def test_a_signed_link_is_not_logged_when_its_server_sends_malformed_headers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nno header\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        to_stderr()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/talk.mp3?X-Amz-Signature=SECRET"
        assert urllib3.PoolManager().request("GET", url).status == 200
    assert "SECRET" not in caplog.text
