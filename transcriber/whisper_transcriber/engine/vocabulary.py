"""Whisper's tokens for one model and task: what opens a window, and what may not be said.

Importable without a model: ``check_prompt`` runs before anything is downloaded.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

from whisper.model import Whisper  # type: ignore[import-untyped]
from whisper.tokenizer import LANGUAGES, Tokenizer, get_tokenizer  # type: ignore[import-untyped]

from transcription_contract.options import Decoding, WhisperTask
from whisper_transcriber.errors import LanguageUnknown, PromptTooLong

SplitToWords = Callable[[list[int]], tuple[list[str], list[list[int]]]]
"""Text tokens to words, and the tokens of each."""

ENGLISH = "en"
_TEXT_CONTEXT = 448
"""Tokens that the text decoder of every published Whisper model has room for."""


def check_prompt(decoding: Decoding) -> None:
    """Raises PromptTooLong when the prompt fits into no Whisper model, of either vocabulary."""
    lengths = (
        len(prompt_tokens(get_tokenizer(multilingual), decoding.initial_prompt))
        for multilingual in (True, False)
    )
    _check_length(min(lengths), _TEXT_CONTEXT)


def prompt_tokens(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """The prompt's text tokens, as whisper.transcribe makes them."""
    return list(tokenizer.encode(" " + prompt.strip())) if prompt.strip() else []


class Vocabulary:
    """The tokens of a model, bound to a task and a prompt.

    Raises:
        PromptTooLong: openai-whisper would cut the prompt's beginning off.
    """

    def __init__(self, model: Whisper, task: WhisperTask, prompt: str = "") -> None:
        self.multilingual: bool = model.is_multilingual
        self._languages: int = model.num_languages
        self.task = task
        self.room: int = model.dims.n_text_ctx
        self.prompt = prompt_tokens(self.tokenizer(ENGLISH), prompt)
        _check_length(len(self.prompt), self.room)
        tokens = self.tokenizer(ENGLISH)
        self.end: int = tokens.eot
        self.first_timestamp: int = tokens.timestamp_begin
        self.no_speech: int = tokens.no_speech

    @property
    def languages(self) -> list[str]:
        """The codes of all languages that the model has a token for."""
        return list(LANGUAGES)[: self._languages] if self.multilingual else [ENGLISH]

    def check_language(self, language: str) -> None:
        """Raises LanguageUnknown unless the model knows the language code."""
        if language not in self.languages:
            raise LanguageUnknown(
                f"the model does not know the language {language!r}, "
                f"only {', '.join(self.languages)}"
            )

    def tokenizer(self, language: str) -> Tokenizer:
        """openai-whisper's tokenizer for windows in this language."""
        return get_tokenizer(
            self.multilingual, num_languages=self._languages, language=language, task=self.task
        )

    def opening(self, language: str) -> list[int]:
        """What stands before a window's text (whisper.decode's initial tokens)."""
        tokens = self.tokenizer(language)
        before = [tokens.sot_prev, *self.prompt] if self.prompt else []
        return [*before, *tokens.sot_sequence]

    def transcript(self, language: str) -> list[int]:
        """What stands before a text without timestamps (whisper.timing.find_alignment)."""
        return list(self.tokenizer(language).sot_sequence_including_notimestamps)

    def text_of(self, tokens: Sequence[int]) -> list[int]:
        """The tokens that are text: neither timestamps nor signals."""
        return [token for token in tokens if token < self.end]

    def to_text(self, tokens: Sequence[int]) -> str:
        """Tokens to text, timestamps left out."""
        return str(self.tokenizer(ENGLISH).decode(list(tokens)))

    def words_in(self, language: str) -> SplitToWords:
        """How text in this language falls into words: with spaces, or without."""
        tokens = self.tokenizer(language)

        def split(text: list[int]) -> tuple[list[str], list[list[int]]]:
            # The end token keeps an unfinished character from being read past the text's end.
            words, word_tokens = tokens.split_to_word_tokens([*text, self.end])
            return words[:-1], word_tokens[:-1]

        return split

    @property
    def start(self) -> int:
        """Where in the opening <|startoftranscript|> stands."""
        return len(self.prompt) + 1 if self.prompt else 0

    @cached_property
    def suppressed(self) -> Sequence[int]:
        """What no window's text may hold: annotations, and tokens that steer the model."""
        tokens = self.tokenizer(ENGLISH)
        steering = {
            tokens.transcribe,
            tokens.translate,
            tokens.sot,
            tokens.sot_prev,
            tokens.sot_lm,
            tokens.no_speech,
            tokens.no_timestamps,
        }
        return sorted(steering.union(tokens.non_speech_tokens))


def _check_length(tokens: int, room: int) -> None:
    limit = room // 2 - 1
    if tokens > limit:
        raise PromptTooLong(
            f"decoding.initialPrompt has {tokens} Whisper tokens; at most {limit} fit"
        )
