"""A Prometheus of a test's own (Debian's package): what it scraped, by its HTTP API."""

import json
import math
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from dev.commands import wait_until
from tests.ports import free_ports

Points = list[tuple[float, float]]
"""(seconds since 1970, value), without those that are no number."""


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    address: str

    def series(self, query: str, begin: float, end: float, step: float = 1.0) -> dict[str, Points]:
        """What a panel would draw of a query: labels, as JSON -> points; a series without a number
        is left out."""
        asked = {"query": query, "start": begin, "end": end, "step": step}
        found = {}
        for each in self.get("query_range", **asked)["result"]:
            points = [(at, float(value)) for at, value in each["values"]]
            if finite := [point for point in points if math.isfinite(point[1])]:
                found[json.dumps(each["metric"])] = finite
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Each alert as it stands."""
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def is_up(self, job: str) -> bool:
        """Whether a job's first target has answered; for some seconds it has none."""
        targets = self.get("targets", state="active")["activeTargets"]
        health = [each["health"] for each in targets if each["labels"]["job"] == job]
        return health[:1] == ["up"]

    def get(self, what: str, **parameters: object) -> dict[str, Any]:
        """The data of an answer.

        Raises:
            urllib.error.HTTPError: a query that makes no sense.
        """
        with urlopen(f"{self.address}/api/v1/{what}?{urlencode(parameters)}") as answer:
            data: dict[str, Any] = json.loads(answer.read())["data"]
            return data


@contextmanager
def prometheus(
    folder: Path, targets: Mapping[str, Sequence[Mapping[str, Any]]], rules: Path
) -> Iterator[Prometheus]:
    """From when it answers on. ``targets``: job -> its static_configs, scraped each second."""
    jobs = [{"job_name": job, "static_configs": [*each]} for job, each in targets.items()]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": jobs,
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (port,) = free_ports(1)
    log = folder / "prometheus.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until("Prometheus answers", lambda: _is_ready(address), 60, hint=f"Its log: {log}")
        yield Prometheus(address)
    finally:
        process.kill()
        process.wait()


def _is_ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/-/ready"):
            return True
    except (URLError, OSError):
        return False
