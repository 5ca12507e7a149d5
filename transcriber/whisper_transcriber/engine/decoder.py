"""Whisper's text decoder with preallocated memories: the forward pass that the loop and the word
aligner share.

openai-whisper's own keeps its memories in hooks on the model, concatenates them at every step, and
computes logits for every position.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional
from whisper.model import Whisper  # type: ignore[import-untyped]

from whisper_transcriber.engine.precision import in_precision

QueryHook = Callable[[int, Tensor], None]
"""Called with a layer's number and its cross-attention queries, (rows, heads, tokens, width)."""

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Attention of queries to keys and values, all (rows, heads, positions, width)."""


_COPIED_BYTES = 2**26
"""Rows that change places are copied by way of a memory of so many bytes, or of a layer."""


class KVCache:
    """Keys and values of all layers: (layers, 2, rows, heads, positions, width).

    ``order``: which window each row belongs to; rows change places while a batch is decoded, so
    that those still at work are always the first. ``filled``: positions in use.
    """

    def __init__(self, content: Tensor, filled: int) -> None:
        self.content = content
        self.filled = filled
        self.order = list(range(content.shape[2]))

    def arrange(self, sources: Sequence[int]) -> None:
        """Move rows, so that row i is what row ``sources[i]`` was; copies only those that move.

        A row may be the source of several, or of none.
        """
        moved = [row for row, source in enumerate(sources) if row != source]
        if not moved:
            return
        device = self.content.device
        into = torch.tensor(moved, device=device)
        out_of = torch.tensor([sources[row] for row in moved], device=device)
        used = self.content[..., : self.filled, :]
        a_layer = used[0, :, 0].nbytes * len(moved)
        for layers in torch.split(used, max(1, _COPIED_BYTES // max(1, a_layer))):
            layers[:, :, into] = layers[:, :, out_of]
        self.order = [self.order[source] for source in sources]


class TextDecoder:
    """A model's text decoder, in one precision."""

    def __init__(self, model: Whisper, dtype: torch.dtype) -> None:
        self._decoder = model.decoder
        self._heads: int = model.dims.n_text_head
        self._dtype = dtype
        self._norms = [
            tuple(
                in_precision(norm, dtype)
                for norm in (block.attn_ln, block.cross_attn_ln, block.mlp_ln)
            )
            for block in model.decoder.blocks
        ]
        self._last_norm = in_precision(model.decoder.ln, dtype)
        self._embeddings: Tensor = model.decoder.token_embedding.weight.to(dtype)
        self.device: torch.device = model.device

    def hear(self, features: Tensor) -> KVCache:
        """What cross-attention needs of encoded audio, (rows, positions, state); computed once."""
        heard = self.blank(*features.shape[:2])
        self.hear_into(heard.content, features)
        heard.filled = features.shape[1]
        return heard

    def hear_into(self, content: Tensor, features: Tensor) -> None:
        """``hear``, into a KVCache's content of that size."""
        for block, layer in zip(self._decoder.blocks, content, strict=True):
            layer[0] = self._split(block.cross_attn.key(features))
            layer[1] = self._split(block.cross_attn.value(features))

    def begin(self, rows: int, positions: int) -> KVCache:
        """An empty memory for what the windows that were heard will have said."""
        return self.blank(rows, positions)

    def blank(self, rows: int, positions: int) -> KVCache:
        """An empty memory for what self-attention will have said."""
        layers, width = len(self._decoder.blocks), self._embeddings.shape[1] // self._heads
        shape = (layers, 2, rows, self._heads, positions, width)
        return KVCache(torch.empty(shape, dtype=self._dtype, device=self.device), filled=0)

    def release(self) -> None:
        """Give back the memory that is kept between batches: none, here."""

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

        def remember(layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
            kept_keys, kept_values = (each[:rows, :, :stop] for each in said.content[layer])
            kept_keys[:, :, first:], kept_values[:, :, first:] = keys, values
            return kept_keys, kept_values

        x = self._embed(tokens, self._decoder.positional_embedding[first:stop])
        attend = partial(functional.scaled_dot_product_attention, is_causal=count > 1)
        return self._layers(x, remember, attend, heard, notice, beams)

    def step(self, tokens: Tensor, said: KVCache, heard: KVCache, beams: int = 1) -> Tensor:
        """The logits after one more token for each of the first rows, (rows, vocabulary).

        Args:
            tokens: (rows, 1).
            said: see ``forward``, as the others.
            heard: from ``hear``.
            beams: rows in succession that hear the same window.
        """
        return self.logits(self.forward(tokens, said, heard, beams=beams)[:, -1])

    def step_at(
        self,
        tokens: Tensor,
        position: Tensor,
        length: int,
        said: KVCache,
        heard: KVCache,
        beams: int = 1,
    ) -> Tensor:
        """``step``, with nothing that the host decides between two steps: to be captured.

        Args:
            tokens: (rows, 1).
            position: the tokens' place, (1,), on the device.
            length: how much of ``said`` is read, whatever the position; more than the position.
            said: what came before.
            heard: from ``hear``.
            beams: rows in succession that hear the same window.
        """
        rows = len(tokens)

        def remember(layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
            kept = [each[:rows] for each in said.content[layer]]
            for each, new in zip(kept, (keys, values), strict=True):
                each.index_copy_(2, position, new)
            return kept[0][:, :, :length], kept[1][:, :, :length]

        x = self._embed(tokens, self._decoder.positional_embedding[position])
        past = torch.arange(length, device=self.device) <= position
        attend = partial(functional.scaled_dot_product_attention, attn_mask=past[None, None, None])
        return self.logits(self._layers(x, remember, attend, heard, beams=beams)[:, -1])

    def _embed(self, tokens: Tensor, places: Tensor) -> Tensor:
        x: Tensor = self._decoder.token_embedding(tokens) + places
        return x.to(self._dtype)

    def _layers(
        self,
        x: Tensor,
        remember: Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]],
        attend: Attend,
        heard: KVCache,
        notice: QueryHook | None = None,
        beams: int = 1,
    ) -> Tensor:
        """All layers. ``remember``: adds a layer's new keys and values, and returns all of them."""
        rows, count = x.shape[:2]
        for number, (block, norms) in enumerate(
            zip(self._decoder.blocks, self._norms, strict=True)
        ):
            attn_ln, cross_attn_ln, mlp_ln = norms
            y = attn_ln(x)
            new = (self._split(block.attn.key(y)), self._split(block.attn.value(y)))
            keys, values = remember(number, *new)
            queries = self._split(block.attn.query(y))
            x = x + block.attn.out(_joined(attend(queries, keys, values)))
            keys, values = (each[: rows // beams] for each in heard.content[number])
            # A window's rows ask as one row with a token for each: its keys are read once.
            y = cross_attn_ln(x).view(rows // beams, beams * count, -1)
            queries = self._split(block.cross_attn.query(y))
            if notice:
                notice(number, queries)
            listened = functional.scaled_dot_product_attention(queries, keys, values)
            x = x + block.cross_attn.out(_joined(listened)).view(x.shape)
            x = x + block.mlp(mlp_ln(x))
        return self._last_norm(x)

    def logits(self, states: Tensor) -> Tensor:
        """Of each state, (rows, state): its logits in float32, (rows, vocabulary).

        The vocabulary stands first in the product: a CPU needs half the time for it that way.
        """
        return (self._embeddings @ states.T).T.float().contiguous()

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self._heads, -1).transpose(1, 2)


def _joined(x: Tensor) -> Tensor:
    """(rows, heads, tokens, width) to (rows, tokens, state)."""
    return x.transpose(1, 2).flatten(2)
