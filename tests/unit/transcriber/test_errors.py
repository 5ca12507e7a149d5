from collections.abc import Iterator

import pytest

from transcription_contract.exit_codes import ENDINGS, ExitCode
from whisper_transcriber import errors
from whisper_transcriber.errors import TranscriberError


def tree(root: type[TranscriberError]) -> Iterator[type[TranscriberError]]:
    for child in root.__subclasses__():
        yield child
        yield from tree(child)


@pytest.mark.parametrize("error", list(tree(TranscriberError)), ids=lambda error: error.__name__)
def test_every_error_owns_a_code_of_the_table_and_a_reason(error: type[TranscriberError]) -> None:
    assert error.exit_code in ENDINGS
    assert error.exit_code is not ExitCode.INTERNAL_ERROR
    assert error("why").reason == error.__name__
    assert error.__name__ in (errors.__doc__ or "")


def test_every_code_but_done_and_bug_has_an_error() -> None:
    owned = {error.exit_code for error in tree(TranscriberError)}
    assert owned == set(ExitCode) - {ExitCode.DONE, ExitCode.INTERNAL_ERROR}
