"""What the operator asks of the API server, by its paths; transcription_kube knows how.

Objects travel as the JSON that the API server speaks: the client's typed models of all of
Kubernetes would be built for each pod that is listed, to read ten fields of it.
"""

import logging
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from transcription_api import GROUP, OWNER_UID_LABEL, PLURAL, VERSION
from transcription_kube.client import ApiClient
from transcription_kube.collection import Collection, collection_path
from transcription_kube.errors import ApiError, ConflictError, NotFoundError
from transcription_operator.policies import names

Json = dict[str, Any]

_MERGE_PATCH = "application/merge-patch+json"
_STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
"""Keeps the other conditions of a pod."""
log = logging.getLogger(__name__)


class Cluster:
    """One cluster, by an open client."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def namespaces(self, selector: str) -> Collection:
        """The namespaces whose labels match a selector."""
        return Collection(self._client, "/api/v1", None, "namespaces", selector)

    def transcription_jobs(self, namespace: str | None) -> Collection:
        """The resources of a namespace, or of all."""
        return Collection(self._client, _GROUP_PATH, namespace, PLURAL)

    def jobs(self, namespace: str | None) -> Collection:
        """Our Jobs."""
        return Collection(self._client, _BATCH_PATH, namespace, "jobs", OWNER_UID_LABEL)

    def pods(self, namespace: str | None) -> Collection:
        """Our pods."""
        return Collection(self._client, "/api/v1", namespace, "pods", OWNER_UID_LABEL)

    def pod_refusals(self, namespace: str | None) -> Collection:
        """FailedCreate Events of all Jobs, not only ours."""
        return Collection(
            self._client,
            "/api/v1",
            namespace,
            "events",
            fields="involvedObject.kind=Job,reason=FailedCreate",
        )

    async def patch_status(self, namespace: str, name: str, patch: Json) -> Json:
        """Merge a patch into a TranscriptionJob's status subresource; the whole object after it.

        Raises:
            ConflictError: the patch carries a resourceVersion that is no longer the latest.
            NotFoundError: the resource is gone.
        """
        path = f"{collection_path(_GROUP_PATH, namespace, PLURAL)}/{quote(name)}/status"
        return await self._client.request("PATCH", path, body=patch, content_type=_MERGE_PATCH)

    async def get_transcription_job(self, namespace: str, name: str) -> Json | None:
        """The TranscriptionJob, or None."""
        return await self._get(f"{collection_path(_GROUP_PATH, namespace, PLURAL)}/{quote(name)}")

    async def delete_transcription_job(
        self, namespace: str, name: str, uid: str, resource_version: str
    ) -> None:
        """Delete a TranscriptionJob as it was observed.

        Raises:
            ConflictError: it has changed since, or is another one.
        """
        path = f"{collection_path(_GROUP_PATH, namespace, PLURAL)}/{quote(name)}"
        options = {"preconditions": {"uid": uid, "resourceVersion": resource_version}}
        await self._delete(path, options)

    async def get_job(self, namespace: str, name: str) -> Json | None:
        """The Job, or None."""
        return await self._get(_job(namespace, name))

    async def create_job(self, namespace: str, manifest: Json) -> Json:
        """Create a Job and return it.

        Raises:
            ConflictError: there is one of that name.
        """
        path = collection_path(_BATCH_PATH, namespace, "jobs")
        return await self._client.request("POST", path, body=manifest)

    async def change_job(
        self, namespace: str, name: str, uid: str, spec: Json, annotations: Json
    ) -> Json:
        """Set fields of a Job's spec, and its annotations (None removes one); the Job after it.

        Raises:
            ConflictError: the Job of that name is another one.
        """
        metadata = {"uid": uid} | ({"annotations": annotations} if annotations else {})
        body = {"metadata": metadata, "spec": spec}
        return await self._client.request(
            "PATCH", _job(namespace, name), body=body, content_type=_MERGE_PATCH
        )

    async def delete_job(self, namespace: str, name: str, uid: str) -> None:
        """Delete a Job and its pods; none there is as good.

        The API's own default for Jobs orphans the pods, so the policy is stated.

        Raises:
            ConflictError: the Job of that name is another one.
        """
        options = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        await self._delete(_job(namespace, name), options)

    async def pods_of(self, namespace: str, owner_uid: str) -> list[Json]:
        """The pods of all attempts of a TranscriptionJob, as they are now."""
        query = [("labelSelector", names.owned_by(owner_uid))]
        path = collection_path("/api/v1", namespace, "pods")
        items: list[Json] = (await self._client.request("GET", path, query=query))["items"]
        return items

    async def end_pod(self, namespace: str, name: str, status: Json, *, told: bool) -> Json | None:
        """Write fields of a pod's status, its phase among them; the pod after it, None if it is
        gone.

        ``told``: with an annotation, at which its kubelet stops what still runs.
        """
        body: Json = {"status": status}
        if told:
            # Never the same twice: the kubelet acts on a change.
            written = datetime.now(UTC).isoformat(timespec="milliseconds")
            body["metadata"] = {"annotations": {names.ENDED_ANNOTATION: written}}
        return await self._patch_pod(namespace, name, body, _MERGE_PATCH)

    async def mark_deleted(self, namespace: str, name: str) -> Json | None:
        """Add the condition DisruptionTarget to a pod; the pod after it, None if it is gone."""
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PodDeleted",
            "message": "The pod is being deleted, which is no failure of the worker",
        }
        body = {"status": {"conditions": [condition]}}
        return await self._patch_pod(namespace, name, body, _STRATEGIC_MERGE_PATCH)

    async def _patch_pod(
        self, namespace: str, name: str, body: Json, content_type: str
    ) -> Json | None:
        path = f"{collection_path('/api/v1', namespace, 'pods')}/{quote(name)}/status"
        try:
            return await self._client.request("PATCH", path, body=body, content_type=content_type)
        except NotFoundError:
            return None

    async def is_silent(self, node: str) -> bool | None:
        """Whether a node is gone or not Ready; None when we may not know."""
        try:
            found = await self._client.request("GET", f"/api/v1/nodes/{quote(node)}")
        except NotFoundError:
            return True
        except ApiError as error:
            if error.is_forbidden:
                return None
            raise
        conditions = found.get("status", {}).get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] != "True" for c in conditions)

    async def is_ending(self, namespace: str) -> bool:
        """Whether a namespace is being deleted; False when we may not know."""
        try:
            found = await self._client.request("GET", f"/api/v1/namespaces/{quote(namespace)}")
        except NotFoundError:
            return False
        except ApiError as error:
            if error.is_forbidden:
                return False
            raise
        return bool(found.get("status", {}).get("phase") == "Terminating")

    async def create_event(self, namespace: str, manifest: Json) -> None:
        """Create an Event; a failure is only logged."""
        path = collection_path(_EVENTS_PATH, namespace, "events")
        try:
            await self._client.request("POST", path, body=manifest)
        except ConflictError:
            return  # The client has repeated a request that was carried out.
        except (ApiError, OSError, TimeoutError) as error:
            log.warning("%s: an Event was not created: %s", namespace, error)

    async def patch_event(self, namespace: str, name: str, patch: Json) -> bool:
        """Merge a patch into an Event; a failure is only logged. False if it does not exist."""
        path = f"{collection_path(_EVENTS_PATH, namespace, 'events')}/{quote(name)}"
        try:
            await self._client.request("PATCH", path, body=patch, content_type=_MERGE_PATCH)
        except NotFoundError:
            return False
        except (ApiError, OSError, TimeoutError) as error:
            log.warning("%s: Event %s was not changed: %s", namespace, name, error)
        return True

    async def _get(self, path: str) -> Json | None:
        try:
            return await self._client.request("GET", path)
        except NotFoundError:
            return None

    async def _delete(self, path: str, body: Json) -> None:
        try:
            await self._client.request("DELETE", path, body=body)
        except NotFoundError:
            return


_GROUP_PATH = f"/apis/{GROUP}/{VERSION}"
_BATCH_PATH = "/apis/batch/v1"
_EVENTS_PATH = "/apis/events.k8s.io/v1"


def _job(namespace: str, name: str) -> str:
    return f"{collection_path(_BATCH_PATH, namespace, 'jobs')}/{quote(name)}"
