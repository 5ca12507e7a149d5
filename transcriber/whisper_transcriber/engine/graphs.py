"""The text decoder with CUDA graphs: a step of a large model is a thousand kernels of microseconds,
and one launch.

A graph reads and writes the addresses that it was captured with, so that keys and values live in
memory that is kept from batch to batch
(https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from whisper.model import Whisper  # type: ignore[import-untyped]

from whisper_transcriber.engine.decoder import KVCache, TextDecoder
from whisper_transcriber.engine.halving import is_out_of_memory

log = logging.getLogger(__name__)

_LENGTHS = (32, 64, 128, 256, 512)
"""Positions that a graph reads of what was said; a window of 15 s comes to some 60 tokens."""

_WARM_UP = 2
"""Runs before a capture: libraries choose their kernels, and allocate, in the first one."""


@dataclass(frozen=True)
class _Step:
    """A captured step. ``run`` fills ``logits``, (rows, vocabulary), from ``tokens``, (rows, 1)."""

    tokens: Tensor
    logits: Tensor
    run: Callable[[], object]


class GraphedDecoder(TextDecoder):
    """A text decoder for batches of one after the other: ``hear`` and ``begin`` give memory that
    the next batch will have.

    On a CPU the steps are the same, and run as they are.

    Args:
        model: what to run.
        dtype: its precision.
        beams: rows that a window has at most.
    """

    def __init__(self, model: Whisper, dtype: torch.dtype, beams: int) -> None:
        super().__init__(model, dtype)
        self._beams = beams
        self._said = self._heard = self.blank(0, 0).content
        self._steps: dict[tuple[int, int, int, int], _Step] = {}
        self._position = torch.zeros(1, dtype=torch.long, device=self.device)
        self._pool = torch.cuda.graph_pool_handle() if self.device.type == "cuda" else None

    @property
    def captured(self) -> int:
        """How many steps are captured."""
        return len(self._steps)

    def hear(self, features: Tensor) -> KVCache:
        """See TextDecoder.hear."""
        windows, positions = features.shape[:2]
        self._keep(windows, positions)
        content = self._heard[:, :, :windows, :, :positions]
        self.hear_into(content, features)
        return KVCache(content, filled=positions)

    def begin(self, rows: int, positions: int) -> KVCache:
        """See TextDecoder.begin. Called after ``hear``."""
        length = _length(positions - 1)
        if length > self._said.shape[4]:
            self._steps.clear()
            self._said = self.blank(0, 0).content  # given back first
            self._said = self.blank(self._heard.shape[2] * self._beams, length).content
        # A step reads, and gives no weight to, what is not written yet, which may be no number.
        self._said.zero_()
        return KVCache(self._said[:, :, :rows], filled=0)

    def step(self, tokens: Tensor, said: KVCache, heard: KVCache, beams: int = 1) -> Tensor:
        """See TextDecoder.step; the logits are overwritten by the next step."""
        rows = len(tokens)
        length = min(_length(said.filled), said.content.shape[4])
        self._position.fill_(said.filled)  # what a capture writes, this step writes again
        key = (_bucket(rows // beams), beams, length, heard.filled)
        if key not in self._steps:
            self._steps[key] = self._made(*key)
        step = self._steps[key]
        step.tokens[:rows] = tokens
        step.run()
        said.filled += 1
        return step.logits[:rows]

    def release(self) -> None:
        """Give the memory back; the next batch takes what it needs."""
        self._steps.clear()
        self._said = self._heard = self.blank(0, 0).content
        if self._pool is not None:
            self._pool = torch.cuda.graph_pool_handle()

    def _keep(self, windows: int, positions: int) -> None:
        """Have memory to hear so many windows at least."""
        if windows <= self._heard.shape[2] and positions <= self._heard.shape[4]:
            return
        positions = max(positions, self._heard.shape[4])
        self.release()
        self._heard = self.blank(_bucket(windows), positions).content

    def _made(self, windows: int, beams: int, length: int, positions: int) -> _Step:
        """A step, captured where that works: without, everything is the same and takes longer."""
        tokens = torch.zeros((windows * beams, 1), dtype=torch.long, device=self.device)
        said = KVCache(self._said[:, :, : len(tokens)], filled=0)
        heard = KVCache(self._heard[:, :, :windows, :, :positions], filled=positions)

        def run() -> Tensor:
            return self.step_at(tokens, self._position, length, said, heard, beams)

        if self._pool is not None:
            try:
                return _Step(tokens, *self._captured_run(run))
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                log.warning("decoding goes on without CUDA graphs, and slower: %s", error)
                self._pool = None
        logits = run()
        return _Step(tokens, logits, lambda: logits.copy_(run()))

    def _captured_run(self, run: Callable[[], Tensor]) -> tuple[Tensor, Callable[[], object]]:
        self._warm_up(run)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            logits = run()
        return logits, graph.replay

    def _warm_up(self, run: Callable[[], Tensor]) -> None:
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                run()
        torch.cuda.current_stream().wait_stream(stream)


def _length(position: int) -> int:
    """How much is read, and kept, to have room for a position."""
    return next(each for each in _LENGTHS if each > position)


def _bucket(windows: int) -> int:
    """The power of two that holds so many windows: a graph for each number would take long."""
    return 1 << (windows - 1).bit_length()
