import json

import pytest

from kubectl_transcribe import findings
from kubectl_transcribe.findings import Level

SECRET = {"endpoint": "https://s3.example.com", "accessKey": "a", "secretKey": "s"}
GPU_POOL = {"nodeSelector": {"pool": "gpu"}, "gpu": {"resource": "nvidia.com/gpu", "count": 2}}


def deployment(ready: int = 1, replicas: int = 1, **settings) -> dict:
    env = [{"name": f"OPERATOR_{k}", "value": json.dumps(v)} for k, v in settings.items()]
    return {
        "metadata": {"name": "release", "namespace": "home"},
        "spec": {
            "replicas": replicas,
            "template": {"spec": {"containers": [{"name": "operator", "env": env}]}},
        },
        "status": {"readyReplicas": ready} if ready else {},
    }


def node(labels: dict[str, str], **allocatable: str) -> dict:
    return {"metadata": {"name": "n", "labels": labels}, "status": {"allocatable": allocatable}}


def levels(found) -> list[Level]:
    return [each.level for each in found]


def test_a_crd_that_is_not_there_is_installed_by_the_chart():
    found = findings.of_versions([])
    assert found.level is Level.WRONG
    assert found.mend.startswith("helm install transcription-operator")


def test_a_crd_of_another_version_asks_for_an_upgrade():
    found = findings.of_versions(["v1beta1"])
    assert found.level is Level.WRONG
    assert "serves v1beta1, and this plugin speaks v1alpha1" in found.message


def test_a_crd_that_is_served_is_fine():
    assert findings.of_versions(["v1beta1", "v1alpha1"]).level is Level.OK


def test_no_operator_at_all():
    (found,) = findings.of_deployments([], "media")
    assert found.level is Level.WRONG


def test_an_operator_that_is_not_ready_has_a_log():
    (found,) = findings.of_deployments([deployment(ready=0)], "media")
    assert found.level is Level.WRONG
    assert "kubectl logs deployment/release -n home" in found.mend


def test_an_operator_that_was_scaled_to_nothing():
    (found,) = findings.of_deployments([deployment(ready=0, replicas=0)], "media")
    assert found.mend == "kubectl scale deployment release -n home --replicas=1"


def test_an_operator_that_does_not_look_at_the_namespace():
    there = [deployment(WATCH_NAMESPACES=["team-a"])]
    assert levels(findings.of_deployments(there, "team-a")) == [Level.OK]
    _, found = findings.of_deployments(there, "media")
    assert found.level is Level.WRONG
    assert "'watchNamespaces={team-a,media}'" in found.mend


def test_one_of_two_operators_that_looks_everywhere_is_enough():
    there = [deployment(WATCH_NAMESPACES=["team-a"]), deployment(WATCH_NAMESPACES=[])]
    assert levels(findings.of_deployments(there, "media")) == [Level.OK, Level.OK]


def test_the_policys_words_name_the_pools():
    said = "... is forbidden: there is no node pool 'x'; the pools are: cpu, gpu"
    found = findings.of_unknown_pool(said, [])
    assert (found.level, found.message) == (Level.OK, "the pools are: cpu, gpu")


def test_without_the_policy_there_is_only_a_note():
    found = findings.of_unknown_pool("", [deployment()])
    assert found.level is Level.NOTE
    assert found.mend == (
        "helm upgrade release helm/transcription-operator -n home "
        "--reset-then-reuse-values --set nodePoolPolicy.enabled=true"
    )


def test_a_cluster_that_refuses_every_job_is_told_in_its_own_words():
    found = findings.of_refusal('admission webhook "x" denied the request')
    assert found.level is Level.WRONG
    assert 'webhook "x" denied' in found.message


@pytest.mark.parametrize(
    "nodes",
    [
        [],
        [node({"pool": "cpu"}, **{"nvidia.com/gpu": "2"})],
        [node({"pool": "gpu"})],
        [node({"pool": "gpu"}, **{"nvidia.com/gpu": "1"})],
    ],
    ids=["no nodes", "another label", "no GPUs", "too few GPUs"],
)
def test_a_pool_without_a_node_is_noted(nodes):
    (found,) = findings.of_pools([deployment(NODE_POOLS={"gpu": GPU_POOL, "gone": None})], nodes)
    assert found.level is Level.NOTE
    assert "no node fits pool gpu (pool=gpu, 2 nvidia.com/gpu)" in found.message
    assert found.mend == "kubectl label node NODE pool=gpu"


