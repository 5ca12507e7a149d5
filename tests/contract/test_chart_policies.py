"""The chart's admission policies; tests/integration tries them on a real API server."""

import json
import re
from typing import Any

import pytest

from tests.contract.test_chart import named, of_kind, render
from transcription_contract.task import KEY_FILES, STORE_VARIABLES, TASK_VARIABLE

KIND = "ValidatingAdmissionPolicy"


def policy(*arguments: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The node pools' policy and its binding."""
    documents, name = render(*arguments), "t-sys-node-pools"
    binding = named(documents, "ValidatingAdmissionPolicyBinding", name)["spec"]
    assert binding["policyName"] == name
    return named(documents, "ValidatingAdmissionPolicy", name)["spec"], binding


@pytest.mark.parametrize(
    ("arguments", "pools"),
    [
        ([], '["cpu","gpu"]'),
        (["--set", "nodePools.gpu=null,defaultNodePool=cpu"], '["cpu"]'),
        (["--set-json", 'nodePools={"h100":{},"a100":{}}'], '["a100","cpu","gpu","h100"]'),
    ],
    ids=["the chart's", "one fewer", "more"],
)
def test_a_pool_that_is_not_among_the_values_is_refused_when_a_job_is_created(arguments, pools):
    made, _ = policy(*arguments)
    (resources,) = made["matchConstraints"]["resourceRules"]
    assert resources["operations"] == ["CREATE"]
    (validation,) = made["validations"]
    assert validation["expression"].endswith(f"object.spec.nodePool in {pools}")
    assert validation["messageExpression"].endswith(
        f'the pools are: {", ".join(json.loads(pools))}"'
    )


def test_an_operator_of_some_namespaces_refuses_pools_in_those_alone():
    _, everywhere = policy()
    assert "matchResources" not in everywhere
    _, binding = policy("--set", "watchNamespaces={a,b}")
    (expression,) = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert expression["key"] == "kubernetes.io/metadata.name"
    assert (expression["operator"], expression["values"]) == ("In", ["a", "b"])


def test_the_pools_of_an_operator_are_no_rule_for_jobs_of_another_class():
    made, _ = policy("--set", "operator.className=research")
    (condition,) = made["matchConditions"]
    assert condition["expression"] == "object.spec.?operatorClassName.orValue('') == \"research\""


def policies(*arguments: str) -> dict[str, dict[str, Any]]:
    """The spec of each policy by its name; each has a binding that denies."""
    documents = render(*arguments)
    made = {d["metadata"]["name"]: d["spec"] for d in of_kind(documents, KIND)}
    for binding in of_kind(documents, f"{KIND}Binding"):
        assert binding["spec"]["validationActions"] == ["Deny"]
    bound = [binding["spec"]["policyName"] for binding in of_kind(documents, f"{KIND}Binding")]
    assert sorted(bound) == sorted(made)
    return made


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ("", {"t-sys-node-pools", "t-sys-operator-jobs", "t-sys-operator-pods"}),
        ("nodePoolPolicy.enabled=false", {"t-sys-operator-jobs", "t-sys-operator-pods"}),
        ("operatorPolicy.enabled=false", {"t-sys-node-pools"}),
        ("lostNodes.enabled=false", {"t-sys-node-pools", "t-sys-operator-jobs"}),
        ("nodePoolPolicy.enabled=false,operatorPolicy.enabled=false", set()),
    ],
    ids=["all", "without the pools'", "without the operator's", "without pods'", "none"],
)
def test_a_policy_can_be_left_out(values: str, left: set[str]):
    assert policies("--set", values).keys() == left


def expressions(spec: dict[str, Any]) -> str:
    return " ".join(each["expression"] for each in spec["validations"])


def test_the_operators_policies_are_about_its_service_account_and_nobody_else():
    account = "--set=operator.serviceAccount.name=mine"
    for name in ("t-sys-operator-jobs", "t-sys-operator-pods"):
        (condition,) = policies(account)[name]["matchConditions"]
        username = '"system:serviceaccount:sys:mine"'
        assert condition["expression"] == f"request.userInfo.username == {username}"


def test_what_the_operator_is_forbidden_it_tries_again_instead_of_failing_the_job():
    for name in ("t-sys-operator-jobs", "t-sys-operator-pods"):
        reasons = {validation["reason"] for validation in policies()[name]["validations"]}
        assert reasons == {"Forbidden"}


def test_the_policy_knows_the_images_accounts_and_cache_of_the_values():
    said = expressions(policies(
        "--set=transcriber.image.repository=r.example:5000/a+b/transcriber",
        "--set=serviceAccounts={one,two,team-*},models.cache.hostPath=/var/cache/models",
    )["t-sys-operator-jobs"])  # fmt: skip
    assert r'matches("^r\\.example:5000/a\\+b/transcriber[:@][^/]*$")' in said
    assert 'in ["","one","two"]' in said
    assert '["team-"].exists(prefix, ' in said
    assert 'v.hostPath.path == "/var/cache/models"' in said
    assert "persistentVolumeClaim" not in said


def test_the_policy_lets_through_the_workers_own_variables_and_those_that_jobs_may_set():
    said = expressions(policies("--set=podTemplate.allowedEnv={TZ,OMP_*}")["t-sys-operator-jobs"])
    (names,) = re.findall(r"e\.name in (\[.*?\])", said)
    own = {TASK_VARIABLE, "NVIDIA_VISIBLE_DEVICES", *STORE_VARIABLES.values()}
    assert set(json.loads(names)) == own | {"TZ"}
    assert '["OMP_"].exists(prefix, e.name.startsWith(prefix))' in said


def test_the_policy_lets_through_just_the_keys_of_an_object_stores_secret():
    variables = {v["name"]: v["expression"] for v in policies()["t-sys-operator-jobs"]["variables"]}
    assert set(json.loads(variables["secretKeys"])) == {*STORE_VARIABLES, *KEY_FILES, "caCert"}
