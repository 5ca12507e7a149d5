"""What the operator's token is good for beyond its role: the chart's operatorPolicy, by a real API
server. Everything is a dry run, which admission sees like any other request."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api import Api, ApiRefusal, Json, core, jobs, transcription_jobs
from tests.contract.test_chart import IMAGES, REGISTRY
from tests.stage import example
from tests.unit.operator.builders import owner, settings
from transcription_operator.policies.job import desired_job
from transcription_operator.policies.names import ENDED_ANNOTATION

DRY = "?dryRun=All"
Change = Callable[[Json], Any]


def manifest() -> Json:
    """A Job as the operator makes it, with the chart's image."""
    assert REGISTRY in IMAGES.read_text()
    made = desired_job(owner(), settings(transcriber_image=f"{REGISTRY}/transcriber:0.1.0"))
    # As the API server would store it: no reference is shared.
    found: Json = yaml.safe_load(yaml.safe_dump(made))
    del found["metadata"]["namespace"]
    return found


def pod(job: Json) -> Json:
    found: Json = job["spec"]["template"]["spec"]
    return found


def worker(job: Json) -> Json:
    found: Json = pod(job)["containers"][0]
    return found


def unlabelled(job: Json) -> None:
    """Without labels, also of the pods: the API server would copy those to the Job."""
    del job["metadata"]["labels"]
    del job["spec"]["template"]["metadata"]["labels"]


def secret_volume(**secret: Any) -> Json:
    return {"name": "more", "secret": {"secretName": "tls", **secret}}


def token_volume() -> Json:
    return {"name": "more", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}


def variable(source: Json) -> Json:
    return {"name": "TZ", "valueFrom": source}


OTHER_SECRETS = "may only mount"
OTHER_KEYS = "may only give workers"
OTHER_IMAGES = "may only run images of"
OTHER_VARIABLES = "may only set the workers' own variables"
PRIVILEGES = "may only create unprivileged pods"
TOKENS = "may only use service accounts of"
NOT_OURS = "may only write Jobs that a TranscriptionJob owns"

CREATES: dict[str, tuple[Change, str]] = {
    "another image": (lambda j: worker(j).update(image="evil.example/x:1"), OTHER_IMAGES),
    "an image whose name begins like ours": (
        lambda j: worker(j).update(image=f"{REGISTRY}/transcriber-evil:1"), OTHER_IMAGES),
    "an image below ours": (
        lambda j: worker(j).update(image=f"{REGISTRY}/transcriber:1/evil:1"), OTHER_IMAGES),
    "a command": (lambda j: worker(j).update(command=["python", "-c", "…"]), OTHER_IMAGES),
    "arguments": (lambda j: worker(j).update(args=["--version"]), OTHER_IMAGES),
    "a hook": (
        lambda j: worker(j).update(lifecycle={"preStop": {"exec": {"command": ["sh"]}}}),
        OTHER_IMAGES),
    "a probe": (
        lambda j: worker(j).update(livenessProbe={"exec": {"command": ["sh"]}}), OTHER_IMAGES),
    "a second container": (
        lambda j: pod(j)["containers"].append({**worker(j), "name": "b", "image": "x"}),
        OTHER_IMAGES),
    "an init container": (
        lambda j: pod(j).update(initContainers=[{**worker(j), "name": "b"}]), OTHER_IMAGES),
    "a node's directory": (
        lambda j: pod(j)["volumes"].append({"name": "more", "hostPath": {"path": "/"}}),
        OTHER_SECRETS),
    "a claim": (
        lambda j: pod(j)["volumes"].append(
            {"name": "more", "persistentVolumeClaim": {"claimName": "theirs"}}),
        OTHER_SECRETS),
    "a token by a volume": (lambda j: pod(j)["volumes"].append(token_volume()), OTHER_SECRETS),
    "a whole Secret": (lambda j: pod(j)["volumes"].append(secret_volume()), OTHER_SECRETS),
    "another key of a Secret": (
        lambda j: pod(j)["volumes"].append(
            secret_volume(items=[{"key": "tls.key", "path": "accessKey"}])),
        OTHER_SECRETS),
    "another key as a variable": (
        lambda j: worker(j)["env"].append(
            variable({"secretKeyRef": {"name": "tls", "key": "tls.key"}})),
        OTHER_KEYS),
    "a ConfigMap's key": (
        lambda j: worker(j)["env"].append(
            variable({"configMapKeyRef": {"name": "a", "key": "b"}})),
        OTHER_KEYS),
    "all of a Secret as variables": (
        lambda j: worker(j).update(envFrom=[{"secretRef": {"name": "tls"}}]), OTHER_KEYS),
    "a variable that loads code": (
        lambda j: worker(j)["env"].append({"name": "OPENSSL_CONF", "value": "/models/x"}),
        OTHER_VARIABLES,
    ),
    "the host's network": (
        lambda j: (pod(j).update(hostNetwork=True), worker(j).update(ports=[])),
        PRIVILEGES,
    ),
    "the host's processes": (lambda j: pod(j).update(hostPID=True), PRIVILEGES),
    "the host's IPC": (lambda j: pod(j).update(hostIPC=True), PRIVILEGES),
    "a port of the host": (
        lambda j: worker(j)["ports"].append({"containerPort": 80, "hostPort": 80}), PRIVILEGES),
    "root": (lambda j: pod(j)["securityContext"].update(runAsNonRoot=False), PRIVILEGES),
    "root in the container": (
        lambda j: worker(j)["securityContext"].update(runAsUser=0, runAsNonRoot=False), PRIVILEGES),
    "more capabilities": (
        lambda j: worker(j)["securityContext"].update(capabilities={"add": ["NET_ADMIN"]}),
        PRIVILEGES),
    "no word on escalation": (
        lambda j: worker(j)["securityContext"].pop("allowPrivilegeEscalation"), PRIVILEGES),
    "a token": (lambda j: pod(j).update(automountServiceAccountToken=True), TOKENS),
    "no word on the token": (lambda j: pod(j).pop("automountServiceAccountToken"), TOKENS),
    "another service account": (lambda j: pod(j).update(serviceAccountName="admin"), TOKENS),
    "another service account, by its old name": (
        lambda j: pod(j).update(serviceAccount="admin"), TOKENS),
    "no owner": (lambda j: j["metadata"].pop("ownerReferences"), NOT_OURS),
    "another owner": (
        lambda j: j["metadata"]["ownerReferences"][0].update(kind="CronJob"), NOT_OURS),
    "an owner that does not control it": (
        lambda j: j["metadata"]["ownerReferences"][0].update(controller=False), NOT_OURS),
    "no labels": (lambda j: unlabelled(j), NOT_OURS),
    "somebody else's labels": (
        lambda j: j["metadata"]["labels"].update({"app.kubernetes.io/managed-by": "Helm"}),
        NOT_OURS),
}  # fmt: skip


