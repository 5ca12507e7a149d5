from tests.contract.test_chart import granted, named, of_kind, render, settings_of


def test_an_operator_of_named_namespaces_has_roles_there_and_no_cluster_role():
    documents = render("--set", "watchNamespaces={a,b}")
    roles = {r["metadata"]["namespace"]: r for r in of_kind(documents, "Role")}
    assert roles.keys() == {"a", "b", "sys"}
    assert not of_kind(documents, "ClusterRoleBinding")
    assert "nodes" not in {resource for resource, _ in granted(roles["a"])}


def test_the_lease_is_the_one_thing_that_the_operator_may_do_at_home():
    documents = render()
    (role,) = of_kind(documents, "Role")
    (binding,) = of_kind(documents, "RoleBinding")
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "sys"
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert granted(role) == {("leases", verb) for verb in ("create", "get", "update")}
    names = {verb: rule.get("resourceNames") for rule in role["rules"] for verb in rule["verbs"]}
    assert names == {"create": None, "get": ["t"], "update": ["t"]}


def test_the_operator_can_reach_no_secret_no_shell_and_makes_no_pods():
    allowed = granted(named(render(), "ClusterRole", "t"))
    assert not {resource for resource, _ in allowed} & {"secrets", "pods/exec", "*"}
    assert "*" not in {verb for _, verb in allowed}
    assert {verb for resource, verb in allowed if resource == "pods"} == {"get", "list", "watch"}
    assert {verb for resource, verb in allowed if resource == "nodes"} == {"get"}
    # A spec is its user's: the operator writes the status, and deletes after the TTL.
    assert ("transcriptionjobs", "patch") not in allowed


def test_without_lost_nodes_the_operator_reads_no_node_and_writes_no_pod(monkeypatch):
    for enabled in (True, False):
        documents = render("--set", f"lostNodes.enabled={str(enabled).lower()}")
        allowed = granted(named(documents, "ClusterRole", "t"))
        assert (("pods/status", "patch") in allowed) is enabled
        assert (("nodes", "get") in allowed) is enabled
        assert settings_of(documents, monkeypatch).lost_nodes is enabled


def test_the_operator_acts_as_the_service_account_that_the_values_name():
    values = ["--set", "operator.serviceAccount.create=false,operator.serviceAccount.name=mine"]
    documents = render(*values)
    assert not of_kind(documents, "ServiceAccount")
    pod = of_kind(documents, "Deployment")[0]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "mine"
    bindings = [*of_kind(documents, "ClusterRoleBinding"), *of_kind(documents, "RoleBinding")]
    assert {binding["subjects"][0]["name"] for binding in bindings} == {"mine"}
