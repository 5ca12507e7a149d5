"""The image registry, on the bridge's address; what is in it stays between clusters."""

import urllib.error
import urllib.request
from pathlib import Path

from dev import files
from dev.commands import wait_until
from dev.network import HOST
from dev.paths import CACHE, STATE
from dev.processes import Processes

PORT = 5000
ADDRESS = f"{HOST}:{PORT}"
"""Where it listens."""

NAME = f"localhost:{PORT}"
"""How manifests call it; every node's containerd knows the real address."""

CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  delete: {{enabled: true}}
http: {{addr: "{address}"}}
"""


def start() -> None:
    """Start the registry, when it does not run."""
    processes = Processes(STATE)
    if not processes.is_alive("registry"):
        config = STATE / "registry.yaml"
        files.write(config, CONFIG.format(storage=CACHE / "registry", address=ADDRESS))
        processes.start("registry", ["docker-registry", "serve", config])

    def answers() -> bool:
        processes.check("registry")
        return _exists("/v2/")

    wait_until("the registry answers", answers, timeout=20, hint=_log())


def has(repository: str, tag: str) -> bool:
    """Whether an image has been pushed."""
    return _exists(f"/v2/{repository}/manifests/{tag}")


def _exists(path: str) -> bool:
    accept = "application/vnd.oci.image.manifest.v1+json"
    request = urllib.request.Request(
        f"http://{ADDRESS}{path}", method="HEAD", headers={"Accept": accept}
    )
    # A proxy that the environment names is for the world outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _log() -> str:
    log: Path = Processes(STATE).log("registry")
    return f"See {log}."