def changed(change: Change) -> Json:
    made = manifest()
    change(made)
    return made


@pytest.fixture
def operators(operator_kubeconfig: Path) -> Api:
    """With the operator's token."""
    return Api(operator_kubeconfig)


def test_a_job_as_the_operator_makes_it_is_let_through(operators: Api, namespace: str):
    assert operators.create(jobs(namespace) + DRY, manifest())["metadata"]["name"]


@pytest.mark.parametrize(
    ("change", "sentence"), [pytest.param(*case, id=name) for name, case in CREATES.items()]
)
def test_the_token_makes_no_job_with(operators: Api, namespace: str, change: Change, sentence: str):
    with pytest.raises(ApiRefusal, match=sentence) as refusal:
        operators.create(jobs(namespace) + DRY, changed(change))
    assert refusal.value.status == 403, "422 would fail the TranscriptionJob"


@pytest.fixture
def stored(api: Api, namespace: str) -> Callable[[Change], str]:
    """Stores a Job as an administrator; its path. Its owner is there: the garbage collector would
    take it away otherwise."""
    uid = api.create(transcription_jobs(namespace), example())["metadata"]["uid"]

    def store(change: Change) -> str:
        made = manifest()
        made["metadata"]["ownerReferences"][0]["uid"] = uid
        made["spec"]["suspend"] = True
        change(made)
        return f"{jobs(namespace)}/{api.create(jobs(namespace), made)['metadata']['name']}"

    return store


def test_a_job_of_somebody_else_is_neither_changed_nor_deleted(
    operators: Api, stored: Callable[[Change], str]
):
    theirs = stored(unlabelled)
    with pytest.raises(ApiRefusal, match=NOT_OURS):
        operators.merge(theirs + DRY, {"spec": {"suspend": False}})
    with pytest.raises(ApiRefusal, match=NOT_OURS):
        operators.request("DELETE", theirs + DRY)


def test_a_job_of_ours_is_suspended_and_deleted_but_runs_what_it_was_made_to_run(
    operators: Api, stored: Callable[[Change], str]
):
    # As one whose image was configured before an upgrade.
    ours = stored(lambda j: worker(j).update(image="old:1")) + DRY
    operators.merge(ours, {"spec": {"suspend": False, "activeDeadlineSeconds": 60}})
    operators.request("DELETE", ours)
    for patch in (
        {"spec": {"template": {"spec": {"nodeSelector": {"pool": "another"}}}}},
        {"metadata": {"labels": {"app": "web"}}},
    ):
        with pytest.raises(ApiRefusal, match="may not change the pods, labels or owners"):
            operators.merge(ours, patch)


