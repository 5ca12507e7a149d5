"""The image registry, on the bridge's address; what is in it stays between clusters."""

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

MANIFEST = "application/vnd.oci.image.manifest.v1+json"

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


def name(repository: str, tag: str, other: str) -> None:
    """Give an image that has been pushed another tag beside its own."""
    manifest = _ask("GET", f"/v2/{repository}/manifests/{tag}")
    _ask("PUT", f"/v2/{repository}/manifests/{other}", manifest)


def _exists(path: str) -> bool:
    try:
        _ask("HEAD", path)
    except OSError:
        return False
    return True


def _ask(method: str, path: str, manifest: bytes | None = None) -> bytes:
    """The answer's body; URLError, an OSError, when there is none or it is not 2xx."""
    headers = {"Accept": MANIFEST, "Content-Type": MANIFEST}
    request = urllib.request.Request(
        f"http://{ADDRESS}{path}", data=manifest, method=method, headers=headers
    )
    # A proxy that the environment names is for the world outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=5) as response:
        content: bytes = response.read()
    return content


def _log() -> str:
    log: Path = Processes(STATE).log("registry")
    return f"See {log}."
