import signal
import subprocess
import sys
import threading
import time

import pytest

from whisper_transcriber.errors import Interrupted
from whisper_transcriber.interruption import Interruption


def test_a_child_stops_alone_and_with_the_whole() -> None:
    whole = Interruption()
    part, other = whole.child(), whole.child()
    part.request()
    assert (whole.requested, part.requested, other.requested) == (False, True, False)
    whole.request()
    assert other.requested
    assert whole.child().requested


def test_a_sleep_ends_with_the_request() -> None:
    interruption = Interruption()
    threading.Timer(0.05, interruption.request).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        interruption.wait(60.0)
    assert time.monotonic() - began < 5


def test_a_call_that_hangs_is_abandoned() -> None:
    interruption, never = Interruption(), threading.Event()
    threading.Timer(0.05, interruption.request).start()
    with pytest.raises(Interrupted):
        interruption.during(never.wait)


def test_a_call_s_answer_and_its_error_come_through() -> None:
    interruption = Interruption()
    assert interruption.during(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        interruption.during(lambda: 1 / 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_main_thread_waits_does_not_lock_it_up(number: int) -> None:
    # The main thread polls as fast as it can, so that signals hit each of its instructions.
    program = """
from whisper_transcriber.errors import Interrupted
from whisper_transcriber.interruption import Interruption
interruption = Interruption.by_signals()
print("ready", flush=True)
try:
    while True:
        interruption.wait(0.00001)
except Interrupted:
    print("stopped")
"""
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.communicate(timeout=10)[0] == "stopped\n"
