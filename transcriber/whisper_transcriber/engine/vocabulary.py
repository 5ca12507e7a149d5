"""Whisper's tokens for one model and task: what opens a window, and what may not be said.

Importable without a model: ``check_prompt`` runs before anything is downloaded.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from whisper.model import Whisper  # type: ignore[import-untyped]
from whisper.tokenizer import LANGUAGES, Tokenizer, get_tokenizer  # type: ignore[import-untyped]

from transcription_contract.decoding import Decoding
from transcription_contract.options import WhisperTask
from whisper_transcriber.errors import LanguageUnknown, PromptTooLong

SplitToWords = Callable[[list[int]], tuple[list[str], list[list[int]]]]
"""Text tokens to words, and the tokens of each."""

ENGLISH = "en"
_TEXT_CONTEXT = 448
"""Tokens that the text decoder of every published Whisper model has room for."""


def check_prompt(decoding: Decoding) -> None:
    """Raises PromptTooLong when the prompt fits into no Whisper model, of either vocabulary."""
    lengths = (
        Prompt.of(get_tokenizer(multilingual), decoding.initial_prompt, decoding.hotwords)
        for multilingual in (True, False)
    )
    min(lengths, key=lambda prompt: len(prompt.tokens)).check(_TEXT_CONTEXT)


@dataclass(frozen=True)
class Prompt:
    """The text tokens in front of every window: the hotwords, then the initial prompt.

    That is faster-whisper's order: what the model saw last is what it goes on like.
    """

    hotwords: tuple[int, ...] = ()
    initial: tuple[int, ...] = ()

    @classmethod
    def of(cls, tokenizer: Tokenizer, initial: str, hotwords: Sequence[str] = ()) -> "Prompt":
        """The tokens of both, whatever they look like."""
        return cls(
            hotwords=_text_tokens(tokenizer, ", ".join(unique(hotwords))),
            initial=_text_tokens(tokenizer, initial),
        )

    @property
    def tokens(self) -> list[int]:
        """All of them, in the order of the window's opening."""
        return [*self.hotwords, *self.initial]

    def check(self, room: int) -> None:
        """Raise PromptTooLong if openai-whisper would cut its beginning off.

        Args:
            room: tokens that the text decoder has room for.
        """
        limit = room // 2 - 1
        if len(self.tokens) <= limit:
            return
        counts = {"decoding.hotwords": self.hotwords, "decoding.initialPrompt": self.initial}
        found = " and ".join(
            f"{name} has {len(tokens)} Whisper tokens" for name, tokens in counts.items() if tokens
        )
        raise PromptTooLong(
            f"{found}; at most {limit} fit{' together' if all(counts.values()) else ''}"
        )


def unique(hotwords: Iterable[str]) -> list[str]:
    """Hotwords without blanks around them and without repetitions, in the order given.

    Upper and lower case are the same word; its first spelling counts.
    """
    first: dict[str, str] = {}
    for word in hotwords:
        if word.strip():
            first.setdefault(word.strip().casefold(), word.strip())
    return list(first.values())


def _text_tokens(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    """Text to tokens, as whisper.transcribe makes a prompt's; <|endoftext|> in it is plain text."""
    if not text.strip():
        return ()
    return tuple(tokenizer.encode(" " + text.strip(), disallowed_special=()))


class Vocabulary:
    """The tokens of a model, bound to a task, a prompt and hotwords.

    Raises:
        PromptTooLong: openai-whisper would cut the prompt's beginning off.
    """

    def __init__(
        self, model: Whisper, task: WhisperTask, prompt: str = "", hotwords: Sequence[str] = ()
    ) -> None:
        self.multilingual: bool = model.is_multilingual
        self._languages: int = model.num_languages
        self.task = task
        self.room: int = model.dims.n_text_ctx
        tokens = self.tokenizer(ENGLISH)
        opening = Prompt.of(tokens, prompt, hotwords)
        opening.check(self.room)
        self.prompt: list[int] = opening.tokens
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

    def opening(self, language: str, *, timestamps: bool = True) -> list[int]:
        """What stands before a window's text (whisper.decode's initial tokens)."""
        tokens = self.tokenizer(language)
        before = [tokens.sot_prev, *self.prompt] if self.prompt else []
        return [*before, *(tokens.sot_sequence if timestamps else self.transcript(language))]

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
        """How the text of windows in this language falls into words: with spaces, or without."""
        # A translation is English, whatever was spoken.
        tokens = self.tokenizer(ENGLISH if self.task == "translate" else language)

        def split(text: list[int]) -> tuple[list[str], list[list[int]]]:
            # The end token keeps an unfinished character from being read past the text's end.
            words, word_tokens = tokens.split_to_word_tokens([*text, self.end])
            return words[:-1], word_tokens[:-1]

        return split

    @property
    def start(self) -> int:
        """Where in the opening <|startoftranscript|> stands."""
        return len(self.prompt) + 1 if self.prompt else 0

    @property
    def blank(self) -> list[int]:
        """What no text may begin with (whisper.decoding.SuppressBlank)."""
        return [*self.tokenizer(ENGLISH).encode(" "), self.end]

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
