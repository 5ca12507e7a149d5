import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription_contract.termination import (
    MAX_BYTES,
    Failure,
    ItemFailure,
    Result,
    ResultFile,
    Termination,
    decode,
    encode,
)


def result(files: int, failures: int = 0, length: int = 100) -> Termination:
    return Termination(
        result=Result(
            language="en",
            audio_seconds=1,
            model_sha256="a" * 64,
            items=max(1, failures + 1),
            items_failed=failures,
            files=tuple(
                ResultFile(format="txt", uri=f"s3://bucket/{'é' * length}/{i}.txt", bytes=i)
                for i in range(files)
            ),
            failures=tuple(
                ItemFailure(item=f"s3://in/{i}", reason="MediaInvalid", message="é" * length)
                for i in range(failures)
            ),
        )
    )


def back(message: Termination) -> Result:
    text = encode(message)
    assert len(text.encode()) <= MAX_BYTES
    decoded = decode(text)
    assert decoded is not None
    assert decoded.result is not None
    return decoded.result


@pytest.mark.parametrize(
    "message",
    [result(0), result(3), result(0, 10), Termination()],
    ids=["no files", "some files", "some failures", "nothing left to do"],
)
def test_what_fits_comes_back_whole(message):
    assert decode(encode(message)) == message


def test_too_many_files_are_dropped_whole_from_the_end():
    files = back(result(100)).files
    assert [file.bytes for file in files] == list(range(len(files)))
    assert len(files) > 5


@given(files=st.integers(0, 30), failures=st.integers(0, 30), length=st.integers(0, 700))
def test_failures_are_dropped_before_files_and_never_miscounted(files, failures, length):
    left = back(result(files, failures, length))
    assert left.items_failed == failures
    assert [failure.item for failure in left.failures] == [
        f"s3://in/{i}" for i in range(len(left.failures))
    ]
    assert not left.failures or len(left.files) == files


@given(message=st.text(max_size=9000))
def test_any_message_fits_and_keeps_its_beginning(message):
    text = encode(Termination(error=Failure(reason="X", message=message)))
    decoded = decode(text)
    assert len(text.encode()) <= MAX_BYTES
    assert decoded is not None
    assert decoded.error is not None
    assert message.startswith(decoded.error.message.removesuffix("…"))


@pytest.mark.parametrize("text", [None, "", "Traceback (most recent", '{"a": 1}', "[]"])
def test_words_that_are_not_ours_are_no_message(text):
    assert decode(text) is None
