"""A batch to what its recordings say in it: the engine's results, and the faults of the sources."""

from collections.abc import Iterable

from transcription_contract.decoding import LanguagePer
from transcription_contract.options import LANGUAGE_AUTO
from transcription_contract.termination import Failure
from whisper_transcriber.audio.cache import AudioCache
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.audio.windows import Batch
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.layout import Group, ItemText, Part, ShardPlan
from whisper_transcriber.decoding.fallback import FallbackDecoder
from whisper_transcriber.decoding.transcript import Segment, from_passage
from whisper_transcriber.engine.protocol import Engine
from whisper_transcriber.errors import ITEM_FAULTS


class BatchTranscriber:
    """Decodes batches, in the job's mode."""

    def __init__(self, job: Job, engine: Engine, recordings: AudioCache, *, strict: bool) -> None:
        """``strict``: a recording's fault ends the job."""
        self._job = job
        self._engine = engine
        self._recordings = recordings
        self._strict = strict
        self._per_slice = job.task.decoding.language_per is LanguagePer.SLICE
        self._decoder = FallbackDecoder(
            engine,
            job.task.batch_size,
            self._waveform,
            recordings.integers,
            job.task.decoding,
            translates=job.task.task == "translate",
            keeps_words=job.task.times_words,
        )

    def transcribe(self, group: Group, plan: ShardPlan, batch: Batch) -> Part:
        """The text of a batch of one of the group's shards."""
        if plan.whole:
            texts = (self._whole(group.first),) if batch.samples else ()
            return Part(texts=texts, device=self._engine.description)
        faults = self._faults(batch)
        languages = {
            item: found.language for item, found in zip(group.items, plan.items, strict=True)
        }
        windows = [window for window in batch.windows if window.item not in faults]
        heard = self._decoder.decode(windows, languages)
        self._job.metrics.suspect_segments.inc(heard.suspect)
        self._job.metrics.dropped_seconds.inc(heard.dropped_seconds)
        decoded = [
            ItemText(item=item, segments=tuple(self._told(item, found, languages[item])))
            for item, found in heard.segments.items()
        ]
        failed = [ItemText(item=item, failure=fault) for item, fault in faults.items()]
        return Part(texts=(*decoded, *failed), device=self._engine.description)

    def _waveform(self, item: int, start: int, stop: int, lane: int) -> Waveform:
        """A window's sound. A batch whose windows are tried again and again is no standstill."""
        self._job.watchdog.sign_of_life()
        return self._recordings.waveform(item, start, stop, lane)

    def _told(self, item: int, segments: Iterable[Segment], language: str) -> Iterable[Segment]:
        """Segments that name their language, where each slice has its own, and their channel,
        where there are several."""
        changes: dict[str, object] = {"language": language} if self._per_slice else {}
        if self._recordings.lanes(item) == 1:
            changes["channel"] = None
        return (each.model_copy(update=changes) for each in segments)

    def _whole(self, item: int) -> ItemText:
        """By openai-whisper's transcribe(), which wants all of it in memory."""
        lanes = self._recordings.lanes(item)
        texts = [self._whole_lane(item, lane) for lane in range(lanes)]
        if lanes == 1:
            return texts[0]
        segments = [
            each.model_copy(update={"channel": lane + 1})
            for lane, text in enumerate(texts)
            for each in text.segments
        ]
        segments.sort(key=lambda each: (each.start, each.channel or 0))
        return texts[0].model_copy(update={"segments": tuple(segments)})

    def _whole_lane(self, item: int, lane: int) -> ItemText:
        task, samples = self._job.task, self._recordings.samples(item, lane)
        language = None if task.language == LANGUAGE_AUTO else task.language

        def at_each_window() -> None:
            self._job.interruption.check()
            self._job.watchdog.sign_of_life()

        passage = self._engine.transcribe(
            samples.waveform(0, samples.count), language, at_each_window
        )
        segments = tuple(from_passage(passage))
        return ItemText(item=item, segments=segments, language=passage.language)

    def _faults(self, batch: Batch) -> dict[int, Failure]:
        """Why recordings of the batch, which were readable when it was planned, no longer are."""
        found: dict[int, Failure] = {}
        for item in dict.fromkeys(window.item for window in batch.windows):
            last = max(window.stop for window in batch.windows if window.item == item)
            try:
                self._recordings.samples(item).has(last)
            except ITEM_FAULTS as error:
                if self._strict:
                    raise
                found[item] = error.failure
        return found
