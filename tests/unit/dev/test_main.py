import pytest

from dev.__main__ import run_demo
from dev.errors import DevError


def test_a_cluster_that_the_demo_does_not_know_is_refused_with_those_that_it_does(monkeypatch):
    monkeypatch.setenv("CLUSTER", "currnet")
    with pytest.raises(DevError, match=r"CLUSTER is local .* or current .*, and not currnet\."):
        run_demo()
