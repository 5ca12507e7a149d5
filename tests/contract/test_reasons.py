"""The words in status.reason: metrics know them, and the documentation has an entry for each."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from transcription_operator.policies.deadlines import DEADLINE_EXCEEDED
from transcription_operator.policies.refusals import _REASONS
from transcription_operator.runtime.metrics import KNOWN_REASONS
from whisper_transcriber.errors import TranscriberError

ROOT = Path(__file__).parents[2]
OPERATOR = ROOT / "operator" / "transcription_operator"
PASCAL_CASE = re.compile(r"([A-Z][a-z]*)+")
PAGE = ROOT / "docs" / "troubleshooting.md"


def all_kinds(kind: type[TranscriberError]) -> set[str]:
    return {kind.__name__}.union(*(all_kinds(each) for each in kind.__subclasses__()))


WORKERS = all_kinds(TranscriberError) - {TranscriberError.__name__}


def stated_by_the_operator() -> set[str]:
    """Each word that its code gives as a reason: PhaseStatus(phase, "…", …), reason="…"."""
    trees = [ast.parse(path.read_text()) for path in OPERATOR.rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = {word for call in calls for word in reasons_of(call)}
    return found | {DEADLINE_EXCEEDED} | {reason for _, reason in _REASONS}


def reasons_of(call: ast.Call) -> Iterator[str]:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
    if isinstance(call.func, ast.Name) and call.func.id == "PhaseStatus":
        given += call.args[1:2]
    for node in given:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Constant) and PASCAL_CASE.fullmatch(str(inner.value)):
                yield str(inner.value)


def documented() -> set[str]:
    """Each word in the first column of the page's tables."""
    rows = [line.split("|")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {word for row in rows for word in re.findall(r"`(\w+)`", row)}


def test_every_reason_of_a_worker_is_counted_under_its_name():
    assert WORKERS <= KNOWN_REASONS


def test_the_operators_code_is_read_as_it_is_written():
    assert {"Transcribing", "JobRefused", "OOMKilled", "QuotaExceeded"} <= stated_by_the_operator()


def test_every_reason_has_an_entry_in_the_documentation():
    assert (WORKERS | KNOWN_REASONS | stated_by_the_operator()) - documented() == set()


def test_no_entry_is_of_a_reason_that_nobody_gives():
    assert documented() - WORKERS - KNOWN_REASONS - stated_by_the_operator() == set()
