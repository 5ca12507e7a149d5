"""Beam search: the most probable candidates of all windows of a batch, followed at once.

The semantics are those of whisper.decoding.BeamSearchDecoder (patience 1, no length penalty), which
is the oracle of the tests: the same tokens. A window has ``size`` rows in a batch; its rows share
the keys and values of cross-attention, and windows that are finished leave the batch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from whisper_transcriber.engine.decoder import KVCache, TextDecoder
from whisper_transcriber.engine.loop import (
    DecodedTokens,
    arrangement,
    no_speech_probabilities,
    steps_after,
)
from whisper_transcriber.engine.rules import Rules
from whisper_transcriber.engine.vocabulary import Vocabulary


class _Hypothesis(NamedTuple):
    """A token and what came before it; ``score``: the sum of their log-probabilities."""

    before: "_Hypothesis | None"
    token: int
    score: float

    def tokens(self) -> tuple[int, ...]:
        found, hypothesis = [], self
        while True:
            found.append(hypothesis.token)
            if hypothesis.before is None:
                return tuple(reversed(found))
            hypothesis = hypothesis.before


class Candidate(NamedTuple):
    """A continuation of one of a window's rows."""

    row: int
    token: int
    score: float


@dataclass
class _Window:
    """The hypotheses of a window: ``rows`` are at work, ``finished`` have come to an end."""

    rows: list[_Hypothesis | None]
    finished: list[_Hypothesis] = field(default_factory=list)

    def extend(self, candidates: Iterable[Candidate], size: int, end: int) -> list[Candidate]:
        """Keep the best ``size`` candidates; returns them, as each row's place.

        Args:
            candidates: the best ones first; those that end before ``size`` others were found are
                finished hypotheses.
        """
        kept: list[Candidate] = []
        for candidate in candidates:
            if candidate.token != end:
                kept.append(candidate)
                if len(kept) == size:
                    break
            elif len(self.finished) < size:
                self.finished.append(self._continued(candidate))
        placed = in_place(kept)
        self.rows = [self._continued(candidate) for candidate in placed]
        return placed

    def best(self, size: int, end: int) -> _Hypothesis:
        """The hypothesis with the highest mean log-probability; unfinished ones fill up."""
        alive = sorted((each for each in self.rows if each), key=lambda each: -each.score)
        cut = [_Hypothesis(each, end, each.score) for each in alive]
        complete = [*self.finished, *cut[: max(0, size - len(self.finished))]]
        return max(complete, key=lambda each: each.score / max(1, len(each.tokens()) - 1))

    def _continued(self, candidate: Candidate) -> _Hypothesis:
        return _Hypothesis(self.rows[candidate.row], candidate.token, candidate.score)


class BeamSearch:
    """Decodes batches with one model, ``size`` candidates for each window."""

    def __init__(
        self, decoder: TextDecoder, vocabulary: Vocabulary, rules: Rules, size: int
    ) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._rules = rules
        self._size = size

    def run(self, heard: KVCache, openings: Sequence[Sequence[int]]) -> list[DecodedTokens]:
        """What is said in each window, in the order of ``openings``.

        Args:
            heard: the encoded windows; its rows change places.
            openings: for each window the tokens before its text, all of the same length.
        """
        tokens = torch.tensor(openings, device=self._decoder.device)
        count, opening = tokens.shape
        steps = steps_after(opening, self._vocabulary)
        said = self._decoder.begin(count * self._size, opening + steps)
        windows = [_Window([None]) for _ in range(count)]
        history, sums = self._rules.begin(count), torch.zeros(count, 1, device=tokens.device)
        states = self._decoder.forward(tokens, said, heard)
        no_speech = no_speech_probabilities(self._decoder, self._vocabulary, states).tolist()
        for step in range(steps):
            if step:
                logits = self._decoder.step(tokens, said, heard, self._size)
                self._rules.mask(logits, history)
            else:
                logits = self._decoder.logits(states[:, -1])
                self._rules.mask_first(logits)
            candidates = self._candidates(logits, sums)
            rows, chosen = self._continue(windows, candidates, said, heard)
            if not chosen:
                break
            tokens = torch.tensor([[each.token] for each in chosen], device=sums.device)
            sums = torch.tensor([each.score for each in chosen], device=sums.device)
            sums = sums.view(-1, self._size)
            history = self._rules.follow(history[:, rows], tokens[:, 0])
        best = [window.best(self._size, self._vocabulary.end) for window in windows]
        return [_result(*each) for each in zip(best, no_speech, strict=True)]

    def _continue(
        self,
        windows: Sequence[_Window],
        candidates: Sequence[Sequence[Candidate]],
        said: KVCache,
        heard: KVCache,
    ) -> tuple[list[int], list[Candidate]]:
        """Extend the windows at work; those that are not finished by it come first afterwards.

        Returns:
            For each row of these: the row that it continues, and by what.
        """
        working = [windows[number] for number in heard.order[: len(candidates)]]
        width = len(working[0].rows)
        placed = [
            window.extend(best, self._size, self._vocabulary.end)
            for window, best in zip(working, candidates, strict=True)
        ]
        unfinished = [len(window.finished) < self._size for window in working]
        sources = arrangement(unfinished, len(windows))
        heard.arrange(sources)
        rows, chosen = [], []
        for source in sources[: sum(unfinished)]:
            rows += [source * width + each.row for each in placed[source]]
            chosen += placed[source]
        said.arrange([*rows, *range(len(rows), len(windows) * self._size)])
        return rows, chosen

    def _candidates(self, logits: Tensor, sums: Tensor) -> list[list[Candidate]]:
        """For each window at work its best continuations, the best one first.

        Args:
            logits: (windows * rows, vocabulary), masked.
            sums: the scores so far, (windows, rows).
        """
        windows, rows = sums.shape
        # A row's end of text is one candidate at most: size + 1 of each row are always enough.
        best, numbers = logits.topk(self._size + 1)
        scores = best - logits.logsumexp(-1, keepdim=True)
        scores = (scores.view(windows, rows, -1) + sums[:, :, None]).flatten(1)
        scores, places = scores.topk(min(2 * self._size, scores.shape[1]))
        tokens = numbers.view(windows, -1).gather(1, places)
        sources = places // (self._size + 1)
        return [
            [Candidate(*each) for each in zip(*window, strict=True)]
            for window in zip(sources.tolist(), tokens.tolist(), scores.tolist(), strict=True)
        ]


def in_place(kept: Sequence[Candidate]) -> list[Candidate]:
    """Candidates in an order that leaves rows where they are: only a row's second continuation
    has to be copied to another place."""
    placed: list[Candidate | None] = [None] * len(kept)
    others = []
    for candidate in kept:
        if candidate.row < len(placed) and placed[candidate.row] is None:
            placed[candidate.row] = candidate
        else:
            others.append(candidate)
    waiting = iter(others)
    return [each or next(waiting) for each in placed]


def _result(hypothesis: _Hypothesis, no_speech: float) -> DecodedTokens:
    """Without the end of text, which the mean log-probability counts."""
    tokens = hypothesis.tokens()
    return DecodedTokens(tokens[:-1], hypothesis.score / len(tokens), no_speech)
