import pytest
from pydantic import ValidationError

from transcription_operator.settings import ModelCache, Settings


def test_the_environment_is_read_as_the_chart_writes_it(monkeypatch):
    monkeypatch.setenv("OPERATOR_TRANSCRIBER_IMAGE", "image:1")
    monkeypatch.setenv("OPERATOR_WATCH_NAMESPACES", '["a","b"]')
    monkeypatch.setenv(
        "OPERATOR_NODE_POOLS",
        '{"gpu":{"nodeSelector":{"x":"y"},"gpu":{"resource":"nvidia.com/gpu"}}}',
    )
    monkeypatch.setenv("OPERATOR_DEFAULT_NODE_POOL", "gpu")
    monkeypatch.setenv(
        "OPERATOR_MODELS",
        '{"mirrorUri":"s3://models/","cache":{"persistentVolumeClaim":"whisper"}}',
    )
    monkeypatch.setenv("OPERATOR_SOURCE_NETWORKS", '["10.20.0.0/16","fd00::/8"]')
    settings = Settings()
    pool = settings.pool(None)
    assert settings.watch_namespaces == ("a", "b")
    assert pool is not None
    assert pool.node_selector == {"x": "y"}
    assert settings.pool("none") is None
    assert settings.models.mirror_uri == "s3://models/"
    assert settings.models.cache == ModelCache(persistent_volume_claim="whisper")
    assert settings.source_networks == ("10.20.0.0/16", "fd00::/8")


WRONG = [
    ("a default that does not exist", "NODE_POOLS", '{"a":{}}',
     "defaultNodePool is 'cpu', but nodePools has: a"),
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
    ("a network that is none", "SOURCE_NETWORKS", '["intranet"]', "sourceNetworks needs CIDRs"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "problem"), [w[1:] for w in WRONG],
                         ids=[w[0] for w in WRONG])  # fmt: skip
def test_wrong_settings_are_refused_and_named(monkeypatch, name, value, problem):
    monkeypatch.setenv("OPERATOR_TRANSCRIBER_IMAGE", "image:1")
    monkeypatch.setenv(f"OPERATOR_{name}", value)
    with pytest.raises(ValidationError, match=problem):
        Settings()
