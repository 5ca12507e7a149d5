"""What a user reaches who may only create TranscriptionJobs: nothing, with the chart's rights."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.commands import wait_until
from tests.api import Api, ApiRefusal, Json, core, transcription_jobs
from tests.attacks import ATTACKS, SETTINGS, Attack, By
from tests.integration.operator.company import DELIVERED
from tests.integration.operator.process import Operator
from tests.stage import Stage, new_namespace

BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"


@pytest.fixture
def stage(api: Api, namespace: str) -> Stage:
    return Stage(api, namespace)


@pytest.fixture
def any_pool(api: Api) -> Iterator[None]:
    """Without the policy that knows the pools of the chart, which are not those of the attacks."""
    (binding,) = (b for b in api.items(BINDINGS) if b["metadata"]["name"].endswith("-node-pools"))
    api.delete(f"{BINDINGS}/{binding['metadata']['name']}")
    yield
    binding["metadata"] = {"name": binding["metadata"]["name"]}
    api.create(BINDINGS, binding)


@pytest.fixture
def fenced(operator_kubeconfig: Path, tmp_path: Path, any_pool: None) -> Iterator[Operator]:
    """An operator with the settings that the attacks are about."""
    stated = {
        f"OPERATOR_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in SETTINGS.items()
    }
    operator = Operator(operator_kubeconfig, tmp_path / "operator.log", **stated)
    operator.start()
    yield operator
    operator.kill()


def names_of(*kinds: By) -> dict[str, Attack]:
    """Names of TranscriptionJobs, and the attack that each is."""
    chosen = (attack for attack in ATTACKS if attack.by in kinds)
    return {f"attack-{number}": attack for number, attack in enumerate(chosen)}


def test_no_field_of_a_transcriptionjob_reaches_what_the_settings_do_not_allow(
    fenced: Operator, api: Api, stage: Stage
):
    attacks = names_of(By.OPERATOR)
    for name, attack in attacks.items():
        stage.apply(name=name, **attack.spec)
    other = Stage(api, new_namespace(api, "other-"))
    other.apply()
    other.await_status(phase="Pending")
    for name, attack in attacks.items():
        status = stage.await_status(name, phase="Failed", reason="ConfigurationInvalid")
        assert attack.sentence.replace("media", stage.namespace) in status["message"], attack.name
    assert stage.jobs() == []


def test_what_no_manifest_may_say_is_refused_when_it_is_applied(stage: Stage):
    for name, attack in names_of(By.API_SERVER).items():
        with pytest.raises(ApiRefusal) as refusal:
            stage.apply(name=name, **attack.spec)
        assert attack.sentence in str(refusal.value), attack.name


def test_fields_that_do_not_exist_change_nothing_of_the_pods(fenced: Operator, stage: Stage):
    attacks = names_of(By.PRUNED)
    stage.apply(name="honest")
    for name, attack in attacks.items():
        stage.apply(name=name, **attack.spec)
    for name in ("honest", *attacks):
        stage.await_status(name, phase="Pending")
    wait_until("each has a Job", lambda: len(stage.jobs()) == len(attacks) + 1, timeout=30)
    pods = {json.dumps(without_names(job)) for job in stage.jobs()}
    assert len(pods) == 1


def without_names(job: Json) -> Json:
    """What a Job runs, without what differs from one honest Job to the next."""
    pod: Json = job["spec"]["template"]["spec"]
    for container in pod["containers"]:
        container["env"] = [each for each in container["env"] if each["name"] != "TASK"]
    return pod


def test_a_pod_of_another_namespace_cannot_claim_that_a_job_is_done(
    operator: Operator, api: Api, stage: Stage
):
    stage.apply()
    stage.await_status(phase="Pending")
    wait_until("it has a Job", lambda: len(stage.jobs()) == 1, timeout=30)
    (job,) = stage.jobs()
    evil = new_namespace(api, "evil-")
    api.create(core(evil, "pods"), forged(job))
    ended = {"exitCode": 0, "message": DELIVERED, "startedAt": None, "finishedAt": None}
    api.merge(
        f"{core(evil, 'pods')}/forged/status",
        {
            "status": {
                "phase": "Succeeded",
                "containerStatuses": [
                    {"name": "transcriber", "image": "x", "imageID": "", "ready": False,
                     "restartCount": 0, "state": {"terminated": ended}}
                ],
            }
        },
    )  # fmt: skip
    # A change of the victim makes the operator look at it once more.
    api.merge(f"{transcription_jobs(stage.namespace)}/standup", {"spec": {"priority": 1}})
    status = stage.await_status(observedGeneration=2)
    assert status["phase"] == "Pending"


def forged(job: Json) -> Json:
    """A pod that says that the Job owns it."""
    metadata = job["metadata"]
    template = job["spec"]["template"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"],
             "uid": metadata["uid"], "controller": True}  # fmt: skip
    return {
        "metadata": {
            "name": "forged",
            "labels": template["metadata"]["labels"],
            "annotations": template["metadata"].get("annotations", {}),
            "ownerReferences": [owner],
            # The garbage collector would take it away: its owner is in another namespace.
            "finalizers": ["example.com/stays"],
        },
        "spec": template["spec"],
    }


MADE_UP_EVENTS: list[Json] = [
    {"involvedObject": {}},
    {"involvedObject": {"name": "made-up"}, "message": "a-" * 500_000},
]


def test_events_that_somebody_made_up_neither_end_the_operator_nor_keep_it_busy(
    fenced: Operator, api: Api, stage: Stage
):
    pid = fenced.pid
    about = {"kind": "Job", "namespace": stage.namespace}
    for number, made_up in enumerate(MADE_UP_EVENTS):
        event: Json = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"made-up-{number}", "namespace": stage.namespace},
            "reason": "FailedCreate",
            "lastTimestamp": "2026-11-22T12:00:00Z",
            **made_up,
            "involvedObject": about | made_up.get("involvedObject", {}),
        }
        api.create(core(stage.namespace, "events"), event)
    stage.apply()
    wait_until("a job of the same namespace has its Job", stage.jobs, timeout=10)
    assert fenced.pid == pid
    assert "cannot be read" not in fenced.log
