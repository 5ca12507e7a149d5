"""A worker as the first process of its container, while it still imports what it needs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

HELD_UP = """
import sys

class Door:
    def find_spec(self, name, path=None, target=None):
        if name == "whisper_transcriber.cli":
            print("importing", flush=True)
            sys.stdin.read()

sys.meta_path.insert(0, Door())
"""


def test_a_worker_that_is_told_to_stop_while_it_starts_ends_as_one_that_was_interrupted(
    tmp_path: Path,
):
    (tmp_path / "sitecustomize.py").write_text(HELD_UP)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    worker = subprocess.Popen(
        [sys.executable, "-m", "whisper_transcriber"],
        env=os.environ | {"PYTHONPATH": path, "TASK": "{}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # As in a container, where nothing is done about signals by default.
        preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    )
    with worker:
        assert worker.stdout
        assert worker.stdout.readline() == b"importing\n"
        worker.terminate()
        assert worker.wait(timeout=30) == 143
