"""The kubelet's part, played by a test: it writes the status of pods that no node runs."""

from typing import Any

from tests.api import Json, core
from tests.stage import Stage
from transcription_operator.policies.names import CONTAINER


class PlayedStage(Stage):
    """A namespace whose pods live as the test says."""

    def set_pod(self, name: str, phase: str, state: Json, **fields: Any) -> None:
        status = {
            "phase": phase,
            "containerStatuses": [
                {
                    "name": CONTAINER,
                    "image": "x",
                    "imageID": "x",
                    "ready": False,
                    "restartCount": 0,
                    "state": state,
                }
            ],
            **fields,
        }
        self.api.merge(f"{core(self.namespace, 'pods')}/{name}/status", {"status": status})

    def run_pod(self, name: str, **fields: Any) -> None:
        self.set_pod(name, "Running", {"running": {"startedAt": "2026-11-22T12:00:00Z"}}, **fields)

    def end_pod(self, name: str, exit_code: int, message: str = "", **fields: Any) -> None:
        terminated = {
            "exitCode": exit_code,
            "reason": "Error" if exit_code else "Completed",
            "message": message,
            "startedAt": "2026-11-22T12:00:00Z",
            "finishedAt": "2026-11-22T12:01:00Z",
        }
        phase = "Failed" if exit_code else "Succeeded"
        self.set_pod(name, phase, {"terminated": terminated}, **fields)

    def end_pod_by_preemption(self, name: str) -> None:
        """As the scheduler and the kubelet end a pod that has to make room."""
        self.end_pod(name, 143, conditions=[{"type": "DisruptionTarget", "status": "True"}])
