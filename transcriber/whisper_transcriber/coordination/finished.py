"""What lies at the output already: this job's manifest, or that of an earlier job."""

import json

from pydantic import ValidationError

from transcription_contract.locations import manifest_uri
from transcription_contract.options import ExistingOutput
from transcription_contract.task import Task
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.errors import OutputTaken, PlanChanged
from whisper_transcriber.storage.store import ObjectMissingError, Store

_FAIL = ExistingOutput.FAIL


class DeliveredElsewhere(Exception):  # noqa: N818  no error: the way out of all loops
    """Another worker has delivered the whole job."""


def find_manifest(store: Store, task: Task) -> Manifest | None:
    """This job's manifest, if the job is finished.

    Raises:
        OutputTaken: another job's manifest lies there, and this job must not overwrite it.
    """
    content = store.find(manifest_uri(task.output_uri))
    if content is None:
        return None
    owner, uid = _owner(content)
    if uid == task.uid:
        return Manifest.model_validate_json(content)
    allowed = {ExistingOutput.OVERWRITE} if uid is None else set(ExistingOutput) - {_FAIL}
    if task.existing not in allowed:
        raise OutputTaken(
            f"the output {task.output_uri} already contains {owner}: choose a different "
            f"spec.output.uri, or set spec.output.existing to {' or '.join(sorted(allowed))}"
        )
    return None


def earlier_manifest(store: Store, task: Task) -> Manifest | None:
    """The manifest of the job that delivered to this output last, if this version can read it."""
    content = store.find(manifest_uri(task.output_uri))
    try:
        return Manifest.model_validate_json(content) if content else None
    except ValidationError:
        return None


class ManifestWatch:
    """Notices that another worker has finished the job, or another job has delivered.

    ``others``: the manifest of the job that has delivered to the same output last. It may have done
    so since this job, or the worker before this one, listed what lies there.
    Costs one request for each look, without content, as long as nothing has changed.
    """

    def __init__(self, store: Store, task: Task, items_etag: str | None) -> None:
        """``items_etag``: of the items.json that this worker follows."""
        self._store = store
        self._task = task
        self._items_etag = items_etag
        self._known = self._etag()
        self.others = earlier_manifest(store, task) if self._known else None

    def look(self, *, is_ours: bool = False) -> None:
        """Look for a new manifest.

        Args:
            is_ours: whether it can only be this job's. Otherwise it is read.

        Raises:
            DeliveredElsewhere: this job is finished.
            OutputTaken: another job has delivered, and this one must not overwrite it.
        """
        now = self._etag()
        if now == self._known:
            return
        if is_ours or find_manifest(self._store, self._task):
            raise DeliveredElsewhere
        self.others = earlier_manifest(self._store, self._task)
        self._known = now

    def check(self, items_etag: str | None) -> None:
        """Make sure that nothing of another job or plan is overwritten.

        Args:
            items_etag: of items.json now. A finished sibling removes it after it has written the
                manifest, which is therefore looked for second.

        Raises:
            DeliveredElsewhere, OutputTaken: as ``look``.
            PlanChanged: items.json is not the one that this worker followed.
        """
        self.look()
        if items_etag != self._items_etag:
            raise PlanChanged("items.json was replaced while the job was running; it is retried")

    def _etag(self) -> str | None:
        try:
            return self._store.stat(manifest_uri(self._task.output_uri)).etag
        except ObjectMissingError:
            return None


def _owner(content: bytes) -> tuple[str, str | None]:
    try:
        found = json.loads(content)
        return f"results of the TranscriptionJob {found['owner']!s:.200}", str(found["uid"])
    except (ValueError, KeyError, TypeError):
        return "a manifest.json that is not from a TranscriptionJob", None
