"""The worker under test, run as the container runs it: a process, a Task, an exit code."""

import hashlib
import json
import os
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from dev.errors import DevError
from tests.benchmarks import corpus
from tests.benchmarks.bench import Bench
from tests.benchmarks.peers import TIMEOUT_SECONDS, Run, segments
from tests.benchmarks.scores import Said
from tests.benchmarks.watch import watch
from tests.integration.transcriber.worker import Worker
from transcription_contract.decoding import AudioContext, Decoding
from transcription_contract.options import OutputFormat
from transcription_contract.task import Limits, Task

BATCH = 8
"""The default of a CPU node pool."""

WINDOW_CONTEXT = Decoding(audio_context=AudioContext.WINDOW)


def transcribe(bench: Bench, recordings: Sequence[Path], **changes: object) -> Run:
    """One job on these recordings in one worker; its start, the model and all else count."""
    task = task_on(bench, recordings, **changes)
    began = time.monotonic()
    worker = start(bench, task)
    watched = watch(worker.process, began, TIMEOUT_SECONDS)
    check(worker)
    return Run(watched.seconds, watched.peak, _heard(bench, task, recordings))


def warm_up(bench: Bench) -> None:
    """A first short job, which fills the model directory."""
    transcribe(bench, [corpus.mp3(bench.long(0.5))])


def task_on(bench: Bench, recordings: Sequence[Path], **changes: object) -> Task:
    """A task on recordings that are uploaded first; their names must differ."""
    options: dict[str, object] = {
        "batch_size": BATCH,
        "formats": (OutputFormat.JSON,),
        "limits": Limits(),
        **changes,
    }
    return bench.cluster.task(upload(bench, recordings), **options)


def upload(bench: Bench, recordings: Sequence[Path]) -> str:
    """The URI of one recording in the store, or of a prefix with all of them."""
    names = "\n".join(map(str, recordings))
    folder = hashlib.sha256(names.encode()).hexdigest()[:12]
    store = bench.cluster.store
    there: Collection[str] = store.list(f"s3://media/{folder}/")
    for path in recordings:
        if path.name not in there:
            store.put("media", f"{folder}/{path.name}", path)
    one = recordings[0].name if len(recordings) == 1 else ""
    return f"s3://media/{folder}/{one}"


def start(bench: Bench, task: Task, index: int = 0, core: int | None = None) -> Worker:
    """Start a worker, with all threads or on one core alone."""
    threads = bench.threads if core is None else 1
    worker = bench.cluster.start(task, index, {"OMP_NUM_THREADS": str(threads)})
    if core is not None:
        # Its own threads inherit it: they are started much later.
        os.sched_setaffinity(worker.process.pid, {core})
    return worker


def check(worker: Worker) -> None:
    """DevError with the worker's log unless it ended well."""
    if worker.process.returncode:
        raise DevError(f"A worker ended with {worker.process.returncode}:\n{worker.log[-3000:]}")


def _heard(bench: Bench, task: Task, recordings: Sequence[Path]) -> tuple[tuple[Said, ...], ...]:
    outputs = bench.cluster.outputs(task)
    if len(recordings) == 1:
        (content,) = outputs.values()
        return (segments(json.loads(content)),)
    return tuple(segments(json.loads(outputs[f"{path.name}.json"])) for path in recordings)
