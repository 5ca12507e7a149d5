"""logs: what a job's workers say."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from queue import Queue
from threading import Thread

import click

from kubectl_transcribe import flags
from kubectl_transcribe.cluster import Json
from kubectl_transcribe.errors import NotFoundError, RefusedError
from kubectl_transcribe.progress import no_pods
from kubectl_transcribe.terminal import say, write

_Said = Queue[bytes | Exception | None]
"""Lines; what a source ended with; None: one has ended."""

_AHEAD = 1000
"""Lines that are read before they are printed."""


@click.command()
@flags.job_name
@click.option("-f", "--follow", is_flag=True, help="Go on with what the workers say next.")
@click.option("--tail", type=click.IntRange(min=0), metavar="LINES", help="Only the last lines.")
@flags.connection
@click.pass_context
def logs(context: click.Context, name: str, follow: bool, tail: int | None) -> None:
    """Print the logs of a TranscriptionJob's workers.

    The oldest worker's is the first. With more than one, each line begins with its pod's
    name, as `kubectl logs --prefix`.
    """
    cluster = flags.connect(context)
    job = cluster.job(name)
    pods = cluster.workers(job.metadata.uid)
    if not pods:
        raise NotFoundError(no_pods(job))

    def lines(pod: Json) -> Iterator[bytes]:
        pod_name = pod["metadata"]["name"]
        prefix = f"[pod/{pod_name}] ".encode() if len(pods) > 1 else b""
        if "nodeName" not in pod["spec"]:
            say(f"pod {pod_name} has not begun: it is on no node yet")
            return
        try:
            for each in _lines(cluster.log(pod, follow=follow, tail=tail)):
                yield prefix + each
        except RefusedError as error:
            say(f"pod {pod_name}: {error.message}")

    each_pods = [lines(pod) for pod in pods]
    # All at once when they are followed, or the second would wait for the first one's end.
    for line in _merged(each_pods) if follow else chain.from_iterable(each_pods):
        write(line)


def _merged(sources: Sequence[Iterator[bytes]]) -> Iterator[bytes]:
    """What several sources say, as it comes; an error of one is raised when all have ended."""
    said: _Said = Queue(_AHEAD)
    for source in sources:
        # Daemons: one that waits for a silent worker must not keep the program from ending.
        Thread(target=_feed, args=(source, said), daemon=True).start()
    errors, open_sources = [], len(sources)
    while open_sources:
        match said.get():
            case None:
                open_sources -= 1
            case Exception() as error:
                errors.append(error)
            case line:
                yield line
    if errors:
        raise errors[0]


def _feed(source: Iterator[bytes], said: _Said) -> None:
    try:
        for each in source:
            said.put(each)
    except Exception as error:
        said.put(error)
    finally:
        said.put(None)


def _lines(chunks: Iterable[bytes]) -> Iterable[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (each + b"\n" for each in whole)
    if rest:
        yield rest + b"\n"
