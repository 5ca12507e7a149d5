"""doctor, run and read."""

import json

from tests.integration.kubectl_transcribe.plugin import Plugin

Findings = list[dict[str, str]]


def look(plugin: Plugin, *arguments: str) -> tuple[int, Findings]:
    """The exit code, and what was found."""
    ended = plugin("doctor", "-o", "json", *arguments)
    assert ended.err == ""
    return ended.code, json.loads(ended.out)


def only(found: Findings, about: str) -> dict[str, str]:
    (finding,) = (f for f in found if f["about"] == about)
    return finding


def is_wrong(plugin: Plugin, about: str, message: str, mend: str, *arguments: str) -> None:
    """There is such a finding, and the exit code says that something is wrong."""
    code, found = look(plugin, *arguments)
    assert code == 1
    wrong = [each for each in found if each["level"] == "wrong" and each["about"] == about]
    assert any(message in each["message"] and mend in each["mend"] for each in wrong), found
