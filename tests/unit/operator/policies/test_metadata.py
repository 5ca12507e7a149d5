from typing import Any

from tests.unit.operator.builders import UID, owner, settings
from transcription_operator.allow_lists import PodTemplateRules
from transcription_operator.policies.job import desired_job

OURS = {
    "app.kubernetes.io/name": "transcriber",
    "app.kubernetes.io/managed-by": "transcription-operator",
    "transcription.dev/job-uid": UID,
}


def manifest(
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    template: dict[str, Any] | None = None,
    **changes: Any,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The metadata of the Job, and of its pods."""
    rules = PodTemplateRules(allowed_labels=("*",), allowed_annotations=("*",))
    job = owner(annotations=annotations, podTemplate=template)
    metadata = job.metadata.model_copy(update={"labels": labels or {}})
    made = desired_job(
        job.model_copy(update={"metadata": metadata}), settings(pod_template=rules, **changes)
    )
    return made["metadata"], made["spec"]["template"]["metadata"]


def test_without_settings_nothing_is_propagated():
    job, pods = manifest(labels={"team": "media"}, annotations={"example.com/cost": "7"})
    assert job["labels"] == pods["labels"] == OURS
    assert job["annotations"] == pods["annotations"] == {"transcription.dev/job-name": "standup"}


def test_labels_and_annotations_of_the_settings_lists_reach_the_job_and_its_pods():
    for metadata in manifest(
        labels={"team": "media", "tier": "gold"},
        annotations={"example.com/cost": "7", "note": "x"},
        propagated_labels=("team",),
        propagated_annotations=("example.com/*",),
    ):
        assert metadata["labels"] == OURS | {"team": "media"}
        assert metadata["annotations"].items() >= {"example.com/cost": "7"}.items()
        assert "note" not in metadata["annotations"]


def test_names_of_kubernetes_kueue_and_kubectl_are_never_propagated():
    labels = {"kueue.x-k8s.io/queue-name": "theirs", "app.kubernetes.io/name": "theirs"}
    annotations = {
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "transcription.dev/retry": "1",
    }
    job, pods = manifest(
        labels, annotations, propagated_labels=("*",), propagated_annotations=("*",)
    )
    assert job["labels"] == pods["labels"] == OURS
    assert job["annotations"] == pods["annotations"] == {"transcription.dev/job-name": "standup"}


def test_labels_of_a_pod_template_reach_the_job_and_its_annotations_only_the_pods():
    # A policy may want a label on Jobs too; annotations of pods steer what runs beside a container.
    job, pods = manifest(template={"labels": {"team": "x"}, "annotations": {"sidecar": "no"}})
    assert job["labels"] == pods["labels"] == OURS | {"team": "x"}
    assert "sidecar" in pods["annotations"]
    assert "sidecar" not in job["annotations"]


def test_the_settings_win_over_the_job_and_the_operators_own_names_over_both():
    job, pods = manifest(
        labels={"team": "propagated", "cost-center": "1"},
        template={
            "labels": {"team": "template", "tier": "free"},
            "annotations": {"sidecar.istio.io/inject": "true"},
        },
        propagated_labels=("team", "cost-center"),
        pod_labels={"tier": "batch", "app.kubernetes.io/name": "x"},
        pod_annotations={"sidecar.istio.io/inject": "false"},
    )
    expected = OURS | {"team": "template", "cost-center": "1", "tier": "batch"}
    assert job["labels"] == pods["labels"] == expected
    assert pods["annotations"]["sidecar.istio.io/inject"] == "false"
