"""The alerts, by Prometheus' own tool, and what the chart makes of alerts and dashboard."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.test_chart import CHART, ROOT, helm, of_kind, render

RULES = CHART / "files" / "alerts.yaml"
ALERTS = {rule["alert"]: rule for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]}


def promtool(*arguments: str | Path) -> None:
    """Debian's package prometheus has it."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_when_it_should_and_not_before():
    promtool("test", "rules", Path(__file__).with_name("alerts_test.yaml"))


def test_prometheus_takes_the_rules():
    promtool("check", "rules", RULES)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_to_look_at_and_where_to_read_on(name: str):
    said = ALERTS[name]["annotations"]
    assert said.keys() == {"summary", "description", "runbook"}
    assert "kubectl" in said["description"]
    page, _, anchor = said["runbook"].partition("#")
    headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in [heading.lower().replace(" ", "-") for heading in headings]
    assert anchor == name.lower()


def test_the_chart_makes_a_rule_of_the_alerts_as_they_are():
    (rule,) = of_kind(
        render(
            "--set",
            "monitoring.prometheusRule.enabled=true",
            "--set",
            "monitoring.prometheusRule.labels.release=prometheus",
        ),
        "PrometheusRule",
    )
    assert rule["spec"] == yaml.safe_load(RULES.read_text())
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    assert rule["metadata"]["labels"]["app.kubernetes.io/instance"] == "t"


def test_the_chart_makes_a_config_map_of_the_dashboard_as_it_is():
    (made,) = of_kind(render("--set", "monitoring.dashboard.enabled=true"), "ConfigMap")
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    (text,) = made["data"].values()
    dashboard: dict[str, Any] = json.loads(text)
    assert dashboard == json.loads((CHART / "files" / "dashboard.json").read_text())


def test_neither_is_there_unless_asked_for():
    kinds = {document["kind"] for document in render()}
    assert not kinds & {"PrometheusRule", "ConfigMap"}


@pytest.mark.parametrize(
    "typo", ["monitoring.dashbord.enabled=true", "monitoring.prometheusRule.labels.a=1"]
)
def test_a_typo_is_refused(typo: str):
    assert helm("--set", typo).returncode != 0
