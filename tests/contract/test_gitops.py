"""What Argo CD and Flux make of the operator's statuses, and of the examples."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa import lua51

from tests.contract.test_chart import helm
from tests.unit.operator.builders import NOW, job, owner, pod, seen
from tests.unit.operator.endings import BROKEN, DONE, NO_SECRET
from transcription_api.crd import custom_resource_definition
from transcription_api.status import Phase, Status
from transcription_contract.termination import Failure
from transcription_operator.policies.observation import Observation
from transcription_operator.policies.status import failed_status, next_status, retried_status

ROOT = Path(__file__).parents[2]
GITOPS = ROOT / "examples" / "gitops"


@dataclass(frozen=True)
class Case:
    """A job as the operator leaves it, and what the two tools should call it."""

    status: Status
    phase: Phase | None
    argo: str
    kstatus: str
    generation: int = 1


def after(observation: Observation, **spec: Any) -> Status:
    return next_status(owner(**spec), observation, None, NOW)


FAILED = after(seen(job("Failed"), BROKEN))
RETRIED = retried_status(owner(status=FAILED.to_wire()), "again", NOW)
REFUSED = failed_status(owner(), Failure(reason="ConfigurationInvalid", message="no pool"), NOW)
(VERSION,) = custom_resource_definition()["spec"]["versions"]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]
UNSEEN = Status.model_validate(SCHEMA["properties"]["status"]["default"])
PROGRESSING = ("Progressing", "InProgress")
CASES = {
    "before the first visit": Case(UNSEEN, None, *PROGRESSING),
    "the Job is made": Case(after(Observation()), Phase.PENDING, *PROGRESSING),
    "a pod cannot start": Case(after(seen(job(), NO_SECRET)), Phase.PENDING, *PROGRESSING),
    "queued": Case(after(Observation(queued=2)), Phase.QUEUED, *PROGRESSING),
    "suspended": Case(after(seen(), suspend=True), Phase.SUSPENDED, "Suspended", "Current"),
    "running": Case(after(seen(job(), pod())), Phase.RUNNING, *PROGRESSING),
    "succeeded": Case(after(seen(job("Complete"), DONE)), Phase.SUCCEEDED, "Healthy", "Current"),
    "failed": Case(FAILED, Phase.FAILED, "Degraded", "Failed"),
    "never started": Case(REFUSED, Phase.FAILED, "Degraded", "Failed"),
    "tried again": Case(RETRIED, Phase.PENDING, *PROGRESSING),
    "changed since": Case(after(seen(), suspend=True), Phase.SUSPENDED, *PROGRESSING, 2),
}


def resource(case: Case) -> dict[str, Any]:
    """The object as the API server would give it to either tool."""
    metadata = {"name": "standup", "generation": case.generation}
    return {"metadata": metadata, "spec": {}, "status": case.status.to_wire()}


def argo_health(obj: dict[str, Any]) -> dict[str, str]:
    """Run the example's health check as Argo CD does: Lua 5.1 without its libraries."""
    customizations = yaml.safe_load((GITOPS / "argocd-health.yaml").read_text())["data"]
    (script,) = customizations.values()
    lua = lua51.LuaRuntime(register_eval=False)
    for library in ("io", "os", "string", "math", "debug", "require", "package", "python"):
        lua.globals()[library] = None
    lua.globals()["obj"] = lua.table_from(obj, recursive=True)
    return dict(lua.execute(script))


def kstatus(obj: dict[str, Any]) -> str:
    """The rules that Flux judges a custom resource by
    (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md)."""
    status, generation = obj["status"], obj["metadata"]["generation"]
    if status.get("observedGeneration", generation) != generation:
        return "InProgress"
    true = {c["type"] for c in status.get("conditions", []) if c["status"] == "True"}
    assert not {"Reconciling", "Stalled"} <= true, "the two exclude each other"
    if "Reconciling" in true:
        return "InProgress"
    return "Failed" if "Stalled" in true else "Current"


def test_every_phase_is_among_the_cases():
    assert {case.phase for case in CASES.values()} == {None, *Phase}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_argo_cd_shows_the_health_that_a_job_has(case: Case):
    assert case.status.phase is case.phase
    assert argo_health(resource(case))["status"] == case.argo


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_flux_waits_for_what_goes_on_and_for_nothing_else(case: Case):
    assert kstatus(resource(case)) == case.kstatus


def test_argo_cd_shows_the_operators_sentence():
    assert argo_health(resource(CASES["failed"]))["message"] == FAILED.message


def test_no_ready_condition_contradicts_the_two_that_kstatus_defines():
    for case in CASES.values():
        assert "Ready" not in {c.type.value for c in case.status.conditions}


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((GITOPS / name).read_text()))


def test_the_examples_lead_to_what_is_in_the_repository():
    argo, flux = documents("argocd.yaml"), documents("flux.yaml")
    charts = [argo[0]["spec"]["source"]["path"], flux[1]["spec"]["chart"]["spec"]["chart"]]
    jobs = [argo[1]["spec"]["source"]["path"], flux[2]["spec"]["path"]]
    assert all((ROOT / chart / "Chart.yaml").exists() for chart in charts)
    assert all((ROOT / folder / "kustomization.yaml").exists() for folder in jobs)
    source = flux[0]["metadata"]["name"]
    assert flux[1]["spec"]["chart"]["spec"]["sourceRef"]["name"] == source
    assert flux[2]["spec"]["sourceRef"]["name"] == source


@pytest.mark.parametrize("tool", ["argocd", "flux"])
def test_the_examples_values_are_the_charts(tool: str, tmp_path: Path):
    spec = documents(f"{tool}.yaml")[0 if tool == "argocd" else 1]["spec"]
    values = spec["source"]["helm"]["valuesObject"] if tool == "argocd" else spec["values"]
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    done = helm("--values", str(path))
    assert done.returncode == 0, done.stderr
    assert "registry.example.com/transcription-operator/operator:" in done.stdout
