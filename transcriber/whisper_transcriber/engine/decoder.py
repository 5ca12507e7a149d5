"""Whisper's text decoder with preallocated memories: the forward pass that the loop and the word
aligner share.

openai-whisper's own keeps its memories in hooks on the model, concatenates them at every step, and
computes logits for every position.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional
from whisper.model import MultiHeadAttention, Whisper  # type: ignore[import-untyped]

QueryHook = Callable[[int, Tensor], None]
"""Called with a layer's number and its cross-attention queries, (rows, heads, tokens, width)."""


class KVCache:
    """Keys and values of each layer, as (rows, heads, positions, width).

    ``order``: which window each row belongs to; rows change places while a batch is decoded, so
    that those still at work are always the first. ``filled``: positions in use.
    """

    def __init__(self, layers: Sequence[tuple[Tensor, Tensor]], filled: int) -> None:
        self.layers = layers
        self.filled = filled
        self.order = list(range(len(layers[0][0])))

    def arrange(self, sources: Sequence[int]) -> None:
        """Move rows, so that row i is what row ``sources[i]`` was; copies only those that move.

        A row may be the source of several, or of none.
        """
        moved = [row for row, source in enumerate(sources) if row != source]
        if not moved:
            return
        device = self.layers[0][0].device
        into = torch.tensor(moved, device=device)
        out_of = torch.tensor([sources[row] for row in moved], device=device)
        for layer in self.layers:
            for each in layer:
                used = each[:, :, : self.filled]
                used[into] = used[out_of]
        self.order = [self.order[source] for source in sources]


class TextDecoder:
    """A model's text decoder, in one precision."""

    def __init__(self, model: Whisper, dtype: torch.dtype) -> None:
        self._decoder = model.decoder
        self._heads: int = model.dims.n_text_head
        self._dtype = dtype
        self._embeddings: Tensor = model.decoder.token_embedding.weight.to(dtype)
        self.device: torch.device = model.device

    def hear(self, features: Tensor) -> KVCache:
        """What cross-attention needs of encoded audio, (rows, positions, state); computed once."""
        attentions = [block.cross_attn for block in self._decoder.blocks]
        return KVCache(
            [(self._split(a.key(features)), self._split(a.value(features))) for a in attentions],
            filled=features.shape[1],
        )

    def blank(self, rows: int, positions: int) -> KVCache:
        """An empty memory for what self-attention will have said."""
        width = self._embeddings.shape[1] // self._heads
        shape = (rows, self._heads, positions, width)

        def empty() -> Tensor:
            return torch.empty(shape, dtype=self._dtype, device=self.device)

        return KVCache([(empty(), empty()) for _ in self._decoder.blocks], filled=0)

    def forward(
        self,
        tokens: Tensor,
        said: KVCache,
        heard: KVCache,
        notice: QueryHook | None = None,
        beams: int = 1,
    ) -> Tensor:
        """The last layer's states, (rows, tokens, state).

        Args:
            tokens: (rows, tokens), for the memories' first rows; several only in the beginning.
            said: what came before; these tokens are added to it.
            heard: from ``hear``.
            notice: see QueryHook.
            beams: rows in succession that hear the same window; with more than one, a token each.
        """
        rows, count = tokens.shape
        first, stop = said.filled, said.filled + count
        said.filled = stop
        decoder = self._decoder
        x = decoder.token_embedding(tokens) + decoder.positional_embedding[first:stop]
        x = x.to(self._dtype)
        for number, block in enumerate(decoder.blocks):
            y = block.attn_ln(x)
            keys, values = (each[:rows, :, :stop] for each in said.layers[number])
            keys[:, :, first:] = self._split(block.attn.key(y))
            values[:, :, first:] = self._split(block.attn.value(y))
            queries = self._split(block.attn.query(y))
            x = x + _attend(block.attn, queries, keys, values, causal=count > 1)
            keys, values = (each[: rows // beams] for each in heard.layers[number])
            # A window's rows ask as one row with a token for each: its keys are read once.
            y = block.cross_attn_ln(x).view(rows // beams, beams * count, -1)
            queries = self._split(block.cross_attn.query(y))
            if notice:
                notice(number, queries)
            x = x + _attend(block.cross_attn, queries, keys, values).view(x.shape)
            x = x + block.mlp(block.mlp_ln(x))
        states: Tensor = decoder.ln(x)
        return states

    def logits(self, states: Tensor) -> Tensor:
        """Of each state, (rows, state): its logits in float32, (rows, vocabulary).

        The vocabulary stands first in the product: a CPU needs half the time for it that way.
        """
        return (self._embeddings @ states.T).T.float().contiguous()

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self._heads, -1).transpose(1, 2).contiguous()


def _attend(
    attention: MultiHeadAttention,
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    *,
    causal: bool = False,
) -> Tensor:
    x = functional.scaled_dot_product_attention(queries, keys, values, is_causal=causal)
    result: Tensor = attention.out(x.transpose(1, 2).flatten(2))
    return result
