"""An operator's Deployment from the chart, made ready or not, and a CRD that is served or not."""

from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from dev.commands import wait_until
from tests.api import Api, ApiRefusal, Json, core, transcription_jobs
from tests.integration.operator.process import NAMESPACE, RELEASE, rendered

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/transcriptionjobs.transcription.dev"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"


@contextmanager
def operator_deployment(api: Api, *, ready: bool, **env: str) -> Iterator[None]:
    """The chart's, with changes to its environment; its pod is played."""
    (deployment,) = (d for d in yaml.safe_load_all(rendered()) if d["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    kept = [v for v in container["env"] if v["name"] not in env]
    container["env"] = kept + [{"name": k, "value": v} for k, v in env.items()]
    api.create(DEPLOYMENTS, deployment)
    path = f"{DEPLOYMENTS}/{RELEASE}"
    try:
        if ready:
            wait_until("the operator's pod", lambda: _play_ready(api), timeout=30)
            wait_until("the Deployment is ready", lambda: _is_ready(api, path), timeout=30)
        yield
    finally:
        api.delete(path)
        wait_until("its pods are gone", lambda: not operators_pods(api), timeout=30)


def operators_pods(api: Api) -> list[Json]:
    """That the Deployment's controller has made."""
    selector = "labelSelector=app.kubernetes.io/name=transcription-operator"
    return api.items(f"{core(NAMESPACE, 'pods')}?{selector}")


def _play_ready(api: Api) -> bool:
    pods = operators_pods(api)
    for pod in pods:
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        api.merge(f"{core(NAMESPACE, 'pods')}/{pod['metadata']['name']}/status", {"status": status})
    return bool(pods)


def _is_ready(api: Api, path: str) -> bool:
    return bool(api.request("GET", path)["status"].get("readyReplicas"))


@contextmanager
def served(api: Api, **versions: bool) -> Iterator[None]:
    """The CRD with these versions, each of them served or not; as it was afterwards."""
    (before,) = api.request("GET", CRD)["spec"]["versions"]
    changed = [
        {**before, "name": name, "served": is_served, "storage": name == before["name"]}
        for name, is_served in versions.items()
    ]
    try:
        _serve(api, changed)
        yield
    finally:
        _serve(api, [before])


def _serve(api: Api, versions: list[Json]) -> None:
    api.merge(CRD, {"spec": {"versions": versions}})
    wanted = sorted(each["name"] for each in versions if each["served"])
    # The group's list and the resource itself follow one by one.
    wait_until("the group says so", lambda: _group(api) == wanted, timeout=30)
    wait_until("the resource is so", lambda: _lists(api) == ("v1alpha1" in wanted), timeout=30)


def _lists(api: Api) -> bool:
    try:
        api.items(transcription_jobs("default"))
    except (ApiRefusal, ValueError):  # what it does not serve is not even refused in JSON
        return False
    return True


def _group(api: Api) -> list[str]:
    groups = api.request("GET", "/apis")["groups"]
    return sorted(
        version["version"]
        for group in groups
        if group["name"] == "transcription.dev"
        for version in group["versions"]
    )
