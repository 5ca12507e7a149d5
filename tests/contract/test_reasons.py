"""The words in status.reason: all of them are in the contract's table, as they are used."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from transcription_api import generate
from transcription_api.status import SPEC_UNREADABLE, Phase
from transcription_contract.exit_codes import ENDINGS
from transcription_contract.reasons import REASONS, TABLE, of_phase
from transcription_operator.errors import SpecError
from transcription_operator.policies.deadlines import DEADLINE_EXCEEDED
from transcription_operator.policies.refusals import _REASONS
from whisper_transcriber.errors import TranscriberError

ROOT = Path(__file__).parents[2]
OPERATOR = ROOT / "operator" / "transcription_operator"
PASCAL_CASE = re.compile(r"([A-Z][a-z]*)+")
PAGE = ROOT / "docs" / "troubleshooting.md"


def all_kinds(kind: type[TranscriberError]) -> set[str]:
    return {kind.__name__}.union(*(all_kinds(each) for each in kind.__subclasses__()))


WORKERS = all_kinds(TranscriberError) - {TranscriberError.__name__}


def calls() -> Iterator[ast.Call]:
    for path in OPERATOR.rglob("*.py"):
        yield from (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))


def words_in(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and PASCAL_CASE.fullmatch(str(inner.value)):
            yield str(inner.value)


def is_phase_status(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "PhaseStatus"


def stated_by_the_operator() -> set[str]:
    """Each word that its code gives as a reason: PhaseStatus(phase, "…", …), reason="…"."""
    found = {DEADLINE_EXCEEDED, SPEC_UNREADABLE, SpecError.reason} | {
        reason for _, reason in _REASONS
    }
    for call in calls():
        given = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
        given += call.args[1:2] if is_phase_status(call) else []
        found |= {word for node in given for word in words_in(node)}
    return found


def stated_with_a_phase() -> Iterator[tuple[str, str]]:
    """(phase, word) of each PhaseStatus(Phase.X, "…", …)."""
    for call in calls():
        if is_phase_status(call) and isinstance(call.args[0], ast.Attribute):
            phase = Phase[call.args[0].attr]
            yield from ((phase.value, word) for word in words_in(call.args[1]))


def test_the_operators_code_is_read_as_it_is_written():
    assert {"Transcribing", "JobRefused", "OOMKilled", "QuotaExceeded"} <= stated_by_the_operator()
    assert ("Running", "Transcribing") in set(stated_with_a_phase())


@pytest.mark.parametrize(
    "words",
    [WORKERS, {ending.reason for ending in ENDINGS.values()}, stated_by_the_operator()],
    ids=["the transcriber's errors", "exit codes", "the operator"],
)
def test_every_reason_that_is_stated_is_in_the_table(words: set[str]):
    assert words - REASONS.keys() == set()


def test_a_reason_is_stated_with_the_phases_of_its_entry():
    assert [
        (phase, word) for phase, word in stated_with_a_phase() if phase not in REASONS[word].phases
    ] == []


def test_no_reason_of_a_worker_is_left_in_the_table_after_it():
    final = {r.word for r in TABLE if r.section in ("recording", "object-store", "model")}
    assert final - WORKERS == {SPEC_UNREADABLE}


def test_a_word_has_one_entry_and_a_phase_that_exists():
    words = [word for reason in TABLE for word in (reason.word, *reason.aliases)]
    assert len(words) == len(set(words))
    assert {phase for reason in TABLE for phase in reason.phases} <= set(Phase)
    assert all(len(word) <= 64 and PASCAL_CASE.fullmatch(word) for word in words)


def test_every_phase_has_a_reason():
    assert all(of_phase(phase) for phase in Phase)


def test_a_help_text_fits_a_cell_of_a_table():
    texts = [text for reason in TABLE for text in (reason.meaning, reason.advice)]
    assert [text for text in texts if "|" in text or "\n" in text or not text.endswith(".")] == []


def test_the_page_has_the_tables_as_they_are():
    fill = generate.SECTIONS["docs/troubleshooting.md"]
    assert fill(PAGE.read_text()) == PAGE.read_text()
