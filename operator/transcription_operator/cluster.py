"""The API server, and the workers' metrics; no other module talks to either.

Objects travel as the JSON that the API server speaks: the client's typed models of all of
Kubernetes would be built for each pod that is listed, to read ten fields of it.
"""

import asyncio
import json
import logging
import os
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from kubernetes.aio import client, config

from transcription_contract.metric_names import METRICS_PORT
from transcription_operator.api import GROUP, PLURAL, VERSION
from transcription_operator.errors import ApiError, ConflictError, NotFoundError

Json = dict[str, Any]

_TIMEOUT_SECONDS = 30
_METRICS_TIMEOUT_SECONDS = 2.0
_METRICS_BYTES = 1 << 20
_MERGE_PATCH = "application/merge-patch+json"
log = logging.getLogger(__name__)


class Cluster:
    """An open connection to one cluster."""

    def __init__(self, api: client.ApiClient, web: aiohttp.ClientSession) -> None:
        self._api = api
        self._web = web

    @classmethod
    async def connect(cls) -> Self:
        """By the pod's service account, or outside a cluster by KUBECONFIG."""
        settings = client.Configuration()
        if "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(settings)  # type: ignore[no-untyped-call]
        else:
            await config.load_kube_config(  # type: ignore[no-untyped-call]
                client_configuration=settings
            )
        timeout = aiohttp.ClientTimeout(total=_METRICS_TIMEOUT_SECONDS)
        return cls(client.ApiClient(settings), aiohttp.ClientSession(timeout=timeout))

    async def close(self) -> None:
        """Close every connection."""
        await self._api.close()  # type: ignore[no-untyped-call]
        await self._web.close()

    async def get_transcription_job(self, namespace: str, name: str) -> Json | None:
        """The resource, or None when it is gone."""
        return await self._get(_transcription_job(namespace, name))

    async def patch_status(self, namespace: str, name: str, patch: Json) -> None:
        """Merge a patch into the status subresource.

        Raises:
            ConflictError: the patch carries a resourceVersion that is no longer the latest.
            NotFoundError: the resource is gone.
        """
        path = f"{_transcription_job(namespace, name)}/status"
        await self._request("PATCH", path, body=patch, content_type=_MERGE_PATCH)

    async def get_job(self, namespace: str, name: str) -> Json | None:
        """The Job, or None."""
        return await self._get(f"{_jobs(namespace)}/{quote(name)}")

    async def create_job(self, namespace: str, manifest: Json) -> Json:
        """Create a Job and return it.

        Raises:
            ConflictError: there is one of that name.
        """
        return await self._request("POST", _jobs(namespace), body=manifest)

    async def delete_job(self, namespace: str, name: str) -> None:
        """Delete a Job and its pods; none there is as good.

        The API's own default for Jobs orphans the pods, so the policy is stated.
        """
        body = {"propagationPolicy": "Background"}
        try:
            await self._request("DELETE", f"{_jobs(namespace)}/{quote(name)}", body=body)
        except NotFoundError:
            return

    async def list_pods(self, namespace: str, selector: str) -> list[Json]:
        """The pods that a label selector finds."""
        path = f"/api/v1/namespaces/{quote(namespace)}/pods"
        answer = await self._request("GET", path, query=[("labelSelector", selector)])
        items: list[Json] = answer["items"]
        return items

    async def create_event(self, namespace: str, manifest: Json) -> None:
        """Post an Event; one that cannot be posted is only logged."""
        try:
            await self._request(
                "POST", f"/api/v1/namespaces/{quote(namespace)}/events", body=manifest
            )
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("%s: an Event was not posted: %s", namespace, error)

    async def worker_metrics(self, addresses: list[str]) -> list[str]:
        """The metrics of the workers that answer, as Prometheus text, asked all at once."""
        answers = await asyncio.gather(*(self._metrics(address) for address in addresses))
        return [answer for answer in answers if answer is not None]

    async def _metrics(self, address: str) -> str | None:
        host = f"[{address}]" if ":" in address else address
        try:
            url = f"http://{host}:{METRICS_PORT}/metrics"
            async with self._web.get(url, allow_redirects=False) as answer:
                answer.raise_for_status()
                return await _beginning_of(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.debug("the worker at %s does not answer: %r", address, error)
            return None

    async def _get(self, path: str) -> Json | None:
        try:
            return await self._request("GET", path)
        except NotFoundError:
            return None

    async def _request(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None = None,
        body: Json | None = None,
        content_type: str = "application/json",
    ) -> Json:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        request = await self._api.param_serialize(
            method=method,
            resource_path=path,
            query_params=query,
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        response = await self._api.call_api(*request, _request_timeout=_TIMEOUT_SECONDS)
        content: bytes = await response.read()  # type: ignore[no-untyped-call]
        if not 200 <= response.status <= 299:
            raise _error(response.status, content)
        answer: Json = json.loads(content)
        return answer


async def _beginning_of(answer: aiohttp.ClientResponse) -> str:
    """The first megabyte: whoever answers may never end, and ``read(n)`` returns with the first
    piece that arrives."""
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) >= _METRICS_BYTES:
            break
    return content[:_METRICS_BYTES].decode(errors="replace")


def _error(status: int, content: bytes) -> ApiError:
    try:
        message = str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        message = content[:300].decode(errors="replace")
    kind = {404: NotFoundError, 409: ConflictError}.get(status, ApiError)
    return kind(status, message)


def _transcription_job(namespace: str, name: str) -> str:
    return f"/apis/{GROUP}/{VERSION}/namespaces/{quote(namespace)}/{PLURAL}/{quote(name)}"


def _jobs(namespace: str) -> str:
    return f"/apis/batch/v1/namespaces/{quote(namespace)}/jobs"
