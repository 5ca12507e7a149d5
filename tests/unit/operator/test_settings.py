import pytest
from pydantic import ValidationError

from transcription_operator.settings import ModelCache, Settings, settings_errors


def test_the_environment_is_read_as_the_chart_writes_it(monkeypatch):
    monkeypatch.setenv("OPERATOR_TRANSCRIBER_IMAGE", "image:1")
    monkeypatch.setenv("OPERATOR_WATCH_NAMESPACES", '["a","b"]')
    monkeypatch.setenv(
        "OPERATOR_NODE_POOLS",
        '{"gpu":{"nodeSelector":{"x":"y"},"gpu":{"resource":"nvidia.com/gpu"}},"small":{}}',
    )
    monkeypatch.setenv("OPERATOR_POOL_BY_MODEL", '{"tiny":"small"}')
    monkeypatch.setenv("OPERATOR_SERVICE_ACCOUNTS", '["transcriber"]')
    monkeypatch.setenv("OPERATOR_DEFAULT_NODE_POOL", "gpu")
    monkeypatch.setenv(
        "OPERATOR_MODELS",
        '{"mirrorUri":"s3://models/","cache":{"persistentVolumeClaim":"whisper"}}',
    )
    monkeypatch.setenv("OPERATOR_SOURCE_NETWORKS", '["10.20.0.0/16","fd00::/8"]')
    settings = Settings()
    assert settings.watch_namespaces == ("a", "b")
    assert settings.node_pools[settings.pool_name(None)].node_selector == {"x": "y"}
    assert settings.pool_name(None, "tiny") == "small"
    assert settings.service_accounts == ("transcriber",)
    assert settings.models.mirror_uri == "s3://models/"
    assert settings.models.cache == ModelCache(persistent_volume_claim="whisper")
    assert settings.source_networks == ("10.20.0.0/16", "fd00::/8")


WRONG = [
    ("a default that does not exist", "NODE_POOLS", '{"a":{}}',
     "defaultNodePool is 'cpu', but nodePools has: a"),
    ("a model's pool that does not exist", "POOL_BY_MODEL", '{"large-v3":"gpu"}',
     "poolByModel sends large-v3 to 'gpu', but nodePools has: cpu"),
    ("a typo", "NODE_POOLS", '{"cpu":{"nodeSelectr":{}}}', "nodeSelectr"),
    ("two caches", "MODELS", '{"cache":{"hostPath":"/a","persistentVolumeClaim":"b"}}',
     "either persistentVolumeClaim or hostPath"),
    ("an empty cache", "MODELS", '{"cache":{}}', "either persistentVolumeClaim or hostPath"),
    ("a cache nowhere", "MODELS", '{"cache":{"hostPath":"models"}}', "hostPath"),
    ("a mirror that is no prefix", "MODELS", '{"mirrorUri":"s3://models/a.pt"}',
     "must be a prefix such as s3://models/"),
    ("a mirror on the web", "MODELS", '{"mirrorUri":"https://models.example/"}',
     "must be a prefix such as s3://models/"),
    ("a network that is an address in one", "SOURCE_NETWORKS", '["10.0.0.1/8"]',
     "'?10.0.0.1/8'? has host bits set"),
    ("a prefix in the middle", "POD_TEMPLATE", '{"allowedEnv":["A*B"]}', "allowedEnv"),
    ("a toleration of every taint", "POD_TEMPLATE",
     '{"allowedTolerations":[{"operator":"Exists"}]}', "allowedTolerations.0.key"),
    ("an endpoint without a scheme", "OBJECT_STORE", '{"allowedEndpoints":["s3.example"]}',
     "allowedEndpoints"),
    ("a limit that is no amount", "LIMITS", '{"maxResources":{"memory":"8GB"}}',
     "'8GB' is not a Kubernetes quantity"),
    ("a pool's amount that is none", "NODE_POOLS",
     '{"cpu":{"resources":{"limits":{"memory":"much"}}}}', "'much' is not a Kubernetes quantity"),
    ("a network that is none", "SOURCE_NETWORKS", '["intranet"]', "sourceNetworks needs CIDRs"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "problem"), [w[1:] for w in WRONG],
                         ids=[w[0] for w in WRONG])  # fmt: skip
