import json

import pytest
import yaml

from kubectl_transcribe import printing

JOB = {"metadata": {"name": "standup"}, "status": {"message": "März \x1b[2J\x9b"}}


def test_one_object_is_itself_and_several_are_a_list():
    assert json.loads(printing.text([JOB], "json")) == JOB
    several = yaml.safe_load(printing.text([JOB, JOB], "yaml"))
    assert (several["kind"], several["items"]) == ("List", [JOB, JOB])


def test_names_are_kubectls():
    name = "transcriptionjob.transcription.dev/standup\n"
    assert printing.text([JOB, JOB], "name") == name * 2


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_nothing_in_an_object_reaches_the_terminal(form):
    assert not {"\x1b", "\x9b"} & set(printing.text([JOB], form))
