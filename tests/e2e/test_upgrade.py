"""The release goes forwards and back while a job runs; `helm test` on a real bucket."""

import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from dev import demomodel
from dev.commands import run, wait_until
from dev.errors import CommandError
from dev.operator_release import CHART, RELEASE
from dev.paths import DEV, ROOT
from tests.api import transcription_jobs
from tests.e2e.conftest import Bucket, ClusterStage
from tests.e2e.release import Release
from tests.e2e.test_faults import parts


@dataclass(frozen=True)
class Version:
    """A chart, and the local cluster's values that go with it."""

    chart: Path
    values: Path


@pytest.fixture
def previous(tmp_path: Path) -> Version:
    """The previous commit's chart; where git does not know it (a shallow clone), this one's.

    Its version is another one in any case, so that each change of revision restarts the operator.
    """
    chart = tmp_path / CHART.relative_to(ROOT)
    values = tmp_path / "dev" / "values.yaml"
    archive = tmp_path / "previous.tar"
    folders = (str(CHART.relative_to(ROOT)), "dev/values.yaml")
    try:
        run(["git", "-C", ROOT, "archive", "--output", archive, "HEAD~1", *folders])
    except CommandError:
        shutil.copytree(CHART, chart)
        values.parent.mkdir()
        shutil.copy(DEV / "values.yaml", values)
        print("git has no previous commit: the chart is this commit's")
    else:
        with tarfile.open(archive) as members:
            members.extractall(tmp_path, filter="data")
    about = chart / "Chart.yaml"
    described = yaml.safe_load(about.read_text()) | {"version": "0.0.1", "appVersion": "0.0.1"}
    about.write_text(yaml.safe_dump(described))
    return Version(chart, values)


def test_a_job_runs_undisturbed_through_an_upgrade_and_a_rollback(
    release: Release, previous: Version, stage: ClusterStage, transcripts: Bucket
):
    release.upgrade(previous.chart, previous.values)
    installed, operators = release.revision(), [release.operator()]
    stage.apply_recording("steady")
    wait_until("it has a part", lambda: bool(parts(transcripts, stage, "steady")), timeout=120)
    (job,), (worker,) = stage.jobs(), stage.pods()

    release.upgrade(CHART, DEV / "values.yaml", "--set=progress.intervalSeconds=2")
    operators.append(release.operator())
    release.rollback(installed)
    operators.append(release.operator())
    assert len(set(operators)) == 3

    last = stage.follow("steady")[-1]
    assert last["phase"] == "Succeeded", last["message"]
    assert last["workers"]["failed"] == last["workers"]["retried"] == 0
    assert [each["metadata"]["uid"] for each in stage.jobs()] == [job["metadata"]["uid"]]
    (same,) = stage.pods()
    assert same["metadata"]["uid"] == worker["metadata"]["uid"]
    assert same["status"]["containerStatuses"][0]["restartCount"] == 0


def test_helm_test_transcribes_and_leaves_nothing_in_the_bucket(
    release: Release, stage: ClusterStage, transcripts: Bucket
):
    values = {
        "uri": f"s3://transcripts/{stage.prefix('helm-test')}",
        "namespace": stage.namespace,
        "model": {"uri": "s3://models/demo.pt", "sha256": demomodel.SHA256},
        "timeoutSeconds": 240,
    }
    release.upgrade(CHART, DEV / "values.yaml", f"--set-json=test={json.dumps(values)}")
    try:
        release.helm("test", "--timeout", "5m")
    finally:
        log = release.kubectl("logs", f"{RELEASE}-test", "-n", stage.namespace)
        print(log)
    assert "Transcript: " in log
    assert "meeting" in log
    assert not transcripts.keys(stage.prefix("helm-test"))
    assert not stage.api.items(transcription_jobs(stage.namespace))
