import threading

from whisper_transcriber.interruption import Interruption
from whisper_transcriber.stopping import stop_for_good


def test_a_process_that_does_not_stop_by_itself_is_ended_after_a_request_and_not_before() -> None:
    interruption, ended = Interruption(), threading.Event()
    stop_for_good(interruption, ended.set, seconds=0.0)
    assert not ended.wait(0.3)
    interruption.request()
    assert ended.wait(10)
