"""Installed, taken over, uninstalled by Helm, on a control plane of this module's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.commands import run, wait_until
from dev.controlplane import ControlPlane
from dev.errors import CommandError
from dev.paths import ROOT
from tests.api import Api, core, transcription_jobs
from tests.contract.test_chart import CHART, HELM, IMAGES
from tests.contract.test_chart_renders import EVERYTHING
from tests.integration.operator.process import NAMESPACE
from tests.integration.plane import running_plane
from tests.stage import example, new_namespace

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/transcriptionjobs.transcription.dev"
ESTABLISHED = ("--for=condition=Established", "crd/transcriptionjobs.transcription.dev")
RBAC_GROUP = "rbac.authorization.k8s.io"
NO_MONITORS = (
    "--set=monitoring.serviceMonitor.enabled=false",
    "--set=monitoring.podMonitor.enabled=false",
    "--set=monitoring.prometheusRule.enabled=false",
)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with running_plane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane


@pytest.fixture(scope="module")
def admin(plane: ControlPlane) -> Api:
    return Api(plane.kubeconfig)


class Helm:
    """The chart's releases on one control plane."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def __call__(self, verb: str, release: str, *arguments: str | Path) -> str:
        """Raises CommandError with Helm's words."""
        chart = [CHART, "-f", IMAGES] if verb in ("install", "template", "upgrade") else []
        where = ("--kubeconfig", self._plane.kubeconfig, "--namespace", NAMESPACE)
        return run([HELM, verb, release, *chart, *where, *arguments], timeout=120)

    def install(self, release: str, *arguments: str | Path) -> None:
        self("install", release, "--create-namespace", *arguments)
        self._plane.kubectl("wait", *ESTABLISHED)


@pytest.fixture
def helm(plane: ControlPlane, admin: Api) -> Iterator[Helm]:
    """Nothing is left of what a test installs."""
    yield Helm(plane)
    where = ("--kubeconfig", plane.kubeconfig, "--namespace", NAMESPACE)
    for release in run([HELM, "list", "--short", *where]).split():
        run([HELM, "uninstall", release, *where])
    admin.delete(CRD)
    wait_until("the resource is gone", lambda: admin.get(CRD) is None, timeout=30)


def uid_of_job(admin: Api, namespace: str) -> str | None:
    job = admin.get(f"{transcription_jobs(namespace)}/standup")
    return job["metadata"]["uid"] if job else None


def of_release(plane: ControlPlane, release: str) -> set[str]:
    """What carries a release's label, as kind/name."""
    kinds = (
        "deployments,services,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,"
        "networkpolicies,poddisruptionbudgets,validatingadmissionpolicies,"
        "validatingadmissionpolicybindings,customresourcedefinitions"
    )
    label = ("-l", f"app.kubernetes.io/instance={release}")
    return set(plane.kubectl("get", kinds, "-A", *label, "-o", "name").split())


def test_an_uninstall_keeps_the_resource_and_its_jobs_and_nothing_else(
    helm: Helm, plane: ControlPlane, admin: Api
):
    namespace = new_namespace(admin, "kept-")
    helm.install("first", "--set=operator.replicas=2")
    assert len(of_release(plane, "first")) > 10
    admin.create(transcription_jobs(namespace), example())
    before = uid_of_job(admin, namespace)
    helm("uninstall", "first")
    crd = "customresourcedefinition.apiextensions.k8s.io/transcriptionjobs.transcription.dev"
    assert of_release(plane, "first") == {crd}
    assert uid_of_job(admin, namespace) == before


def test_a_kept_resource_goes_to_a_release_of_another_name_only_when_that_is_told_to_take_it(
    helm: Helm, admin: Api
):
    namespace = new_namespace(admin, "taken-")
    helm.install("first")
    admin.create(transcription_jobs(namespace), example())
    before = uid_of_job(admin, namespace)
    helm("uninstall", "first")
    with pytest.raises(CommandError, match="invalid ownership metadata"):
        helm.install("second")
    helm.install("second", "--take-ownership")
    assert uid_of_job(admin, namespace) == before


def test_a_resource_that_kubectl_has_applied_goes_to_a_release_that_is_told_to_take_it(
    helm: Helm, plane: ControlPlane, admin: Api
):
    namespace = new_namespace(admin, "first-")
    plane.kubectl("apply", "--server-side", "-f", ROOT / "crds")
    plane.kubectl("wait", *ESTABLISHED)
    admin.create(transcription_jobs(namespace), example())
    before = uid_of_job(admin, namespace)
    with pytest.raises(CommandError, match="missing key"):
        helm.install("first")
    helm.install("first", "--take-ownership")
    helm("uninstall", "first")
    helm.install("first")
    assert uid_of_job(admin, namespace) == before


def test_kubectl_diff_finds_no_drift_of_what_the_chart_has_made(helm: Helm, plane: ControlPlane):
    helm.install("first")
    rendered = helm("template", "first", "--kube-version", "1.35.0")
    assert plane.kubectl("diff", "-n", NAMESPACE, "-f", "-", stdin=rendered) == ""


