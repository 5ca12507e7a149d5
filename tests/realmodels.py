"""OpenAI's weights for tests: out of the cache, or downloaded; a test without them is skipped.

tests/conftest.py makes the fixtures known to every test. `base` also understands other languages.
"""

from pathlib import Path

import pytest

from dev import librivox, realmodels
from dev.recording import Sentence


def checkpoint(name: str) -> Path:
    """The checkpoint `<name>.pt` of one of realmodels.MODELS; skips the test without it."""
    try:
        return realmodels.ensure(name)
    except realmodels.UnavailableError as error:
        pytest.skip(str(error))


def ctranslate2(name: str) -> Path:
    """The folder of a model for faster-whisper; skips the test without it."""
    try:
        return realmodels.ctranslate2(name)
    except realmodels.UnavailableError as error:
        pytest.skip(str(error))


def reading(path: Path, rounds: int) -> list[Sentence]:
    """Human speech, half a minute a round, as MP3; skips the test without the clips."""
    try:
        return librivox.compose(path, rounds)
    except librivox.UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def tiny_en_checkpoint() -> Path:
    return checkpoint("tiny.en")


@pytest.fixture(scope="session")
def base_checkpoint() -> Path:
    return checkpoint("base")
