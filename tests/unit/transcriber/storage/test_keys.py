import os
import socket
import traceback
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from minio.credentials.credentials import Credentials
from urllib3.exceptions import ProtocolError

from whisper_transcriber.errors import AccessDenied
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.keys import PodIdentity, provider


def keys_of(folder: Path | None) -> Credentials:
    return provider(settings(folder)).retrieve()


def settings(folder: Path | None) -> StoreSettings:
    return StoreSettings(
        endpoint="http://store",
        access_key="first",
        secret_key="secret",
        session_token="token",
        region=None,
        certificates=None,
        retry_seconds=0.0,
        keys_from="the Secret 'object-store'",
        keys_directory=folder,
    )


def write(folder: Path, moment: int, **files: str) -> None:
    """What a Secret has at some second."""
    for path in folder.iterdir():
        path.unlink()
    for name, value in files.items():
        (folder / name).write_text(value)
        os.utime(folder / name, (moment, moment))
    os.utime(folder, (moment, moment))


def test_without_files_the_settings_keys_count() -> None:
    assert keys_of(None) == Credentials("first", "secret", "token")


def test_the_files_win_over_the_environment_and_lose_their_newlines(tmp_path: Path) -> None:
    write(tmp_path, 1, accessKey="a\n", secretKey="b\n")
    assert keys_of(tmp_path) == Credentials("a", "b", None)


def test_keys_that_change_are_read_again(tmp_path: Path) -> None:
    write(tmp_path, 1, accessKey="a", secretKey="b", sessionToken="c")
    found = provider(settings(tmp_path))
    assert found.retrieve() == Credentials("a", "b", "c")
    write(tmp_path, 2, accessKey="d", secretKey="e", sessionToken="f")
    assert found.retrieve() == Credentials("d", "e", "f")


@pytest.mark.parametrize(
    "files", [{}, {"accessKey": "d"}, {"accessKey": "d", "secretKey": " \n"}],
    ids=["a Secret that was deleted", "half a Secret", "an empty key"],
)  # fmt: skip
def test_keys_that_were_good_stay_until_there_are_others(
    files: dict[str, str], tmp_path: Path
) -> None:
    write(tmp_path, 1, accessKey="a", secretKey="b")
    found = provider(settings(tmp_path))
    found.retrieve()
    write(tmp_path, 2, **files)
    assert found.retrieve() == Credentials("a", "b", None)


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PodIdentity:
    """The identity of a pod with IRSA, whose proxy does not answer."""
    (tmp_path / "token").write_text("eyJTOKEN")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/transcriber")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    return PodIdentity(replace(settings(None), access_key="", secret_key=""))


def test_a_pod_s_token_is_not_told_when_aws_cannot_be_reached(
    pod: PodIdentity, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ProtocolError, match="AWS gives this machine no keys") as refused:
        pod.retrieve()
    shown = "".join(traceback.format_exception(refused.value)) + caplog.text
    assert "eyJTOKEN" not in shown


def test_a_pod_s_token_is_not_told_when_aws_refuses_it(
    pod: PodIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = SimpleNamespace(status=403)
    monkeypatch.setattr(
        pod._provider, "_http_client", SimpleNamespace(urlopen=lambda *_, **__: answer)
    )
    with pytest.raises(
        AccessDenied, match=r"amazonaws\.com/? failed with HTTP status code 403"
    ) as no:
        pod.retrieve()
    assert "eyJTOKEN" not in "".join(traceback.format_exception(no.value))
