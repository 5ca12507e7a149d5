import pytest
from whisper.decoding import DecodingOptions, DecodingTask  # type: ignore[import-untyped]

from tests.unit.transcriber.engine import tiny
from transcription_contract.options import Decoding
from whisper_transcriber.engine.vocabulary import Vocabulary, check_prompt
from whisper_transcriber.errors import LanguageUnknown, PromptTooLong

VOCABULARIES = pytest.mark.parametrize("size", [tiny.MULTILINGUAL, tiny.ENGLISH_ONLY])


@VOCABULARIES
@pytest.mark.parametrize("prompt", ["", "Kubernetes, kopf"])
@pytest.mark.parametrize("task", ["transcribe", "translate"])
def test_a_window_opens_as_whisper_opens_it(size: int, prompt: str, task: str) -> None:
    model = tiny.model(size)
    vocabulary = Vocabulary(model, task, prompt)
    for language in vocabulary.languages[:3]:
        options = DecodingOptions(task=task, language=language, prompt=prompt, fp16=False)
        oracle = DecodingTask(model, options)
        assert tuple(vocabulary.opening(language)) == oracle.initial_tokens
        assert vocabulary.start == oracle.sot_index


@VOCABULARIES
def test_what_is_suppressed_is_what_whisper_suppresses(size: int) -> None:
    model = tiny.model(size)
    oracle = DecodingTask(model, DecodingOptions(language="en", fp16=False))
    no_timestamps = oracle.tokenizer.no_timestamps
    expected = {*oracle._get_suppress_tokens(), no_timestamps}
    assert set(Vocabulary(model, "transcribe").suppressed) == expected


@pytest.mark.parametrize("words", [0, 1, 223])
def test_a_prompt_that_fits_is_let_through(words: int) -> None:
    check_prompt(Decoding(initial_prompt="server " * words))


def test_a_prompt_that_does_not_fit_is_refused_before_any_model_is_there() -> None:
    with pytest.raises(PromptTooLong, match="224 Whisper tokens; at most 223 fit"):
        check_prompt(Decoding(initial_prompt="server " * 224))


def test_a_model_refuses_what_its_own_vocabulary_makes_too_long() -> None:
    with pytest.raises(PromptTooLong, match=r"decoding\.initialPrompt"):
        tiny.engine(initial_prompt="server " * 224)


def test_a_model_for_english_knows_english_alone() -> None:
    vocabulary = Vocabulary(tiny.model(tiny.ENGLISH_ONLY), "transcribe")
    vocabulary.check_language("en")
    with pytest.raises(LanguageUnknown, match="'de', only en"):
        vocabulary.check_language("de")


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("text", ["", " five plays", " Grüße, 日本語です。", " …!?"])
def test_words_are_the_text_s_parts(language: str, text: str) -> None:
    vocabulary = Vocabulary(tiny.model(), "transcribe")
    tokens = vocabulary.tokenizer(language).encode(text)
    words, word_tokens = vocabulary.words_in(language)(tokens)
    assert "".join(words) == text
    assert [token for each in word_tokens for token in each] == tokens
