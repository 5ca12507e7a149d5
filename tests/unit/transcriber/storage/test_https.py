from pathlib import Path

import pytest

from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.storage.https import HttpsClient, shown


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://host/a.mp3?X-Amz-Signature=1", "https://host/a.mp3"),
        ("https://host/a.mp3#token=1", "https://host/a.mp3"),
        ("https://me:secret@host/a.mp3", "https://host/a.mp3"),
        ("https://me@evil@host/a", "https://host/a"),
        ("https://host/~a@b.mp3", "https://host/~a@b.mp3"),
        ("https://host/a?x=\nsecret", "https://host/a"),
    ],
)
def test_what_may_be_a_secret_is_never_shown(address: str, told: str) -> None:
    assert shown(address) == told


def test_an_endless_address_is_shown_in_part() -> None:
    assert len(shown("https://host/" + "a" * 9000)) == 300


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\x00"])
def test_certificates_that_are_none_are_a_configuration_error(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "ca.crt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationInvalid, match="not a file of PEM certificates") as refused:
        HttpsClient((), path)
    assert str(tmp_path) not in str(refused.value)
