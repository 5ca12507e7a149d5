"""HTTP requests to workers' pods for their metrics.

Anyone who can create pods in a namespace can serve these answers: their size, time and encoding are
limited.
"""

import aiohttp

from transcription_contract.metric_names import METRICS_PORT
from transcription_kube.errors import words
from transcription_operator.policies.observation import ObservedPod

MAX_BYTES = 64 << 10
"""A worker answers with less than 10 KiB."""

_TIMEOUT_SECONDS = 2.0


class WorkerError(Exception):
    """A worker did not answer, or answered with an error."""


class WorkerClient:
    """Connections to workers, by their pods' addresses.

    Args:
        port: of the metrics.
        timeout: seconds for a whole answer.
    """

    def __init__(self, port: int = METRICS_PORT, timeout: float = _TIMEOUT_SECONDS) -> None:
        self._port = port
        # A compressed answer could grow a thousandfold after its size was limited.
        self._web = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout),
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._web.close()

    async def query(self, pod: ObservedPod) -> str:
        """The first MAX_BYTES of a pod's metrics, as Prometheus text.

        Raises:
            WorkerError: the pod did not answer in time, or refused.
        """
        host = f"[{pod.ip}]" if ":" in (pod.ip or "") else pod.ip
        url = f"http://{host}:{self._port}/metrics"
        try:
            async with self._web.get(url, allow_redirects=False) as answer:
                answer.raise_for_status()
                return await _beginning_of(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise WorkerError(f"{url}: {words(error)}") from error


async def _beginning_of(answer: aiohttp.ClientResponse) -> str:
    """``read(n)`` would return with the first piece that arrives, and ``read()`` at the end."""
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) >= MAX_BYTES:
            break
    return content[:MAX_BYTES].decode(errors="replace")
