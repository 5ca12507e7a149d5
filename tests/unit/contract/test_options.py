import pytest
from pydantic import ValidationError
from whisper.tokenizer import LANGUAGES

from transcription_contract.decoding import Decoding
from transcription_contract.languages import LANGUAGE_CODES
from transcription_contract.options import ModelReference, Subtitles


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (ModelReference(name="large-v3"), "large-v3"),
        (ModelReference(uri="s3://models/a/mine.pt", sha256="a" * 64), "mine.pt"),
    ],
    ids=["an official name", "a file of one's own"],
)
def test_a_model_is_called_what_people_call_it(model, expected):
    assert model.label == expected


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (Decoding, {"beamSize": 0}),
        (Decoding, {"beamSize": 17}),
        (Decoding, {"mode": "parallel"}),
        (Decoding, {"audioContext": "half"}),
        (Decoding, {"initialPromt": "Hello"}),
        (Subtitles, {"maxLineWidth": 9}),
        (Subtitles, {"maxLineCount": 0}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_options_out_of_range_and_typos_are_refused(model, value):
    with pytest.raises(ValidationError):
        model.model_validate(value)


def test_languages_are_openai_whispers():
    assert tuple(LANGUAGES) == LANGUAGE_CODES