def test_wrong_settings_are_refused_and_named(monkeypatch, name, value, problem):
    monkeypatch.setenv("OPERATOR_TRANSCRIBER_IMAGE", "image:1")
    monkeypatch.setenv(f"OPERATOR_{name}", value)
    with pytest.raises(ValidationError, match=problem):
        Settings()


def test_an_amount_may_be_a_number_as_in_kubernetes(monkeypatch):
    monkeypatch.setenv("OPERATOR_TRANSCRIBER_IMAGE", "image:1")
    monkeypatch.setenv("OPERATOR_NODE_POOLS", '{"cpu":{"resources":{"requests":{"cpu":1.5}}}}')
    assert Settings().node_pools["cpu"].resources == {"requests": {"cpu": "1.5"}}


RANGES = [
    ("API_QPS", "0", "greater than 0"),
    ("API_QPS", "nan", "finite number"),
    ("RESYNC_SECONDS", "inf", "finite number"),
    ("API_BURST", "many", "valid integer"),
    ("LOG_FORMAT", "xml", "'json' or 'text'"),
    ("HTTP_PORT", "70000", "less than or equal to 65535"),
    ("IDENTITY", "", "at least 1 character"),
    ("LEADER_ELECTION", "true", "leaderElection needs the namespace of the lease"),
    ("LEASE_DURATION_SECONDS", "6", "8 must be less than OPERATOR_LEASE_DURATION_SECONDS, 6"),
    ("LEASE_RETRY_SECONDS", "10", "10 must be less than OPERATOR_LEASE_DEADLINE_SECONDS, 8"),
    ("MAX_ACTIVE_JOBS", "0", "greater than or equal to 1"),
    ("MAX_ACTIVE_JOBS_PER_NAMESPACE", "-1", "greater than or equal to 1"),
]


@pytest.mark.parametrize(
    ("name", "value", "problem"), RANGES, ids=[f"{r[0]}={r[1]}" for r in RANGES]
)
def test_a_number_out_of_its_range_is_refused(monkeypatch, name, value, problem):
    monkeypatch.setenv("OPERATOR_TRANSCRIBER_IMAGE", "image:1")
    monkeypatch.setenv(f"OPERATOR_{name}", value)
    with pytest.raises(ValidationError, match=problem):
        Settings()


def test_every_mistake_is_told_at_once_by_the_name_of_its_variable(monkeypatch):
    wrong = {
        "IMAGE_PULL_SECRETS": "regcred",
        "NODE_POOLS": '{"cpu": {"nodeSelectr": {}, "gpu": {"count": 0}}}',
        "MODELS": "{",
        "SOURCE_NETWORKS": '["intranet"]',
        "LEASE_RETRY_SECONDS": "20",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(f"OPERATOR_{name}", value)
    with pytest.raises(ValidationError) as error:
        Settings()
    assert settings_errors(error.value).splitlines() == [
        "OPERATOR_TRANSCRIBER_IMAGE: Field required",
        "OPERATOR_IMAGE_PULL_SECRETS: Input should be a valid tuple, written in JSON",
        "OPERATOR_NODE_POOLS: cpu.gpu.count: Input should be greater than or equal to 1",
        "OPERATOR_NODE_POOLS: cpu.nodeSelectr: Extra inputs are not permitted",
        "OPERATOR_MODELS: Input should be a valid dictionary or instance of Models, written in "
        "JSON",
        "OPERATOR_SOURCE_NETWORKS: sourceNetworks needs CIDRs such as 10.0.0.0/8: 'intranet' does "
        "not appear to be an IPv4 or IPv6 network",
        "OPERATOR_LEASE_RETRY_SECONDS: 20 must be less than OPERATOR_LEASE_DEADLINE_SECONDS, 8",
    ]


def test_a_mistake_between_two_settings_is_a_sentence_of_its_own(monkeypatch):
    monkeypatch.setenv("OPERATOR_TRANSCRIBER_IMAGE", "image:1")
    monkeypatch.setenv("OPERATOR_DEFAULT_NODE_POOL", "gpu")
    with pytest.raises(ValidationError) as error:
        Settings()
    assert settings_errors(error.value) == "defaultNodePool is 'gpu', but nodePools has: cpu"
