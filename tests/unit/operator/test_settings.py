import pytest
from pydantic import ValidationError

from transcription_operator.settings import Settings


def test_the_environment_is_read_as_the_chart_writes_it(monkeypatch):
    monkeypatch.setenv("OPERATOR_TRANSCRIBER_IMAGE", "image:1")
    monkeypatch.setenv("OPERATOR_WATCH_NAMESPACES", '["a","b"]')
    monkeypatch.setenv(
        "OPERATOR_NODE_POOLS",
        '{"gpu":{"nodeSelector":{"x":"y"},"gpu":{"resource":"nvidia.com/gpu"}}}',
    )
    monkeypatch.setenv("OPERATOR_DEFAULT_NODE_POOL", "gpu")
    settings = Settings()
    pool = settings.pool(None)
    assert settings.watch_namespaces == ("a", "b")
    assert pool is not None
    assert pool.node_selector == {"x": "y"}
    assert settings.pool("none") is None


@pytest.mark.parametrize(
    ("pools", "problem"),
    [
        ('{"a":{}}', "defaultNodePool is 'cpu', but nodePools has: a"),
        ('{"cpu":{"nodeSelectr":{}}}', "nodeSelectr"),
    ],
    ids=["a default that does not exist", "a typo"],
)
def test_wrong_settings_are_refused_and_named(monkeypatch, pools, problem):
    monkeypatch.setenv("OPERATOR_TRANSCRIBER_IMAGE", "image:1")
    monkeypatch.setenv("OPERATOR_NODE_POOLS", pools)
    with pytest.raises(ValidationError, match=problem):
        Settings()
