import pytest
from whisper.decoding import DecodingOptions, DecodingTask  # type: ignore[import-untyped]

from tests.unit.transcriber.engine import tiny
from transcription_contract.decoding import Decoding
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


@pytest.mark.parametrize("text", ["<|endoftext|>", "a <|notimestamps|> b", "<|0.00|>"])
def test_a_prompt_that_looks_like_a_signal_is_plain_text(text: str) -> None:
    check_prompt(Decoding(initial_prompt=text, hotwords=(text,)))
    vocabulary = Vocabulary(tiny.model(), "transcribe", text)
    assert vocabulary.to_text(vocabulary.prompt) == f" {text}"
    assert all(token < vocabulary.end for token in vocabulary.prompt)


@pytest.mark.parametrize(
    ("hotwords", "expected"),
    [
        pytest.param((), " Minutes.", id="none"),
        pytest.param(("ComfyUI",), " ComfyUI Minutes.", id="before the prompt"),
        pytest.param(("b", "a", "B", " a "), " b, a Minutes.", id="repeated ones once, in order"),
        pytest.param((" ", "x"), " x Minutes.", id="no blanks"),
    ],
)
def test_hotwords_are_in_front_of_the_prompt(hotwords: tuple[str, ...], expected: str) -> None:
    vocabulary = Vocabulary(tiny.model(), "transcribe", "Minutes.", hotwords)
    assert vocabulary.to_text(vocabulary.prompt) == expected


def test_hotwords_open_every_window() -> None:
    vocabulary = Vocabulary(tiny.model(), "transcribe", hotwords=("kopf", "etcd"))
    opening = vocabulary.opening("en")
    assert vocabulary.to_text(opening[1 : vocabulary.start]) == " kopf, etcd"


@pytest.mark.parametrize(
    ("prompt", "hotwords", "message"),
    [
        pytest.param(224, 0, r"^decoding.initialPrompt has 224 .* 223 fit$", id="prompt"),
        pytest.param(0, 150, r"^decoding.hotwords has \d{3} .* 223 fit$", id="hotwords"),
        pytest.param(
            150,
            60,
            r"^decoding.hotwords has \d+ Whisper tokens and decoding.initialPrompt has 150 Whisper "
            r"tokens; at most 223 fit together$",
            id="both",
        ),
    ],
)
def test_what_is_too_long_is_named(prompt: int, hotwords: int, message: str) -> None:
    words = tuple(f"w{number}" for number in range(hotwords))
    with pytest.raises(PromptTooLong, match=message):
        check_prompt(Decoding(initial_prompt="server " * prompt, hotwords=words))


@pytest.mark.parametrize("language", ["ja", "zh", "th"])
def test_a_translation_s_words_are_those_of_english(language: str) -> None:
    text = " Good morning, everybody."
    vocabulary = Vocabulary(tiny.model(), "translate")
    tokens = vocabulary.tokenizer(language).encode(text)
    words, _ = vocabulary.words_in(language)(tokens)
    assert words == [" Good", " morning", ",", " everybody", "."]
