"""The plugin as a newcomer uses it: `kubectl transcribe submit` of a file on this machine."""

import os
import subprocess
from pathlib import Path

from dev import demomodel, recording, store
from dev.commands import environment
from dev.paths import BIN, KUBECONFIG
from dev.wer import word_error_rate
from tests.e2e.conftest import Bucket, ClusterStage
from tests.integration.kubectl_transcribe.installed import install

SEED = 20261125


def test_a_local_file_becomes_its_transcript_on_stdout(
    stage: ClusterStage, recordings: Bucket, tmp_path: Path
):
    sentences = recording.synthesise(tmp_path / "memo.mp3", SEED, minutes=0.5)
    name = f"memo-{stage.namespace}"
    command = [
        *(str(BIN / "kubectl"), "transcribe", "submit", str(tmp_path / "memo.mp3")),
        *("--name", name, "--bucket", recordings.name, "-n", stage.namespace),
        *("--output", f"s3://transcripts/{stage.namespace}/memo/", "--language", "en"),
        *("--model", "s3://models/demo.pt", "--model-sha256", demomodel.SHA256),
        *("--follow", "--timeout", "5m"),
    ]
    path = f"{install(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}"
    env = environment(PATH=path, KUBECONFIG=str(KUBECONFIG), AWS_ENDPOINT_URL=store.OUTSIDE)
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    finally:
        recordings.clear(f"recordings/{name}/")
    assert done.returncode == 0, done.stderr
    spoken = " ".join(" ".join(sentence.words) for sentence in sentences)
    assert word_error_rate(spoken, done.stdout) <= 0.1
    assert "Succeeded" in done.stderr
