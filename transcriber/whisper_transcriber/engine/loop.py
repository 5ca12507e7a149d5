"""The decoding loop: greedy or at random, all windows of a batch at once.

whisper.decode is its oracle: the same tokens. That one synchronises with the device for each row at
each step, and drops no row that is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from whisper_transcriber.engine.decoder import KVCache, TextDecoder
from whisper_transcriber.engine.rules import Rules
from whisper_transcriber.engine.vocabulary import Vocabulary

VERSION = "loop 5"
"""Part of what results depend on: raise it when tokens or figures may change."""


@dataclass(frozen=True)
class DecodedTokens:
    """A window's tokens without opening and end, and openai-whisper's figures for them."""

    tokens: tuple[int, ...]
    avg_logprob: float
    no_speech_prob: float


class Loop:
    """Decodes batches with one model."""

    def __init__(self, decoder: TextDecoder, vocabulary: Vocabulary, rules: Rules) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._rules = rules

    def run(
        self, heard: KVCache, openings: Sequence[Sequence[int]], temperature: float, seed: int
    ) -> list[DecodedTokens]:
        """What is said in each window, in the order of ``openings``.

        Args:
            heard: the encoded windows; its rows change places.
            openings: for each window the tokens before its text, all of the same length.
            temperature: 0 is greedy.
            seed: for a window alone, what is drawn at random is what whisper.decode draws after
                torch.manual_seed(seed).
        """
        tokens = torch.tensor(openings, device=self._decoder.device)
        windows, opening = tokens.shape
        steps = steps_after(opening, self._vocabulary)
        said = self._decoder.begin(windows, opening + steps)
        history = self._rules.begin(windows)
        generator = torch.Generator(tokens.device).manual_seed(seed)
        texts: list[list[int]] = [[] for _ in range(windows)]
        totals = torch.zeros(windows, device=tokens.device)
        no_speech = totals
        for step in range(steps):
            if step == 0:
                states = self._decoder.forward(tokens, said, heard)
                logits = self._decoder.logits(states[:, -1])
                no_speech = no_speech_probabilities(self._decoder, self._vocabulary, states)
                self._rules.mask_first(logits)
            else:
                logits = self._decoder.step(tokens, said, heard)
                self._rules.mask(logits, history)
            chosen, logprobs = _choose(logits, temperature, generator)
            totals[: len(chosen)] += logprobs
            history = self._rules.follow(history, chosen)
            numbers = chosen.tolist()  # the one time in a step that the host waits for the device
            for window, number in zip(heard.order, numbers, strict=False):
                texts[window].append(number)
            working = [number != self._vocabulary.end for number in numbers]
            if not any(working):
                break
            if not all(working):
                sources = arrangement(working, windows)
                for memory in (said, heard):
                    memory.arrange(sources)
                totals = totals[sources]
                sources = sources[: sum(working)]
                chosen, history = chosen[sources], history[:, sources]
            tokens = chosen[:, None]
        return self._results(texts, heard.order, totals, no_speech)

    def _results(
        self, texts: list[list[int]], order: Sequence[int], totals: Tensor, no_speech: Tensor
    ) -> list[DecodedTokens]:
        end = self._vocabulary.end
        total = dict(zip(order, totals.tolist(), strict=True))
        spoken = [tuple(token for token in text if token != end) for text in texts]
        return [
            DecodedTokens(tokens, total[window] / (len(tokens) + 1), silence)
            for window, (tokens, silence) in enumerate(zip(spoken, no_speech.tolist(), strict=True))
        ]


def steps_after(opening: int, vocabulary: Vocabulary) -> int:
    """Number of tokens that may follow an opening of so many, as whisper.decode limits them."""
    return min(vocabulary.room // 2, vocabulary.room + 1 - opening)


def no_speech_probabilities(decoder: TextDecoder, vocabulary: Vocabulary, states: Tensor) -> Tensor:
    """The probability of <|nospeech|> where the transcript starts, (rows,).

    Args:
        states: of the opening's tokens, (rows, tokens, state).
    """
    logits = decoder.logits(states[:, vocabulary.start])
    return logits.softmax(-1)[:, vocabulary.no_speech]


def arrangement(working: Sequence[bool], rows: int) -> list[int]:
    """Which row goes where, so that the working ones come first and as few as possible move.

    Args:
        working: of the first rows, those that were at work until now.
        rows: how many there are in all.
    """
    sources = list(range(rows))
    remaining = sum(working)
    holes = (row for row in range(remaining) if not working[row])
    late = (row for row in range(remaining, len(working)) if working[row])
    for hole, row in zip(holes, late, strict=True):
        sources[hole], sources[row] = row, hole
    return sources


def _choose(
    logits: Tensor, temperature: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """For each row the next token and its log-probability (at temperature 1, as whisper has it)."""
    if temperature == 0:
        chosen = logits.argmax(-1)
    else:
        # Normalised twice, as torch's Categorical does for whisper: the same bits are drawn.
        scores = logits / temperature
        probabilities = (scores - scores.logsumexp(-1, keepdim=True)).softmax(-1)
        chosen = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
    return chosen, logits.log_softmax(-1).gather(1, chosen[:, None])[:, 0]