OTHER_PHASES = "may only mark or fail a worker that is being deleted"
OTHER_FIELDS = "may not change a pod's metadata .* or addresses"
LOST = {"phase": "Failed", "reason": "NodeLost", "message": "x"}
MARKED = {"conditions": [{"type": "DisruptionTarget", "status": "True"}]}
RELEASES: dict[str, tuple[bool, Json, str]] = {
    "one that is not told to go": (False, {"status": LOST}, OTHER_PHASES),
    "that it succeeded": (True, {"status": {"phase": "Succeeded"}}, OTHER_PHASES),
    "a mark on one that is not told to go": (False, {"status": MARKED}, OTHER_PHASES),
    "another condition": (True, {"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
                          OTHER_PHASES),
    "another reason": (True, {"status": LOST | {"reason": "Evicted"}}, OTHER_PHASES),
    "an address": (True, {"status": LOST | {"podIPs": [{"ip": "10.0.0.1"}], "podIP": "10.0.0.1"}},
                   OTHER_FIELDS),
    "a label": (True, {"metadata": {"labels": {"app": "web"}}, "status": LOST}, OTHER_FIELDS),
    "an annotation": (True, {"metadata": {"annotations": {"a": "b"}}, "status": LOST},
                      OTHER_FIELDS),
    "an annotation changed": (True, {"metadata": {"annotations": {"is": "x"}}, "status": LOST},
                              OTHER_FIELDS),
}  # fmt: skip


@pytest.fixture
def lost(api: Api, namespace: str, request: pytest.FixtureRequest) -> str:
    """A worker's pod, told to go or not; nobody confirms it."""
    made = manifest()
    labels = made["spec"]["template"]["metadata"]["labels"]
    body = {"metadata": {"name": "w", "labels": labels, "annotations": {"is": "there"},
                         "finalizers": ["example.com/stays"]},
            "spec": copy.deepcopy(pod(made))}  # fmt: skip
    api.create(core(namespace, "pods"), body)
    path = f"{core(namespace, 'pods')}/w"
    if request.param:
        api.delete(path)
    return path


@pytest.mark.parametrize(
    ("lost", "patch", "sentence"),
    [pytest.param(*case, id=name) for name, case in RELEASES.items()],
    indirect=["lost"],
)
def test_the_token_writes_no_status_of_a_pod_with(
    operators: Api, lost: str, patch: Json, sentence: str
):
    with pytest.raises(ApiRefusal, match=sentence):
        operators.merge(f"{lost}/status{DRY}", patch)


@pytest.mark.parametrize("lost", [True], indirect=True, ids=["told to go"])
@pytest.mark.parametrize("status", [LOST, MARKED], ids=["lost", "a disruption's target"])
def test_a_worker_that_was_told_to_go_may_be_so_marked(operators: Api, lost: str, status: Json):
    operators.merge(f"{lost}/status{DRY}", {"status": status})


@pytest.fixture
def beside_a_sidecar(api: Api, lost: str) -> Callable[[int], str]:
    """Ends the worker's container with that exit code, while another one runs; the pod's path."""

    def end(exit_code: int) -> str:
        ended = {"exitCode": exit_code, "startedAt": None, "finishedAt": None}
        statuses = [
            {"name": name, "image": "x", "imageID": "", "ready": False, "restartCount": 0,
             "state": state}
            for name, state in (("transcriber", {"terminated": ended}), ("proxy", {"running": {}}))
        ]  # fmt: skip
        api.merge(f"{lost}/status", {"status": {"phase": "Running", "containerStatuses": statuses}})
        return f"{lost}/status{DRY}"

    return end


@pytest.mark.parametrize("lost", [False], indirect=True, ids=["stays"])
@pytest.mark.parametrize(
    ("exit_code", "phase", "other"), [(0, "Succeeded", "Failed"), (65, "Failed", "Succeeded")]
)
def test_a_pod_whose_worker_has_ended_may_be_ended_in_the_same_way(
    operators: Api,
    beside_a_sidecar: Callable[[int], str],
    exit_code: int,
    phase: str,
    other: str,
):
    path = beside_a_sidecar(exit_code)
    noted = {"annotations": {ENDED_ANNOTATION: "true"}}
    operators.merge(path, {"metadata": noted, "status": {"phase": phase, "message": "x"}})
    with pytest.raises(ApiRefusal, match=OTHER_PHASES):
        operators.merge(path, {"status": {"phase": other}})
