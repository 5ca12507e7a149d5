import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dev.commands import wait_until
from tests.integration.transcriber.quirky_stores import at, connected
from tests.integration.transcriber.stub_s3 import serving


def test_a_secret_that_is_renewed_reaches_a_running_worker(tmp_path: Path) -> None:
    def write(version: str, token: str) -> None:
        folder = tmp_path / version
        folder.mkdir()
        for name, value in (("accessKey", "key"), ("secretKey", "s"), ("sessionToken", token)):
            (folder / name).write_text(value + "\n")
        (tmp_path / "..new").symlink_to(version)
        (tmp_path / "..new").rename(tmp_path / "..data")  # as the kubelet does

    write("..1", "old")
    with serving("expired", a=b"x") as stub:
        stub.token = "old"
        store = connected(stub, retry_seconds=30, keys_directory=tmp_path)
        assert store.find(at("a")) == b"x"
        stub.token = "new"

        def renew_at_refusal() -> None:
            wait_until("the store refuses", lambda: len(stub.requests) > 1, timeout=10)
            write("..2", "new")

        threading.Thread(target=renew_at_refusal).start()
        assert store.find(at("a")) == b"x"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("quirk", "use"), [("mute", "find"), ("mute", "list"), ("skew", "find"), ("skew", "list")]
)
def test_a_signal_ends_it_within_seconds(number: int, quirk: str, use: str) -> None:
    program = f"""
import os, sys
from tests.integration.transcriber.quirky_stores import at, connected
from tests.integration.transcriber.stub_s3 import Stub
from whisper_transcriber.errors import TranscriberError
from whisper_transcriber.interruption import Interruption
stub = Stub(set(), url=sys.argv[1])
store = connected(stub, retry_seconds=600)
store._interruption = Interruption.by_signals()
try:
    store.{use}(at("a"))
except TranscriberError as error:
    os._exit(error.exit_code)
"""
    with serving(quirk) as stub:
        process = subprocess.Popen(
            [sys.executable, "-c", program, stub.url],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stderr=subprocess.DEVNULL,
        )
        enough = {"mute": 1, "skew": 3}[quirk]
        wait_until("it asks", lambda: len(stub.requests) >= enough, timeout=60)
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=20) == 143
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("quirk", ["mute", "skew"])
def test_a_signal_ends_the_command_line_within_seconds(
    number: int, quirk: str, tmp_path: Path
) -> None:
    with serving(quirk) as stub:
        process = subprocess.Popen(
            [sys.executable, "-m", "whisper_transcriber", "transcribe", "s3://media/",
             "--model", "tiny", "-o", str(tmp_path / "out")],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "AWS_ENDPOINT_URL": stub.url,
                "AWS_ACCESS_KEY_ID": "key",
                "AWS_SECRET_ACCESS_KEY": "secret",
            },
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until("it asks", lambda: bool(stub.requests), timeout=60)
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=20) == 75
        assert time.monotonic() - began < 5
