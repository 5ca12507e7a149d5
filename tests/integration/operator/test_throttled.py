"""The API server's own priority and fairness answers each request of the operator with 429."""

import base64
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev.commands import wait_until
from dev.controlplane import ControlPlane
from tests.api import Api, core
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import NAMESPACE, RELEASE, Operator
from tests.integration.operator.test_chaos import Restarts, wait_for
from tests.integration.operator.test_lives import DELIVERED
from tests.integration.transcriber.web_server import Web, serve
from tests.stage import new_namespace

FLOWCONTROL = "/apis/flowcontrol.apiserver.k8s.io/v1"
NAME = "starved"
HOG = "hog"
SECONDS = 20.0
"""Longer than the lease lasts. The webhook may hold a request for 30 s at most."""

MOST_REQUESTS_PER_SECOND = 10


@pytest.fixture
def stage(api: Api, namespace: str) -> PlayedStage:
    return PlayedStage(api, namespace)


@contextmanager
def starved(api: Api, plane: ControlPlane, folder: Path) -> Iterator[None]:
    """One request at a time for the operator and a hog, which has it and keeps it."""
    released = threading.Event()
    with serve(folder) as server, objects(api, server) as held:
        server.answers["/"] = lambda _: released.wait() and None
        hog = subprocess.Popen(
            [plane.kubectl.program, "--kubeconfig", plane.kubeconfig, "--as", HOG,
             "create", "configmap", "any", "-n", held],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            before = rejected(plane)
            wait_until("the operator is refused", lambda: rejected(plane) > before, timeout=20)
            yield
            assert hog.poll() is None, "the hog has let go too early"
        finally:
            released.set()
            hog.kill()
            hog.wait()


@contextmanager
def objects(api: Api, server: Web) -> Iterator[str]:
    """The flow of both, and a webhook that never answers for one namespace, which is yielded."""
    held = new_namespace(api, "held-")
    authority = base64.b64encode(server.certificate.read_bytes()).decode()
    limited = {
        "nominalConcurrencyShares": 0,
        "lendablePercent": 0,
        "borrowingLimitPercent": 0,
        "limitResponse": {"type": "Reject"},
    }
    level = {"metadata": {"name": NAME}, "spec": {"type": "Limited", "limited": limited}}
    account = {"namespace": NAMESPACE, "name": RELEASE}
    subjects = [
        {"kind": "ServiceAccount", "serviceAccount": account},
        {"kind": "User", "user": {"name": HOG}},
    ]
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"],
                  "clusterScope": True}  # fmt: skip
    flow = {
        "metadata": {"name": NAME},
        "spec": {
            "matchingPrecedence": 2,
            "priorityLevelConfiguration": {"name": NAME},
            "rules": [{"subjects": subjects, "resourceRules": [everything]}],
        },
    }
    hook = {
        "name": "silent.example.com",
        "clientConfig": {"url": server.url("/"), "caBundle": authority},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                   "resources": ["configmaps"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": held}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 30,
    }  # fmt: skip
    hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    group = "rbac.authorization.k8s.io"
    rights = {
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": HOG}],
    }
    made = (
        (f"/apis/{group}/v1/clusterrolebindings", {"metadata": {"name": NAME}, **rights}),
        (hooks, {"metadata": {"name": NAME}, "webhooks": [hook]}),
        (f"{FLOWCONTROL}/prioritylevelconfigurations", level),
        (f"{FLOWCONTROL}/flowschemas", flow),
    )
    try:
        for path, body in made:
            api.create(path, body)
        yield held
    finally:
        for path, _ in reversed(made):
            api.delete(f"{path}/{NAME}")


def rejected(plane: ControlPlane) -> int:
    """Requests of the flow that were answered with 429."""
    metrics = plane.kubectl("get", "--raw", "/metrics")
    wanted = rf"^apiserver_flowcontrol_rejected_requests_total{{.*{NAME}.*}} (\S+)$"
    return sum(int(float(value)) for value in re.findall(wanted, metrics, re.MULTILINE))


def test_an_operator_that_gets_429_alone_waits_and_goes_on(
    leader: Operator,
    api: Api,
    stage: PlayedStage,
    control_plane: ControlPlane,
    tmp_path: Path,
):
    restarts = Restarts(leader)
    stage.apply(name="before")
    pod = stage.await_pod()
    stage.run_pod(pod)
    stage.await_status("before", phase="Running")
    with starved(api, control_plane, tmp_path):
        began, count = time.monotonic(), rejected(control_plane)
        stage.apply(name="meanwhile")
        stage.end_pod(pod, 0, DELIVERED)
        wait_for(SECONDS, meanwhile=restarts.look)
        print(restarts.count, "restarts,", rejected(control_plane) - count, "refused requests")
        rate = (rejected(control_plane) - count) / (time.monotonic() - began)
        assert [stage.status("before")["phase"], stage.status("meanwhile").get("phase")] == [
            "Running", None
        ]  # fmt: skip
    assert 0 < rate < MOST_REQUESTS_PER_SECOND
    wait_until(
        "the new job has a pod",
        lambda: restarts.look() or len(stage.api.items(core(stage.namespace, "pods"))) == 2,
        timeout=60,
    )
    stage.await_status("before", phase="Succeeded")
    # A leader that cannot renew its lease ends, once.
    assert restarts.count <= 1
