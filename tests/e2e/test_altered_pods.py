"""Pods that others alter before they run: with a container beside ours, or another image."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest

from dev import buildah, images, registry
from dev.commands import wait_until
from tests.api import Api, Json
from tests.e2e.conftest import Bucket, ClusterStage
from tests.integration.transcriber.web_server import Exchange, serve
from tests.stage import new_namespace
from transcription_operator.policies.names import CONTAINER, OWNER_NAME_ANNOTATION

WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
AARCH64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00\x01" + bytes(43)
"""The header of a program for other processors than those of x86."""

LATER = f"later-{uuid4().hex[:8]}"
"""A tag of the transcriber's image that is not there yet."""

LONG = "with-a-proxy." + "a" * 240
ENDS = "import signal; signal.pthread_sigmask(0, [15]); signal.sigwait([15])"


def beside(pod: Json, **fields: object) -> Json:
    """A container that never ends of itself."""
    (ours,) = pod["spec"]["containers"]
    kept = {key: ours[key] for key in ("image", "securityContext")}
    return {"name": "istio-proxy", "command": ["python3", "-c", ENDS], **kept, **fields}


def added(pod: Json) -> list[Json]:
    """JSON Patch operations, by the name of the TranscriptionJob."""
    name = pod["metadata"]["annotations"][OWNER_NAME_ANNOTATION]
    image = "/spec/containers/0/image"
    repository, _, _ = pod["spec"]["containers"][0]["image"].rpartition(":")
    if name in (LONG, "bad"):
        return [{"op": "add", "path": "/spec/containers/-", "value": beside(pod)}]
    if name == "native":
        proxy = beside(pod, restartPolicy="Always")
        return [{"op": "add", "path": "/spec/initContainers", "value": [proxy]}]
    if name == "later":
        return [{"op": "replace", "path": image, "value": f"{repository}:{LATER}"}]
    if name == "foreign":
        return [{"op": "replace", "path": image, "value": str(FOREIGN)}]
    return []


def mutate(exchange: Exchange) -> None:
    """Answer an AdmissionReview."""
    review = json.loads(exchange.rfile.read(int(exchange.headers["Content-Length"])))
    request = review["request"]
    patch = json.dumps(added(request["object"])).encode()
    review["response"] = {
        "uid": request["uid"],
        "allowed": True,
        "patchType": "JSONPatch",
        "patch": base64.b64encode(patch).decode(),
    }
    exchange.answer(200, {"Content-Type": "application/json"}, json.dumps(review).encode())


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory, api: Api) -> Iterator[str]:
    """A webhook for the pods of one namespace; the namespace."""
    namespace = new_namespace(api, "altered-")
    with serve(tmp_path_factory.mktemp("webhook")) as server:
        server.answers["/mutate"] = mutate
        authority = base64.b64encode(server.certificate.read_bytes()).decode()
        webhook = {
            "name": "pods.example.com",
            "clientConfig": {"url": server.url("/mutate"), "caBundle": authority},
            "rules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                 "resources": ["pods"]}
            ],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
        }  # fmt: skip
        api.create(WEBHOOKS, {"metadata": {"name": namespace}, "webhooks": [webhook]})
        yield namespace
        api.delete(f"{WEBHOOKS}/{namespace}")
    api.delete(f"/api/v1/namespaces/{namespace}")


FOREIGN = images.Image("foreign", "aarch64")


@pytest.fixture(scope="module")
def foreign_image(tmp_path_factory: pytest.TempPathFactory) -> None:
    program: Path = tmp_path_factory.mktemp("foreign") / "program"
    program.write_bytes(AARCH64)
    if FOREIGN.is_pushed():
        return
    container = buildah.call("from", "scratch").strip()
    try:
        buildah.call("copy", "--quiet", "--chmod", "0755", container, program, "/program")
        buildah.call("config", "--arch", "arm64", "--entrypoint", '["/program"]', container)
        buildah.call("commit", "--quiet", container, str(FOREIGN))
    finally:
        buildah.call("rm", container)
    FOREIGN.push()


