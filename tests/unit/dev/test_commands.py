import sys

import pytest

from dev.commands import environment, run, wait_until
from dev.errors import CommandError, DevError


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_settings_of_this_shell_do_not_reach_a_build(monkeypatch):
    for name in ("PIP_FIND_LINKS", "UV_INDEX_URL", "GOFLAGS", "AWS_PROFILE", "PYTHONPATH"):
        monkeypatch.setenv(name, "/here")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    assert "/here" not in environment().values()
    assert environment()["HTTPS_PROXY"] == "http://proxy"
    assert environment(GOFLAGS="-trimpath", GOBIN=None)["GOFLAGS"] == "-trimpath"


def test_the_last_lines_of_a_failure_are_in_the_message():
    with pytest.raises(CommandError, match=r"exit code 3(.|\n)*no such bridge") as caught:
        run(python("import sys; print('no such bridge'); sys.exit(3)"))
    assert "no such bridge" in caught.value.output


def test_a_full_disk_is_said_as_such():
    with pytest.raises(DevError, match=r"^The disk is full"):
        run(python("raise SystemExit('write: No space left on device')"))


def test_a_missing_program_is_named():
    with pytest.raises(DevError, match="no-such-program is not installed"):
        run(["no-such-program"])


def test_a_log_holds_the_command_and_all_that_it_printed(tmp_path):
    log = tmp_path / "log" / "build.log"
    run(python("import sys; print('out'); print('err', file=sys.stderr)"), log=log)
    text = log.read_text()
    assert text.startswith("$ ")
    assert "out" in text
    assert "err" in text


def test_waiting_in_vain_names_what_did_not_happen():
    with pytest.raises(DevError, match=r"Waited 0 s in vain: the API server answers\. See log\."):
        wait_until("the API server answers", lambda: False, timeout=0.1, hint="See log.")
