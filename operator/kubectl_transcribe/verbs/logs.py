"""logs: what a job's workers say."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import click

from kubectl_transcribe import flags
from kubectl_transcribe.cluster import Json
from kubectl_transcribe.errors import NotFoundError, RefusedError
from kubectl_transcribe.terminal import say, write


@click.command()
@flags.job_name
@click.option("-f", "--follow", is_flag=True, help="Go on with what the workers say next.")
@click.option("--tail", type=click.IntRange(min=0), metavar="LINES", help="Only the last lines.")
@flags.connection
@click.pass_context
def logs(context: click.Context, name: str, follow: bool, tail: int | None) -> None:
    """Print the logs of a TranscriptionJob's workers, the oldest first.

    With more than one worker each line begins with its pod's name, as `kubectl logs --prefix`.
    """
    cluster = flags.connect(context)
    pods = cluster.workers(cluster.job(name).metadata.uid)
    if not pods:
        raise NotFoundError(
            f"TranscriptionJob {name} has no pods: it has not begun, or they have been removed; "
            f"`kubectl describe tj {name} -n {cluster.namespace}` says more"
        )

    def show(pod: Json) -> None:
        pod_name = pod["metadata"]["name"]
        prefix = f"[pod/{pod_name}] ".encode() if len(pods) > 1 else b""
        if "nodeName" not in pod["spec"]:
            say(f"pod {pod_name} has not begun: it is on no node yet")
            return
        try:
            for each in _lines(cluster.log(pod, follow=follow, tail=tail)):
                write(prefix + each)
        except RefusedError as error:
            say(f"pod {pod_name}: {error.message}")

    # All at once when they are followed, or the second would wait for the first one's end.
    with ThreadPoolExecutor(len(pods) if follow else 1) as readers:
        list(readers.map(show, pods))


def _lines(chunks: Iterable[bytes]) -> Iterable[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (each + b"\n" for each in whole)
    if rest:
        yield rest + b"\n"
