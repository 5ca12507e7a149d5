"""A job's metrics as a bar on a terminal."""

import threading
from types import TracebackType
from typing import Self

from tqdm import tqdm  # type: ignore[import-untyped]

from transcription_contract import metric_names
from whisper_transcriber.metrics import Metrics

_SECONDS = 0.5


class ProgressBar:
    """Shows, while it is entered, how many seconds of audio are done."""

    def __init__(self, metrics: Metrics, *, enabled: bool) -> None:
        self._metrics = metrics
        self._enabled = enabled
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._show, name="progress", daemon=True)

    def __enter__(self) -> Self:
        if self._enabled:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left.set()
        if self._enabled:
            self._thread.join()

    def _show(self) -> None:
        with tqdm(unit="s", unit_scale=True, dynamic_ncols=True, desc="transcribing") as bar:
            while True:
                left = self._left.wait(_SECONDS)
                bar.total = round(self._value(metric_names.TOTAL_SECONDS)) or None
                bar.n = round(self._value(metric_names.PROCESSED_SECONDS))
                bar.refresh()
                if left:
                    return

    def _value(self, name: str) -> float:
        return self._metrics.registry.get_sample_value(name) or 0.0
