"""What every benchmark is given: sizes, the demo model, and workers beside an S3 server."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from dev import demomodel
from dev.errors import DevError
from tests.benchmarks import corpus
from tests.benchmarks.corpus import PLANS, Clip
from tests.integration.transcriber.conftest import free_port, serve
from tests.integration.transcriber.worker import Cluster, Store
from transcription_contract.options import ModelReference

PREFIX = "BENCH_"


@dataclass(frozen=True)
class Sizes:
    """How much is measured; each can be set by the environment, as BENCH_LONG_MINUTES=20."""

    rounds: float = 3
    """Of each contender in a race, one after the other in turn; the median counts."""

    scale: float = 1.0
    """Of the accuracy set."""

    long_minutes: float = 60
    short_minutes: float = 10
    """For what is slow: the command's beam search, transcribe() with its fallbacks."""

    hours: float = 10
    files: float = 1000
    random_windows: float = 8
    unit_seconds: float = 20
    """What a unit costs in the scheduler's benchmark, asleep."""

    operator_jobs: float = 10_000
    """Applied at once; also 100 and 1000."""

    operator_one_by_one: float = 200
    operator_lives: float = 50
    """Whose writes are counted."""

    operator_active: float = 5000
    """Running while others end; also a tenth of them."""

    operator_ends: float = 200
    operator_refused: float = 5000
    """In one namespace, while another one's are waited for."""

    operator_hanging: float = 200
    """Behind a webhook that does not answer."""

    operator_settling_seconds: float = 900
    """Until refused jobs' requests are counted: their back-offs have grown by then."""

    operator_queued: float = 1000
    operator_memory_jobs: float = 10_000
    """Also 100 and 1000."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Sizes":
        """The usual sizes but for what ``environ`` says."""
        names = [field.name for field in fields(cls)]
        stated = {name: environ.get(PREFIX + name.upper()) for name in names}
        known = {PREFIX + name.upper() for name in names}
        if unknown := {name for name in environ if name.startswith(PREFIX)} - known:
            raise DevError(f"No such size: {', '.join(unknown)}. Known: {', '.join(known)}.")
        return cls(**{name: float(value) for name, value in stated.items() if value})


@dataclass(frozen=True)
class Bench:
    """The surroundings of a benchmark."""

    sizes: Sizes
    checkpoint: Path
    cluster: Cluster
    scratch: Path
    threads: int

    @property
    def machine(self) -> str:
        """For notes."""
        return f"{self.threads} threads"

    def long(self, minutes: float) -> Clip:
        """A talk with pauses; a shorter one is the beginning of a longer one."""
        plan = next(plan for plan in PLANS if plan.name == "long")
        return corpus.make(replace(plan, seconds=(minutes * 60, minutes * 60)))[0]


@contextmanager
def bench(sizes: Sizes) -> Iterator[Bench]:
    """An S3 server with the demo model, for as long as the benchmarks run."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        scratch = Path(folder)
        port = free_port()
        server = serve(scratch / "s3", port=port)
        try:
            checkpoint = demomodel.unpack()
            store = Store(f"http://127.0.0.1:{port}")
            uri = store.put("models", "demo.pt", checkpoint)
            digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
            cluster = Cluster(
                store, scratch / "workers", ModelReference(uri=uri, sha256=digest), free_port
            )
            yield Bench(sizes, checkpoint, cluster, scratch, len(os.sched_getaffinity(0)))
        finally:
            server.kill()
            server.wait()
