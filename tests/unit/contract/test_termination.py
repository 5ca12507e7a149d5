import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription_contract.termination import (
    MAX_BYTES,
    Failure,
    Result,
    ResultFile,
    Termination,
    decode,
    encode,
)


def result(files: int) -> Termination:
    names = tuple(
        ResultFile(format="txt", uri=f"s3://bucket/{'é' * 100}/{i}.txt", bytes=i)
        for i in range(files)
    )
    return Termination(
        result=Result(language="en", audio_seconds=1, model_sha256="a" * 64, files=names)
    )


@pytest.mark.parametrize("message", [result(0), result(3)], ids=["no files", "some files"])
def test_what_fits_comes_back_whole(message):
    assert decode(encode(message)) == message


def test_too_many_files_are_dropped_whole_from_the_end():
    text = encode(result(100))
    back = decode(text)
    assert len(text.encode()) <= MAX_BYTES
    assert back is not None
    assert back.result is not None
    assert [file.bytes for file in back.result.files] == list(range(len(back.result.files)))
    assert len(back.result.files) > 5


@given(message=st.text(max_size=9000))
def test_any_message_fits_and_keeps_its_beginning(message):
    text = encode(Termination(error=Failure(reason="X", message=message)))
    back = decode(text)
    assert len(text.encode()) <= MAX_BYTES
    assert back is not None
    assert back.error is not None
    assert message.startswith(back.error.message.removesuffix("…"))


@pytest.mark.parametrize("text", [None, "", "Traceback (most recent", '{"a": 1}', "[]"])
def test_words_that_are_not_ours_are_no_message(text):
    assert decode(text) is None
