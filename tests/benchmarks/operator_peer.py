"""The reference operator: what kopf gives, a queue of keys, and the asynchronous client.

Each new TranscriptionJob gets a Job and a first status. It knows no pool, no failure and no
restart, and its Job is smaller than ours.
"""

import asyncio
import os
from typing import Any

import kopf
from kubernetes.aio import client, config

from transcription_api import GROUP, PLURAL, VERSION

WORKERS = 10
Json = dict[str, Any]


def job(parent: Json) -> Json:
    """Of the same kind as ours: Indexed, with one container and the specification for it."""
    metadata = parent["metadata"]
    owner = {
        "apiVersion": parent["apiVersion"],
        "kind": parent["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    container = {
        "name": "transcriber",
        "image": os.environ["OPERATOR_TRANSCRIBER_IMAGE"],
        "env": [{"name": "TASK", "value": str(parent["spec"])}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{metadata['name']}-1",
            # The chart's policy asks for them.
            "labels": {
                "app.kubernetes.io/managed-by": "transcription-operator",
                "transcription.dev/job-uid": metadata["uid"],
            },
            "ownerReferences": [owner],
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": 1,
            "parallelism": 1,
            "backoffLimitPerIndex": 3,
            "template": {"spec": pod},
        },
    }


async def work(waiting: dict[str, Json], keys: "asyncio.Queue[str]", api: client.ApiClient) -> None:
    """Make Jobs and statuses for ever."""
    while True:
        parent = waiting.pop(await keys.get())
        namespace, name = parent["metadata"]["namespace"], parent["metadata"]["name"]
        made = job(parent)
        await client.BatchV1Api(api).create_namespaced_job(namespace, made)
        status = {"phase": "Pending", "jobName": made["metadata"]["name"]}
        await client.CustomObjectsApi(api).patch_namespaced_custom_object_status(
            GROUP, VERSION, namespace, PLURAL, name, {"status": status},
            _content_type="application/merge-patch+json",
        )  # fmt: skip


async def main() -> None:
    waiting: dict[str, Json] = {}
    keys: asyncio.Queue[str] = asyncio.Queue()

    @kopf.on.startup()
    async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.scanning.disabled = True
        settings.posting.enabled = False

    @kopf.on.event(GROUP, VERSION, PLURAL)
    async def seen(body: kopf.Body, namespace: str | None, name: str, **_: Any) -> None:
        key = f"{namespace}/{name}"
        if not body.status.get("phase") and key not in waiting:
            waiting[key] = dict(body)
            keys.put_nowait(key)

    await config.load_kube_config()
    ready = asyncio.Event()
    async with client.ApiClient() as api, asyncio.TaskGroup() as group:
        group.create_task(kopf.operator(standalone=True, clusterwide=True, ready_flag=ready))
        for _ in range(WORKERS):
            group.create_task(work(waiting, keys, api))
        await ready.wait()
        print("watching TranscriptionJobs", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
