import pytest

from transcription_contract.options import ModelReference
from transcription_contract.task import Task
from whisper_transcriber.errors import ModelNotFound
from whisper_transcriber.models import catalogue


def test_the_catalogue_is_the_one_of_the_installed_whisper() -> None:
    from whisper import _MODELS

    assert {name: model.url for name, model in catalogue.OFFICIAL.items()} == _MODELS


def test_a_model_is_known_by_its_name_and_its_file_s() -> None:
    assert catalogue.find("turbo").files == ("turbo.pt", "large-v3-turbo.pt")
    assert catalogue.find("tiny.en").files == ("tiny.en.pt",)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelNotFound, match=r"'huge', only tiny.en, tiny, .*large-v3.*turbo"):
        catalogue.find("huge")


BY_CHECKSUM = {"uri": "s3://models/b.pt", "sha256": catalogue.OFFICIAL["base"].sha256}
OWN = {"uri": "s3://models/own.pt", "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("model", "whisper_task", "timestamps", "expected"),
    [
        pytest.param({"name": "base"}, "transcribe", "auto", True, id="official by name"),
        pytest.param(BY_CHECKSUM, "transcribe", "auto", True, id="official by checksum"),
        pytest.param(OWN, "transcribe", "auto", False, id="a checkpoint of one's own"),
        pytest.param({"name": "base"}, "translate", "auto", False, id="a translation"),
        pytest.param(OWN, "transcribe", "alignment", True, id="alignment is asked for"),
        pytest.param({"name": "base"}, "transcribe", "model", False, id="model is asked for"),
    ],
)
def test_whether_the_model_writes_no_timestamps(
    model: dict[str, str], whisper_task: str, timestamps: str, expected: bool
) -> None:
    task = Task.model_validate(
        {
            "uid": "1",
            "owner": "a/b",
            "source_uri": "s3://media/a.mp3",
            "output_uri": "s3://out/",
            "model": model,
            "task": whisper_task,
            "decoding": {"timestamps": timestamps},
        }
    )
    assert catalogue.is_aligned(task) is expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param({"name": "tiny.en"}, "tiny.en", id="by name"),
        pytest.param(BY_CHECKSUM, "base", id="by checksum"),
        pytest.param(OWN, None, id="a checkpoint of one's own"),
        pytest.param({"name": "own"}, None, id="a file of one's own"),
    ],
)
def test_openai_s_weights_have_openai_s_name(model: dict[str, str], expected: str | None) -> None:
    assert catalogue.official_name(ModelReference.model_validate(model)) == expected
