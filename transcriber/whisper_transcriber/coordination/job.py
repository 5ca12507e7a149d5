"""One worker's view of one job: what nearly every step needs."""

from dataclasses import dataclass

from transcription_contract.task import Task
from whisper_transcriber.coordination.workspace import Workspace
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.metrics import Metrics
from whisper_transcriber.settings import Settings
from whisper_transcriber.storage.store import Store
from whisper_transcriber.watchdog import Watchdog


@dataclass(frozen=True)
class Job:
    """The task, this worker's number, and its links to the world.

    ``renames_results``: whether a transcript gets another name where its own is taken by one of
    another recording. In a cluster the operator knows the names, so that is refused instead.
    """

    settings: Settings
    store: Store
    workspace: Workspace
    metrics: Metrics
    interruption: Interruption
    watchdog: Watchdog
    renames_results: bool = False

    @property
    def task(self) -> Task:
        """The TranscriptionJob."""
        return self.settings.task

    @property
    def worker(self) -> int:
        """This pod's completion index."""
        return self.settings.worker

    @property
    def has_joined(self) -> bool:
        """Whether spec.workers has grown since the Task was made: the Job's pods keep that Task, so
        that no share of the work is this worker's own. It helps the others."""
        return self.worker >= self.task.workers

    @property
    def has_company(self) -> bool:
        """Whether other workers are known to share the job."""
        return self.task.workers > 1 or self.has_joined
