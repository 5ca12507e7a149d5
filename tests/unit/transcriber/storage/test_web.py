from collections.abc import Callable

import pytest
from urllib3.exceptions import ProtocolError

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.web import LEAST_BYTES, Pace, WebSource

URI = ObjectUri.parse("https://host/talk.mp3?signature=secret")


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda source: source.find(URI), id="find"),
        pytest.param(lambda source: source.put(URI, b""), id="put"),
        pytest.param(lambda source: source.list(URI), id="list"),
        pytest.param(lambda source: source.remove(URI), id="remove"),
    ],
)
def test_a_web_source_can_only_be_read(use: Callable[[WebSource], object]) -> None:
    with pytest.raises(ConfigurationInvalid, match="can only be read") as refused:
        use(WebSource(Interruption(), retry_seconds=0))
    assert "secret" not in str(refused.value)


def test_a_trickle_is_given_up_after_a_minute() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    for _ in range(12):
        pace.count(1)
        now += 5.0
    with pytest.raises(ProtocolError, match="only 13 bytes came in 60 seconds"):
        pace.count(1)


def test_each_minute_counts_by_itself() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    pace.count(100 * LEAST_BYTES)
    now = 61.0
    pace.count(1)
    now = 122.0
    with pytest.raises(ProtocolError):
        pace.count(LEAST_BYTES - 1)
