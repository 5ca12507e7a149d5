"""kubectl on a kubeconfig that is always named, never the one of the caller's shell."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from dev.commands import run, succeeds
from dev.paths import BIN, MANIFESTS


@dataclass(frozen=True)
class Kubectl:
    """One cluster: a kubeconfig, or with None the current context of whoever calls."""

    kubeconfig: Path | None
    program: str | Path = BIN / "kubectl"

    def _argv(self, *arguments: str | Path) -> list[str | Path]:
        chosen = ["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []
        return [self.program, *chosen, *arguments]

    def __call__(
        self, *arguments: str | Path, stdin: str | None = None, timeout: float = 120
    ) -> str:
        """Run kubectl and return what it printed."""
        return run(self._argv(*arguments), stdin=stdin, timeout=timeout)

    def succeeds(self, *arguments: str | Path) -> bool:
        """Whether kubectl ends with exit code 0."""
        return succeeds(self._argv(*arguments))

    def json(self, *arguments: str | Path) -> Any:
        """The object that kubectl prints with `-o json`."""
        return json.loads(self(*arguments, "-o", "json"))

    def apply(self, manifest: str, values: Mapping[str, str] | None = None) -> None:
        """Apply one of dev/manifests, its ${PLACEHOLDERS} replaced."""
        text = Template((MANIFESTS / manifest).read_text()).substitute(values or {})
        self("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)

    def rollout(self, namespace: str, deployment: str, timeout: int = 120) -> None:
        """Wait until a Deployment runs as its newest specification says."""
        self(
            *("rollout", "status", f"deployment/{deployment}", "-n", namespace),
            f"--timeout={timeout}s",
            timeout=timeout + 10,
        )
