"""What a worker sees of the others' work, however late it appears."""

import time

import pytest

from tests.unit.transcriber.stores import MemoryStore
from whisper_transcriber.coordination import state as state_module
from whisper_transcriber.coordination.layout import Delivered
from whisper_transcriber.coordination.names import Mark
from whisper_transcriber.coordination.state import WorkspaceState
from whisper_transcriber.coordination.workspace import Workspace


def test_a_group_whose_mark_is_minutes_old_when_it_appears_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = Workspace(MemoryStore(), "s3://out/", "u1")
    state = WorkspaceState(workspace)
    state.look()
    began = time.time()
    workspace.put(Mark(round(1000 * (began - 180)), 3, 0, 16000).name, Delivered(items=()))
    monkeypatch.setattr(time, "time", lambda: began + state_module.DELIVERED_SECONDS)
    state.look()
    assert 3 in state.delivered
