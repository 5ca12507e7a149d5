"""What may follow what, for all rows of a batch at once: whisper.decoding's logit filters."""

from typing import Protocol

import torch
from torch import Tensor
from whisper.audio import CHUNK_LENGTH  # type: ignore[import-untyped]

from whisper_transcriber.engine.vocabulary import Vocabulary

MAX_INITIAL_TIMESTAMP = 1.0
"""Seconds; openai-whisper's default (whisper.DecodingOptions)."""

_NEVER = -torch.inf


class Rules(Protocol):
    """Masks logits, (rows, vocabulary), in place.

    A history, (any, rows), is all that depends on what was said.
    """

    def begin(self, rows: int) -> Tensor:
        """The history of rows without a token."""

    def follow(self, history: Tensor, chosen: Tensor) -> Tensor:
        """The history after these tokens, (rows,)."""

    def mask_first(self, logits: Tensor) -> None:
        """Forbid what may not come first."""

    def mask(self, logits: Tensor, history: Tensor) -> None:
        """Forbid what may not come next."""


class TextRules:
    """Text alone: no timestamps, and nothing blank at the beginning."""

    def __init__(self, vocabulary: Vocabulary, device: torch.device) -> None:
        self._zero = vocabulary.first_timestamp
        self._suppressed = torch.tensor(vocabulary.suppressed, device=device)
        self._blank = torch.tensor(vocabulary.blank, device=device)

    def begin(self, rows: int) -> Tensor:
        """Nothing: no token depends on those before it."""
        return torch.empty((0, rows), device=self._suppressed.device)

    def follow(self, history: Tensor, chosen: Tensor) -> Tensor:
        """Nothing, for as many rows."""
        return history[:, : len(chosen)]

    def mask_first(self, logits: Tensor) -> None:
        """A text begins with a word."""
        self._mask(logits)
        logits.index_fill_(1, self._blank, _NEVER)

    def mask(self, logits: Tensor, history: Tensor) -> None:  # noqa: ARG002
        """Forbid timestamps, annotations and tokens that steer the model."""
        self._mask(logits)

    def _mask(self, logits: Tensor) -> None:
        logits.index_fill_(1, self._suppressed, _NEVER)
        logits[:, self._zero :] = _NEVER


class TimestampRules:
    """Masks logits, (rows, vocabulary), in place.

    Timestamps come in pairs, but for the last one; they never decrease, and no phrase is empty.
    Where timestamps together are likelier than any text, one of them is next.

    A history, (3, rows), is all that depends on what was said: the last token, the one before it,
    and the latest timestamp.
    """

    def __init__(self, vocabulary: Vocabulary, audio_positions: int, device: torch.device) -> None:
        self._end = vocabulary.end
        self._zero = vocabulary.first_timestamp
        self._suppressed = torch.tensor(vocabulary.suppressed, device=device)
        timestamp_seconds = CHUNK_LENGTH / audio_positions
        self._last_initial = self._zero + round(MAX_INITIAL_TIMESTAMP / timestamp_seconds)

    def begin(self, rows: int) -> Tensor:
        """The history of rows without a token: as if a timestamp had been there."""
        return torch.full((3, rows), self._zero, device=self._suppressed.device)

    def follow(self, history: Tensor, chosen: Tensor) -> Tensor:
        """The history after these tokens, (rows,)."""
        last, _, latest = history
        return torch.stack([chosen, last, torch.where(chosen >= self._zero, chosen, latest)])

    def mask_first(self, logits: Tensor) -> None:
        """A window begins with a timestamp of at most a second."""
        logits[:, : self._zero] = _NEVER
        logits[:, self._last_initial + 1 :] = _NEVER

    def mask(self, logits: Tensor, history: Tensor) -> None:
        """Forbid what may not come next."""
        last, before, latest = history
        timed = last >= self._zero
        closed = timed & (before < self._zero)
        opened = timed & ~closed
        text, timestamps = logits[:, : self._zero], logits[:, self._zero :]
        logits.index_fill_(1, self._suppressed, _NEVER)
        text[:, : self._end].masked_fill_(closed[:, None], _NEVER)
        earliest = torch.where(closed, latest, latest + 1)
        numbers = torch.arange(self._zero, logits.shape[1], device=logits.device)
        timestamps.masked_fill_((numbers < earliest[:, None]) | opened[:, None], _NEVER)
        certain = timestamps.logsumexp(-1) > text.amax(-1)
        text.masked_fill_(certain[:, None], _NEVER)