def test_without_keep_an_uninstall_removes_the_resource_and_its_jobs(helm: Helm, admin: Api):
    namespace = new_namespace(admin, "removed-")
    helm.install("first")
    admin.create(transcription_jobs(namespace), example())
    helm("upgrade", "first", "--reset-then-reuse-values", "--set=crds.keep=false")
    helm("uninstall", "first")
    wait_until("the resource is gone", lambda: admin.get(CRD) is None, timeout=60)


def test_an_upgrade_goes_from_a_model_s_name_to_a_file_of_one_s_own_when_null_takes_the_name_away(
    helm: Helm, tmp_path: Path
):
    named, own = tmp_path / "named.yaml", tmp_path / "own.yaml"
    named.write_text("test: {uri: s3://bucket/test/, model: {name: tiny}}")
    own.write_text(f"test: {{model: {{uri: s3://models/mine.pt, sha256: {'a' * 64}}}}}")
    helm.install("first", "-f", named)
    again = ("upgrade", "first", "--reset-then-reuse-values")
    with pytest.raises(CommandError, match="/test/model/name': got string, want null"):
        helm(*again, "-f", own)
    helm(*again, "-f", own, "--set=test.model.name=null")
    helm(*again)
    hooks = helm("get", "hooks", "first")
    assert "mine.pt" in hooks
    assert "tiny" not in hooks


def test_the_notes_are_said_at_the_end_of_an_install(helm: Helm):
    said = helm("install", "first", "--create-namespace")
    assert f"kubectl rollout status deployment/first -n {NAMESPACE}" in said


def test_everything_that_the_chart_can_make_is_taken_by_the_api_server(
    helm: Helm, plane: ControlPlane, admin: Api
):
    enforced = ("pod-security.kubernetes.io/enforce=restricted", "--overwrite")
    for namespace in (NAMESPACE, "media"):
        if admin.get(f"/api/v1/namespaces/{namespace}") is None:
            plane.kubectl("create", "namespace", namespace)
        plane.kubectl("label", "namespace", namespace, *enforced)
    important = {"metadata": {"name": "important"}, "value": 1}
    admin.create("/apis/scheduling.k8s.io/v1/priorityclasses", important)
    helm.install("first", "-f", EVERYTHING, *NO_MONITORS)
    pods = core(NAMESPACE, "pods")
    wait_until("both operators' pods are made", lambda: len(admin.items(pods)) == 2, timeout=30)
    # Helm makes a test's objects only for the test.
    plane.kubectl("apply", "-f", "-", stdin=helm("get", "hooks", "first"))
    assert admin.get(f"{core('media', 'pods')}/first-test") is not None


@pytest.fixture(scope="module")
def shared(plane: ControlPlane, admin: Api) -> Iterator[str]:
    """A namespace in which users have Kubernetes' own roles, each that of their name."""
    namespace = new_namespace(admin, "shared-")
    helm = Helm(plane)
    # Whether somebody may is known without the resource, which other tests' releases own.
    settings = ("--set=operator.replicas=0", "--set=crds.enabled=false")
    helm("install", "roles", "--create-namespace", *settings)
    for role in ("view", "edit", "admin"):
        binding = {
            "metadata": {"name": role},
            "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": RBAC_GROUP},
            "subjects": [{"kind": "User", "name": role, "apiGroup": RBAC_GROUP}],
        }
        admin.create(f"/apis/{RBAC_GROUP}/v1/namespaces/{namespace}/rolebindings", binding)
    for role in ("view", "edit", "admin"):
        what = f"the rules have reached {role}"
        wait_until(what, lambda role=role: allowed(admin, namespace, role, "list"), timeout=30)
    yield namespace
    helm("uninstall", "roles")


def allowed(admin: Api, namespace: str, user: str, verb: str, subresource: str = "") -> bool:
    attributes: dict[str, Any] = {
        "namespace": namespace,
        "verb": verb,
        "group": "transcription.dev",
        "resource": "transcriptionjobs",
        "subresource": subresource,
    }
    review = {"spec": {"user": user, "resourceAttributes": attributes}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    answer: bool = admin.create(path, review)["status"]["allowed"]
    return answer


WRITING = ("create", "update", "patch", "delete")


@pytest.mark.parametrize(
    ("user", "granted", "refused"),
    [
        ("view", ("get", "list", "watch"), WRITING),
        ("edit", ("get", "list", "watch", *WRITING), ()),
        ("admin", ("get", "list", "watch", *WRITING), ()),
        ("nobody", (), ("get", "list", *WRITING)),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_kubernetes_own_roles_reach_transcriptionjobs_but_not_their_status(
    admin: Api, shared: str, user: str, granted, refused
):
    assert [verb for verb in granted if not allowed(admin, shared, user, verb)] == []
    assert [verb for verb in refused if allowed(admin, shared, user, verb)] == []
    assert not allowed(admin, shared, user, "patch", "status")
