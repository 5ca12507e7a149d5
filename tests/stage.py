"""One namespace of a cluster as a test sees it: what it applies there, and what comes of it."""

from typing import Any

from dev.commands import wait_until
from tests.api import Api, Json, core, jobs, transcription_jobs


def example(name: str = "standup", **spec: Any) -> Json:
    return {
        "apiVersion": "transcription.dev/v1alpha1",
        "kind": "TranscriptionJob",
        "metadata": {"name": name},
        "spec": {
            "source": {"uri": "s3://recordings/standup.mp3"},
            "output": {"uri": "s3://transcripts/standup/"},
            **spec,
        },
    }


def new_namespace(api: Api, prefix: str) -> str:
    """A namespace that enforces the restricted Pod Security Standard; its name."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"metadata": {"generateName": prefix, "labels": labels}}
    name: str = api.create("/api/v1/namespaces", body)["metadata"]["name"]
    # A pod cannot be made before its service account is there.
    account = f"{core(name, 'serviceaccounts')}/default"
    wait_until("the default service account", lambda: api.get(account) is not None, timeout=30)
    return name


class Stage:
    """One namespace, and what happens in it."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    def apply(self, **changes: Any) -> Json:
        return self.api.create(transcription_jobs(self.namespace), example(**changes))

    def parent(self, name: str = "standup") -> Json:
        found = self.api.get(f"{transcription_jobs(self.namespace)}/{name}")
        assert found is not None
        return found

    def status(self, name: str = "standup") -> Json:
        status: Json = self.parent(name).get("status", {})
        return status

    def jobs(self) -> list[Json]:
        return self.api.items(jobs(self.namespace))

    def pods(self) -> list[Json]:
        return self.api.items(core(self.namespace, "pods"))

    def events(self) -> list[tuple[str, str]]:
        """(reason, message) of the Events about TranscriptionJobs."""
        return [
            (event["reason"], event["message"])
            for event in self.api.items(core(self.namespace, "events"))
            if event["involvedObject"]["kind"] == "TranscriptionJob"
        ]

    def await_pod(self) -> str:
        """The name of the newest pod that has not ended."""
        wait_until("a pod is made", lambda: bool(self._live_pods()), timeout=30)
        name: str = self._live_pods()[-1]["metadata"]["name"]
        return name

    def await_event(self, reason: str, message: str) -> None:
        """Wait until an Event says so: they are posted after the status is written."""
        wait_until(f"Event {reason}", lambda: (reason, message) in self.events(), timeout=20)

    def await_status(self, name: str = "standup", timeout: float = 30, **fields: Any) -> Json:
        """Wait until the status has these fields' values."""
        wait_until(
            f"status of {name} is {fields}",
            lambda: fields.items() <= self.status(name).items(),
            timeout=timeout,
        )
        return self.status(name)

    def _live_pods(self) -> list[Json]:
        live = [
            pod
            for pod in self.pods()
            if pod["status"]["phase"] in ("Pending", "Running")
            and "deletionTimestamp" not in pod["metadata"]
        ]
        return sorted(live, key=lambda pod: pod["metadata"]["creationTimestamp"])
