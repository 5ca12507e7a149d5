import pytest

from tests.api import Api

CANNOT = [
    ("get", "", "secrets", None),
    ("list", "", "secrets", None),
    ("create", "", "pods", None),
    ("create", "", "pods", "exec"),
    ("get", "", "pods", "proxy"),
    ("delete", "", "pods", None),
    ("create", "rbac.authorization.k8s.io", "clusterroles", None),
    ("update", "transcription.dev", "transcriptionjobs", None),
    ("list", "", "nodes", None),
]


@pytest.mark.parametrize(("verb", "group", "resource", "sub"), CANNOT, ids=lambda v: str(v))
def test_the_operators_role_cannot(operator_kubeconfig, namespace, verb, group, resource, sub):
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {
            "resourceAttributes": {
                "namespace": namespace,
                "verb": verb,
                "group": group,
                "resource": resource,
                **({"subresource": sub} if sub else {}),
            }
        },
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert Api(operator_kubeconfig).create(path, review)["status"]["allowed"] is False