def test_pools_that_have_nodes_are_said():
    nodes = [node({"pool": "gpu"}, **{"nvidia.com/gpu": "2"})]
    (found,) = findings.of_pools([deployment(NODE_POOLS={"gpu": GPU_POOL, "cpu": {}})], nodes)
    assert (found.level, found.message) == (Level.OK, "every pool has nodes that fit")


def test_without_an_operator_nothing_is_said_of_pools():
    assert findings.of_pools([], []) == []


def test_a_missing_secret_comes_with_the_command_that_makes_it():
    found = findings.of_missing_secret("store", "media", is_needed=True)
    assert found.mend.startswith("kubectl create secret generic store -n media --from-literal=")


@pytest.mark.parametrize("key", ["endpoint", "accessKey", "secretKey"])
def test_a_secret_that_lacks_a_key(key):
    found = findings.of_secret("store", "media", {**SECRET, key: ""})
    assert found.level is Level.WRONG
    assert found.message == f"the Secret store lacks {key}: no worker can start"
    assert found.mend.startswith("kubectl patch secret store -n media ")


@pytest.mark.parametrize("key", ["endpoint", "accessKey", "secretKey", "sessionToken"])
def test_a_value_with_a_line_end_is_wrong_and_not_shown(key):
    found = findings.of_secret("store", "media", {**SECRET, key: "hunter2\n"})
    assert found.level is Level.WRONG
    assert f"around the value of {key}" in found.message
    assert found.mend.startswith("kubectl patch secret store -n media ")
    assert "hunter2" not in found.message + found.mend


def test_a_secret_with_an_endpoint_that_is_none_does_not_show_it():
    found = findings.of_secret("store", "media", {**SECRET, "endpoint": "hunter2"})
    assert found.level is Level.WRONG
    assert "hunter2" not in found.message


def test_a_secret_that_has_all():
    assert findings.of_secret("store", "media", SECRET).level is Level.OK


@pytest.mark.parametrize(
    ("endpoint", "inside"),
    [
        ("http://store.store.svc:9000", True),
        ("http://minio.minio.svc.cluster.local", True),
        ("https://s3.example.com", False),
        ("http://localhost:9000", False),
    ],
)
def test_a_services_name_is_known_only_inside(endpoint, inside):
    assert findings.is_inside(endpoint) is inside


def pod(image: str, **waiting: str) -> dict:
    state = {"waiting": waiting} if waiting else {"running": {}}
    return {"status": {"containerStatuses": [{"image": image, "state": state}]}}


def test_an_image_that_cannot_be_pulled_is_told_once():
    pods = [
        pod("registry/x:1", reason="ImagePullBackOff", message="not found"),
        pod("registry/x:1", reason="ErrImagePull", message="not found"),
        pod("registry/y:1", reason="ContainerCreating"),
        pod("registry/z:1"),
        {"status": {}},
    ]
    (found,) = findings.of_pods(pods, [], [])
    assert found.level is Level.WRONG
    assert found.message == "the image registry/x:1 cannot be pulled: not found"
    assert "transcriber.image.repository=REPOSITORY" in found.mend


def test_workers_that_run_have_their_image():
    assert levels(findings.of_pods([pod("registry/z:1")], [pod("registry/o:1")], [])) == [Level.OK]


def test_the_operators_own_image_is_told_apart():
    waiting = pod("registry/o:1", reason="ErrImagePull", message="not found")
    (found,) = findings.of_pods([pod("registry/z:1")], [waiting], [deployment()])
    assert found.level is Level.WRONG
    assert found.message == "the operator's image registry/o:1 cannot be pulled: not found"
    assert "--set operator.image.repository=REPOSITORY" in found.mend


BY_ADDRESS = "doctor --endpoint URL, with the address that this machine reaches"


@pytest.mark.parametrize(
    ("endpoint", "mend"),
    [
        ("http://store.media.svc:9000", "kubectl port-forward -n media svc/store 9000:9000, and "
         "beside it: doctor --endpoint http://localhost:9000"),
        ("http://s3.x.svc.cluster.local", "kubectl port-forward -n x svc/s3 9000:80, and beside "
         "it: doctor --endpoint http://localhost:9000"),
        ("https://s3.x.svc", BY_ADDRESS),
        ("http://minio-0.minio.store.svc:9000", BY_ADDRESS),
        ("http://store.svc:9000", BY_ADDRESS),
        ("https://s3.example.com", BY_ADDRESS),
    ],
    ids=["a Service with a port", "a Service without one", "with a certificate for its name",
         "a pod of a Service", "a name that is too short", "no Service"],
)  # fmt: skip
def test_a_store_that_this_machine_does_not_reach_comes_with_a_way_to_it(endpoint, mend):
    assert findings.how_to_reach(endpoint, "doctor") == mend
