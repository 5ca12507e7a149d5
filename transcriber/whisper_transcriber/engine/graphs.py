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

_LENGTHS = (32, 64, 128, 256)
"""Positions that a graph reads of what was said, or all that are kept; a window of 15 s comes to
some 60 tokens."""

_ROUNDED_TO = 32
"""Positions that are kept are a multiple of it: kernels prefer even sizes."""

_MOST_STEPS = 48
"""Each captured step keeps its logits. With audioContext: window there is one for each second that
a batch's longest window may have."""

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
        self._pool: torch.cuda._POOL_HANDLE | None = None
        if self.device.type == "cuda":
            self._pool = torch.cuda.graph_pool_handle()
            # One for all captures: cuBLAS keeps a workspace for each stream that it has seen.
            self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

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
        if positions > self._said.shape[4]:
            self._forget_steps()
            kept = -(-positions // _ROUNDED_TO) * _ROUNDED_TO
            self._said = self.blank(0, 0).content  # given back first
            self._said = self.blank(self._heard.shape[2] * self._beams, kept).content
        # A step reads, and gives no weight to, what is not written yet, which may be no number.
        self._said.zero_()
        return KVCache(self._said[:, :, :rows], filled=0)

    def step(self, tokens: Tensor, said: KVCache, heard: KVCache, beams: int = 1) -> Tensor:
        """See TextDecoder.step; the logits are overwritten by the next step."""
        rows = len(tokens)
        kept = said.content.shape[4]
        length = min(kept, next((each for each in _LENGTHS if each > said.filled), kept))
        windows = min(_power_of_two(rows // beams), self._heard.shape[2])
        self._position.fill_(said.filled)  # what a capture writes, this step writes again
        key = (windows, beams, length, heard.filled)
        if key not in self._steps:
            if len(self._steps) >= _MOST_STEPS:
                self._forget_steps()
            self._steps[key] = self._made(*key)
        step = self._steps[key]
        step.tokens[:rows] = tokens
        step.run()
        said.filled += 1
        return step.logits[:rows]

    def release(self) -> None:
        """Give the memory back; the next batch takes what it needs."""
        self._forget_steps()
        self._said = self._heard = self.blank(0, 0).content

    def _forget_steps(self) -> None:
        """All of them: a pool without a graph cannot be used again."""
        self._steps.clear()
        if self._pool is not None:
            self._pool = torch.cuda.graph_pool_handle()

    def _keep(self, windows: int, positions: int) -> None:
        """Have memory to hear so many windows at least."""
        most, longest = self._heard.shape[2], self._heard.shape[4]
        if windows > most or positions > longest:
            self.release()
            self._heard = self.blank(max(windows, most), max(positions, longest)).content

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
                if _is_out_of_memory(error):
                    raise
                log.warning("CUDA graphs cannot be captured, decoding is slower: %s", error)
                self._steps.clear()
                self._pool = None
        logits = run()
        return _Step(tokens, logits, lambda: logits.copy_(run()))

    def _captured_run(self, run: Callable[[], Tensor]) -> tuple[Tensor, Callable[[], object]]:
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            for _ in range(_WARM_UP):
                run()
        torch.cuda.current_stream().wait_stream(self._stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
            logits = run()
        return logits, graph.replay


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Also where the end of the capture failed in its turn, and hides why."""
    before = error.__context__
    return is_out_of_memory(error) or (
        isinstance(before, RuntimeError) and is_out_of_memory(before)
    )


def _power_of_two(windows: int) -> int:
    """That holds so many windows: a graph for each number would take long."""
    return 1 << (windows - 1).bit_length()
