"""Plans as they are needed: each read from the workspace, or made and stored there."""

import logging

from transcription_contract.task import Task
from whisper_transcriber import plan, shards
from whisper_transcriber.plan import Span
from whisper_transcriber.samples import Samples
from whisper_transcriber.shards import ItemAudio, ShardPlan
from whisper_transcriber.vad import VoiceDetector
from whisper_transcriber.workspace import Workspace

log = logging.getLogger(__name__)

_ITEM = 0


class Planner:
    """The plans of one recording, whose samples are on disk."""

    def __init__(
        self, workspace: Workspace, task: Task, samples: Samples, slice_samples: int
    ) -> None:
        self._workspace = workspace
        self._batch_size = task.batch_size
        self._samples = samples
        self._detector: VoiceDetector | None = None
        self._plans: dict[int, ShardPlan] = {}
        self.audio = workspace.agree(
            shards.item_audio_name(_ITEM), ItemAudio, lambda: self._slices(slice_samples)
        )

    @property
    def shard_count(self) -> int:
        """How many shards the recording has."""
        return len(self.audio.slices)

    def shard(self, number: int) -> ShardPlan:
        """A shard's plan, made if nobody has made it yet."""
        if number not in self._plans:
            self._plans[number] = self._workspace.agree(
                shards.shard_name(number), ShardPlan, lambda: self._plan(number)
            )
        return self._plans[number]

    def known_shard(self, number: int) -> ShardPlan | None:
        """A shard's plan if anybody has made it."""
        if number not in self._plans:
            found = self._workspace.find(shards.shard_name(number), ShardPlan)
            if found is None:
                return None
            self._plans[number] = found
        return self._plans[number]

    def _slices(self, slice_samples: int) -> ItemAudio:
        found = plan.slices(self._samples.count, self._samples.integers, slice_samples)
        return ItemAudio(samples=self._samples.count, slices=tuple(found))

    def _plan(self, number: int) -> ShardPlan:
        within: Span = self.audio.slices[number]
        self._detector = self._detector or VoiceDetector()
        probabilities = self._detector.probabilities(
            self._samples.waveform, within.start, within.stop
        )
        stretches = plan.speech(probabilities.tolist(), within)
        windows = plan.windows(stretches, self._samples.integers)
        units = plan.units(windows, within, self._batch_size)
        log.info("shard %d: %d windows in %d units", number, len(windows), len(units))
        return ShardPlan(item=_ITEM, start=within.start, stop=within.stop, units=units)
