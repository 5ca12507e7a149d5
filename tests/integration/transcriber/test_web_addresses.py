import socket
from pathlib import Path
from typing import Any

import pytest

from tests.integration.transcriber.web_server import File, Web, serve
from tests.integration.transcriber.web_sources import CONTENT, LOOPBACK, fetch, source, uri
from whisper_transcriber.errors import (
    ConfigurationInvalid,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.web import WebSource


def test_an_unknown_authority_is_not_trusted(web: Web) -> None:
    web.answers["/talk.mp3"] = File(CONTENT)
    one = WebSource(Interruption(), retry_seconds=60, allowed_networks=LOOPBACK)
    with pytest.raises(ConfigurationInvalid, match=r"is not trusted: .*self-signed"):
        one.stat(uri(web))


def test_a_certificate_for_another_name_is_not_trusted(tmp_path: Path) -> None:
    with (
        serve(tmp_path, "DNS:other.example") as other,
        pytest.raises(ConfigurationInvalid, match=r"is not trusted: .*not valid for"),
    ):
        source(other, retry_seconds=60).stat(uri(other))


def test_the_name_that_was_asked_for_is_the_one_that_is_certified(tmp_path: Path) -> None:
    """By name, though the connection goes to the address that was judged."""
    with serve(tmp_path, "DNS:localhost") as named:
        named.answers["/talk.mp3"] = File(CONTENT)
        source(named).stat(uri(named, host="localhost"))
        assert named.requests[0][1]["Host"] == f"localhost:{named.port}"
        with pytest.raises(ConfigurationInvalid, match="is not trusted"):
            source(named).stat(uri(named))


def resolving_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """DNS says these, one after the other; addresses are themselves."""
    ask, left = socket.getaddrinfo, list(answers)

    def answer(host: str, port: int, *args: Any, **named: Any) -> Any:
        if host != "localhost":
            return ask(host, port, *args, **named)
        return [entry for each in left.pop(0) for entry in ask(each, port, *args, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_name_that_changes_its_mind_gains_nothing(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: one answer for the check, another one for the connection."""
    web.answers["/talk.mp3"] = File(CONTENT)
    resolving_to(monkeypatch, ["127.0.0.1"])  # a second question would raise IndexError
    assert source(web).stat(uri(web, host="localhost")).size == len(CONTENT)


def test_one_forbidden_address_among_several_is_enough(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving_to(monkeypatch, ["127.0.0.1", "10.0.0.1"])
    with pytest.raises(ConfigurationInvalid, match=r"leads to 10.0.0.1"):
        source(web).stat(uri(web, host="localhost"))


def test_the_next_address_is_tried_when_one_does_not_answer(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.answers["/talk.mp3"] = File(CONTENT)
    resolving_to(monkeypatch, ["127.9.9.9", "127.0.0.1"])
    assert source(web, retry_seconds=0.1).stat(uri(web, host="localhost")).size == len(CONTENT)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "127.1"])
def test_the_pod_itself_is_refused_whatever_it_is_called(host: str, web: Web) -> None:
    web.answers["/talk.mp3"] = File(CONTENT)
    with pytest.raises(ConfigurationInvalid, match="not an address of the public internet"):
        source(web, allowed_networks=()).stat(uri(web, host=host))
    assert not web.requests


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("http://127.0.0.1/talk.mp3", "only https URLs"),
        ("https://169.254.169.254/latest/meta-data/", r"leads to 169\.254\.169\.254, which"),
        ("https://[fd00:ec2::254]/", "leads to fd00:ec2::254"),
        ("https://10.96.0.1/api", r"leads to 10\.96\.0\.1"),
        ("//10.96.0.1/api", r"leads to 10\.96\.0\.1"),
        ("file:///etc/passwd", "only https URLs"),
        ("s3://bucket/key", "only https URLs"),
        ("https://me:secret@127.0.0.1/", "without a user's name"),
        ("https://127.0.0.1:99999/", "does not lead to a URL"),
        ("https://[127.0.0.1", "does not lead to a URL"),
        ("https://", "redirected more than 5 times"),
        ("/talk.mp3", "redirected more than 5 times"),
        ("", "redirected more than 5 times"),
    ],
)
def test_a_redirect_is_judged_like_the_first_url(target: str, words: str, web: Web) -> None:
    web.redirect("/talk.mp3", target)
    with pytest.raises(ConfigurationInvalid, match=words) as refused:
        source(web, retry_seconds=60).stat(uri(web))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int, web: Web, tmp_path: Path) -> None:
    web.redirect("/talk.mp3", "/moved?token=1", status)
    web.redirect("/moved", web.url("/again", host="localhost"), status)
    web.answers["/again"] = File(CONTENT)
    assert fetch(web, tmp_path)[1] == CONTENT
