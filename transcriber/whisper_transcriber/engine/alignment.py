"""When each token was spoken, by the method of whisper.timing.find_alignment, a batch at a time.

The decoder is given the text; the heads that follow the sound tell where it listened at each token;
dynamic time warping makes that a path. openai-whisper's own takes one window, encodes it again, and
leaves its hooks on the model when something fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from whisper.audio import TOKENS_PER_SECOND  # type: ignore[import-untyped]
from whisper.model import Whisper  # type: ignore[import-untyped]
from whisper.timing import dtw_cpu  # type: ignore[import-untyped]

from whisper_transcriber.engine.decoder import KVCache, TextDecoder
from whisper_transcriber.engine.vocabulary import Vocabulary

_REACH = 3
"""The median filter looks so far to both sides (find_alignment's medfilt_width of 7)."""

_MEDIAN_OF_7 = (
    (0, 5), (0, 3), (1, 6), (2, 4), (0, 1), (3, 5), (2, 6), (2, 3), (3, 6), (4, 5), (1, 4), (1, 3),
    (3, 4),
)  # fmt: skip
"""Pairs to be put in order, after which the fourth of seven is their median (N. Devillard, Fast
median search, 1998). Six times faster than sorting on a CPU (measured)."""


@dataclass(frozen=True)
class Line:
    """The text tokens of a window, and how much of the encoder's output is the window's own."""

    language: str
    tokens: Sequence[int]
    positions: int


@dataclass(frozen=True)
class Times:
    """``starts``: seconds at which each token begins, and after them the end of the last one."""

    starts: Sequence[float]
    probabilities: Sequence[float]


class Aligner:
    """Times the tokens of batches that one model decoded."""

    def __init__(self, model: Whisper, decoder: TextDecoder, vocabulary: Vocabulary) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._layers: dict[int, list[int]] = {}
        for layer, head in model.alignment_heads.indices().T.tolist():
            self._layers.setdefault(layer, []).append(head)

    def run(self, heard: KVCache, lines: Sequence[Line]) -> list[Times]:
        """When the tokens of each line are spoken.

        Args:
            heard: the encoded windows, in any order.
            lines: one for each window; one without tokens has no times.
        """
        rows = [lines[window] for window in heard.order]
        openings = [self._vocabulary.transcript(row.language) for row in rows]
        before = len(openings[0])
        tokens = self._tokens(openings, rows)
        attention, states = self._listen(tokens, heard)
        costs, probabilities = [], []
        for number, row in enumerate(rows):
            after = before + len(row.tokens)
            weights = attention[number, :, : after + 1, : row.positions]
            costs.append(-_focus(weights)[before - 1 : after])
            text = tokens[number, before:after]
            probabilities.append(self._probabilities(states[number, before - 1 : after - 1], text))
        found = [
            Times(_starts(cost), probability.tolist())
            for cost, probability in zip(_fetched(costs), _fetched(probabilities), strict=True)
        ]
        times = dict(zip(heard.order, found, strict=True))
        return [times[window] for window in range(len(lines))]

    def _tokens(self, openings: Sequence[list[int]], rows: Sequence[Line]) -> Tensor:
        """Each row's opening, text and end, padded with ends: (rows, tokens)."""
        longest = max(len(row.tokens) for row in rows) + 1
        padded = [
            [*opening, *row.tokens, *[self._vocabulary.end] * (longest - len(row.tokens))]
            for opening, row in zip(openings, rows, strict=True)
        ]
        return torch.tensor(padded, device=self._decoder.device)

    def _listen(self, tokens: Tensor, heard: KVCache) -> tuple[Tensor, Tensor]:
        """The alignment heads' attention before softmax, (rows, heads, tokens, positions), and the
        decoder's last states, (rows, tokens, state).
        """
        scores: list[Tensor] = []

        def notice(layer: int, queries: Tensor) -> None:
            if heads := self._layers.get(layer):
                keys = heard.content[layer, 0][:, heads]
                scale = queries.shape[-1] ** -0.25
                score = (queries[:, heads] * scale) @ (keys * scale).transpose(-1, -2)
                scores.append(score.float())

        said = self._decoder.blank(*tokens.shape)
        states = self._decoder.forward(tokens, said, heard, notice)
        return torch.cat(scores, dim=1), states

    def _probabilities(self, states: Tensor, text: Tensor) -> Tensor:
        """Of each token of a text among all text, given the states before it: (tokens,)."""
        logits = self._decoder.logits(states)[:, : self._vocabulary.end]
        return logits.softmax(-1).gather(1, text[:, None])[:, 0]


def median(x: Tensor) -> Tensor:
    """The median of seven neighbours along the last dimension, mirrored at its ends.

    The same as whisper.timing.median_filter, which leaves what is too short to be mirrored as it
    is.
    """
    length = x.shape[-1]
    if length <= _REACH:
        return x
    padded = functional.pad(x, (_REACH, _REACH), mode="reflect")
    shifted = [padded[..., shift : shift + length] for shift in range(2 * _REACH + 1)]
    for low, high in _MEDIAN_OF_7:
        shifted[low], shifted[high] = (
            torch.minimum(shifted[low], shifted[high]),
            torch.maximum(shifted[low], shifted[high]),
        )
    return shifted[_REACH]


def _focus(attention: Tensor) -> Tensor:
    """(heads, tokens, positions) to how much more than usual each token listens where."""
    weights = attention.softmax(-1)
    deviation, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
    return median((weights - mean) / deviation).mean(0)


def _fetched(tensors: Sequence[Tensor]) -> list[NDArray[np.float32]]:
    """Tensors of any shapes, copied from the device at once."""
    flat = torch.cat([each.flatten() for each in tensors]).cpu().numpy()
    parts = np.split(flat, np.cumsum([each.numel() for each in tensors])[:-1])
    return [part.reshape(tuple(each.shape)) for part, each in zip(parts, tensors, strict=True)]


def _starts(cost: NDArray[np.float32]) -> list[float]:
    """For each of a window's tokens the seconds at which the cheapest path comes to it."""
    tokens, positions = dtw_cpu(cost.astype(np.float64))
    jumps = np.diff(tokens, prepend=-1) > 0
    starts: list[float] = (positions[jumps] / TOKENS_PER_SECOND).tolist()
    return starts
