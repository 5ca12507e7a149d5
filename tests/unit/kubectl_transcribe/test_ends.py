"""How a command ends that nobody has foreseen."""

import pytest

from kubectl_transcribe import __main__ as program
from kubectl_transcribe.errors import ExitCode


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("the disk is gone"), "error: the disk is gone\n"),
        (FileNotFoundError(2, "No such file", "a.wav"), "error: a.wav: No such file\n"),
    ],
    ids=["without a file", "with a file"],
)
def test_an_error_of_the_machine_is_one_sentence(error, told, monkeypatch, capsys):
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(program.main, "main", fail)
    assert program.run([]) is ExitCode.USAGE
    assert capsys.readouterr().err == told


def test_a_sentence_of_the_library_has_one_end(capsys):
    assert program.run(["result", "x", "--download"]) is ExitCode.USAGE
    assert "requires an argument; see `kubectl transcribe" in capsys.readouterr().err


def test_in_the_list_of_verbs_no_sentence_is_cut(capsys):
    assert program.run(["--help"]) == ExitCode.DONE
    verbs = capsys.readouterr().out.partition("Commands:\n")[2].splitlines()
    assert len(verbs) > 10
    assert [each for each in verbs if each.endswith("...")] == []
    assert len(set(each[14:] for each in verbs)) == len(verbs)


def test_without_a_verb_the_help_is_shown(capsys):
    assert program.run([]) is ExitCode.USAGE
    assert capsys.readouterr().err.startswith("Usage: kubectl transcribe ")
