from collections.abc import Callable

import pytest

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.web import WebSource

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
