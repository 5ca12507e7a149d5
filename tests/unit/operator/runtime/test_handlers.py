import asyncio
import inspect
import json
import logging
from itertools import islice
from typing import Any

import kopf
import pytest

from tests.unit.operator.runtime.test_caches import manifest
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.handlers import register
from transcription_operator.runtime.workqueue import WorkQueue


async def test_events_reach_cache_and_queue_in_the_loop_and_not_in_one_of_kopfs_threads():
    worked = asyncio.Event()

    async def work(_: str) -> None:
        worked.set()

    registry = kopf.OperatorRegistry()
    caches, queue = Caches(lambda _: None), WorkQueue(work)
    register(registry, caches, queue)
    (handler,) = registry._watching.get_all_handlers()
    assert inspect.iscoroutinefunction(handler.fn)
    await handler.fn(event={"type": "ADDED", "object": manifest(1)})
    running = asyncio.create_task(queue.run())
    await asyncio.wait_for(worked.wait(), timeout=5)
    running.cancel()
    await handler.fn(event={"type": "DELETED", "object": manifest(2)})
    assert not caches.owners.knows("media/standup")


def registered() -> kopf.OperatorRegistry:
    async def work(_: str) -> None: ...

    registry = kopf.OperatorRegistry()
    register(registry, Caches(lambda _: None), WorkQueue(work))
    return registry


def activity(name: str) -> Any:
    return next(h.fn for h in registered()._activities.get_all_handlers() if h.fn.__name__ == name)


def test_kopf_never_gives_up_on_an_api_server_in_trouble():
    settings = kopf.OperatorSettings()
    activity("configure")(settings=settings)
    backoffs: Any = settings.networking.error_backoffs
    for _ in range(2):  # each request begins with the first
        assert next(iter(backoffs)) <= 0.2
    waits = list(islice(backoffs, 1000))
    assert sum(waits) > 4 * 3600
    assert max(waits) <= 30


@pytest.mark.parametrize("kind", ["token", "exec", "tokenFile"])
def test_kopf_logs_in_by_all_that_a_kubeconfig_may_name(kind, tmp_path, monkeypatch):
    plugin = tmp_path / "plugin"
    plugin.write_text(
        "#!/bin/sh\n"
        'echo \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",\'\n'
        f'echo "\\"status\\": {{\\"token\\": \\"$(cat {tmp_path}/now)\\"}}}}"\n'
    )
    plugin.chmod(0o755)
    (tmp_path / "now").write_text("one")
    user: dict[str, Any] = {
        "token": {"token": "one"},
        "tokenFile": {"tokenFile": str(tmp_path / "now")},
        "exec": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin),
                          "interactiveMode": "Never"}},
    }[kind]  # fmt: skip
    cluster = {"server": "https://api.example", "proxy-url": "http://proxy:3128"}
    config = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    # The kubernetes package has read this variable when it was imported.
    where = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
    monkeypatch.setattr(where, str(tmp_path / "config"))
    login = activity("login")

    def logged_in() -> kopf.ConnectionInfo:
        found = login(logger=logging.getLogger(), settings=kopf.OperatorSettings())
        assert isinstance(found, kopf.ConnectionInfo)
        return found

    assert (logged_in().token, logged_in().proxy_url) == ("one", "http://proxy:3128")
    (tmp_path / "now").write_text("two")
    assert logged_in().token == ("one" if kind == "token" else "two")