@pytest.fixture(scope="module")
def altered(
    api: Api, webhook: str, foreign_image: None, recordings: Bucket, transcripts: Bucket
) -> Iterator[ClusterStage]:
    """All jobs of this module, at once."""
    stage = ClusterStage(api, webhook)
    stage.write_secret()
    whole = recordings.read("standup.mp3")
    recordings.write(f"{webhook}/short.mp3", whole[: len(whole) // 40])
    recordings.write(f"{webhook}/notes.mp3", b"These are the minutes of the meeting. " * 100)
    good, bad = ({"uri": f"s3://recordings/{webhook}/{name}.mp3"} for name in ("short", "notes"))
    for name in (LONG, "native", "later"):
        stage.apply_recording(name, source=good)
    stage.apply_recording("bad", source=bad)
    stage.apply_recording("foreign", source=good, nodePool="cpu")
    yield stage
    transcripts.clear(f"{webhook}/")
    recordings.clear(f"{webhook}/")


def pods_of(stage: ClusterStage, name: str) -> list[Json]:
    return [
        pod for pod in stage.pods() if pod["metadata"]["annotations"][OWNER_NAME_ANNOTATION] == name
    ]


def states(pod: Json) -> dict[str, Json]:
    """The state of each container."""
    return {each["name"]: each["state"] for each in pod["status"]["containerStatuses"]}


@pytest.mark.parametrize(
    ("name", "phase", "reason"),
    [(LONG, "Succeeded", "Delivered"), ("bad", "Failed", "MediaInvalid")],
    ids=["delivered", "failed for good"],
)
def test_a_container_that_others_added_keeps_neither_the_job_nor_the_gpu(
    altered: ClusterStage, name: str, phase: str, reason: str
):
    last = altered.follow(name)[-1]
    assert (last["phase"], last["reason"]) == (phase, reason), last["message"]
    (pod,) = pods_of(altered, name)
    assert pod["status"]["phase"] == phase
    ended = datetime.fromisoformat(states(pod)[CONTAINER]["terminated"]["finishedAt"])
    waited = datetime.fromisoformat(last["completionTime"]) - ended
    assert waited.total_seconds() <= 60
    stopped = "the proxy is stopped"
    wait_until(
        stopped,
        lambda: "terminated" in states(pods_of(altered, name)[0])["istio-proxy"],
        timeout=60,
    )


def test_a_native_sidecar_is_ended_by_the_kubelet(altered: ClusterStage):
    assert altered.follow("native")[-1]["phase"] == "Succeeded"
    wait_until(
        "its pod has succeeded",
        lambda: [pod["status"]["phase"] for pod in pods_of(altered, "native")] == ["Succeeded"],
        timeout=60,
    )
    (pod,) = pods_of(altered, "native")
    assert "message" not in pod["status"], "the operator ended it"


def test_an_image_for_other_processors_is_told_as_that_after_two_pods(altered: ClusterStage):
    last = altered.follow("foreign")[-1]
    assert (last["phase"], last["reason"]) == ("Failed", "ArchitectureMismatch"), last["message"]
    assert "exec format error" in last["message"]
    assert "kubernetes.io/arch" in last["message"]
    assert last["workers"]["failed"] == 2


def test_an_image_that_comes_later_is_waited_for_with_advice_on_pull_secrets(
    altered: ClusterStage,
):
    status = altered.await_status("later", timeout=60, phase="Pending", reason="ImagePullBackOff")
    assert "failed to resolve reference" in status["message"]
    assert LATER in status["message"]
    assert "imagePullSecrets" in status["message"]
    image = images.TRANSCRIBER.image()
    registry.name(f"{images.REPOSITORY}/{image.name}", image.tag, LATER)
    assert altered.follow("later")[-1]["phase"] == "Succeeded"
