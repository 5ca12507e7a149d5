import pytest

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
