import pytest
from whisper.tokenizer import LANGUAGES, TO_LANGUAGE_CODE  # type: ignore[import-untyped]

from whisper_transcriber import languages
from whisper_transcriber.errors import LanguageUnknown


def test_the_languages_are_openai_whisper_s() -> None:
    assert languages.NAMES == LANGUAGES


@pytest.mark.parametrize("name", sorted(TO_LANGUAGE_CODE))
def test_openai_whisper_s_names_are_understood(name: str) -> None:
    assert languages.code_of(name) == TO_LANGUAGE_CODE[name]


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ("nb", "no"), ("English", "en"), ("pt-BR", "pt"), ("zh-CN", "zh"), ("iw", "he"),
        ("jw", "jw"), ("jv", "jw"), ("EN", "en"), ("german", "de"), ("zh_Hant_TW", "zh"),
        (" de ", "de"), ("auto", "auto"), ("", "auto"), ("deu", "de"), ("fil", "tl"),
    ],
)  # fmt: skip
def test_languages_are_understood_as_people_write_them(stated: str, code: str) -> None:
    assert languages.code_of(stated) == code


@pytest.mark.parametrize(
    ("stated", "suggestion"),
    [("Portugese", "did you mean pt (portuguese)?"), ("germann", "did you mean de (german)?"),
     ("xx", "state a code such as en or de")],
    ids=["misspelt", "one letter more", "nothing near"],
)  # fmt: skip
def test_an_unknown_language_is_refused_with_what_may_be_meant(
    stated: str, suggestion: str
) -> None:
    with pytest.raises(LanguageUnknown) as refused:
        languages.code_of(stated)
    assert suggestion in str(refused.value)
    assert repr(stated) in str(refused.value)
