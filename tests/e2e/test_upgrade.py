"""The release goes forwards and back while there are jobs of each phase; `helm test` on a real
bucket."""

import json
import shutil
import tarfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev import demomodel
from dev.commands import run, wait_until
from dev.errors import CommandError
from dev.images import OPERATOR, Image, build
from dev.operator_release import CHART, RELEASE
from dev.paths import DEV, ROOT
from tests.api import Json, transcription_jobs
from tests.e2e.conftest import Bucket, ClusterStage
from tests.e2e.release import Release
from tests.e2e.test_faults import parts
from transcription_operator.policies.names import OWNER_NAME_ANNOTATION

FIRST = "1b77b99"
"""The commit with the first version of the operator, which has no releases yet."""

TWO_AT_ONCE = "--set=queue.maxActiveJobsPerNamespace=2"


@dataclass(frozen=True)
class Version:
    """A chart, the local cluster's values that go with it, and Helm's options for its images."""

    chart: Path
    values: Path
    images: tuple[str, ...] = ()


@pytest.fixture
def first(tmp_path: Path) -> Version:
    """The first version's chart and operator; where git does not know it (a shallow clone), this
    one's.

    Its version is another one in any case, so that each change of revision restarts the operator.
    """
    chart, values = tmp_path / CHART.relative_to(ROOT), tmp_path / "dev" / "values.yaml"
    try:
        run(["git", "-C", ROOT, "archive", "--output", tmp_path / "first.tar", FIRST])
    except CommandError:
        print(f"git does not know {FIRST}: the upgrade is one from this commit to itself")
        shutil.copytree(CHART, chart)
        values.parent.mkdir()
        shutil.copy(DEV / "values.yaml", values)
        images: tuple[str, ...] = ()
    else:
        with tarfile.open(tmp_path / "first.tar") as members:
            members.extractall(tmp_path, filter="data")
        images = (f"--set-string=operator.image.tag={pushed(tmp_path)}",)
    about = chart / "Chart.yaml"
    described = yaml.safe_load(about.read_text()) | {"version": "0.0.1", "appVersion": "0.0.1"}
    about.write_text(yaml.safe_dump(described))
    return Version(chart, values, images)


def pushed(checkout: Path) -> str:
    """The tag of a checkout's operator, in the registry; half a minute, with this one's layers."""
    image = Image(OPERATOR.name, FIRST)
    if not image.is_pushed():
        build(OPERATOR, str(image), root=checkout)
        image.push()
    return image.tag


@pytest.fixture
def short(recordings: Bucket, stage: ClusterStage) -> Json:
    """The source of a recording of half a minute."""
    whole = recordings.read("standup.mp3")
    recordings.write(f"{stage.namespace}/short.mp3", whole[: len(whole) // 40])
    return {"uri": f"s3://recordings/{stage.namespace}/short.mp3"}


def change(stage: ClusterStage, name: str, **spec: Any) -> None:
    stage.api.merge(f"{transcription_jobs(stage.namespace)}/{name}", {"spec": spec})


def apply_one_of_each_phase(stage: ClusterStage, transcripts: Bucket, short: Json) -> None:
    """Each is named as its phase; at most two are active."""
    stage.apply_recording("succeeded", source=short)
    stage.apply_recording("failed", source={"uri": "s3://recordings/nowhere.mp3"})
    for name in ("succeeded", "failed"):
        assert stage.follow(name)[-1]["phase"] == name.capitalize()
    stage.apply_recording("suspended")
    wait_until("it has a part", lambda: bool(parts(transcripts, stage, "suspended")), timeout=120)
    change(stage, "suspended", suspend=True)
    stage.await_status("suspended", phase="Suspended")
    stage.apply_recording("running")
    stage.apply_recording("pending", resources={"requests": {"cpu": "500"}})
    stage.await_status("pending", phase="Pending", reason="Unschedulable")
    stage.apply_recording("queued", source=short)
    stage.await_status("queued", phase="Queued")
    wait_until("it has a part", lambda: bool(parts(transcripts, stage, "running")), timeout=120)
    wait_until("no pod is left over", lambda: live_pods(stage) == 2, timeout=60)


def live_pods(stage: ClusterStage) -> int:
    return sum(pod["status"]["phase"] in ("Pending", "Running") for pod in stage.pods())


def children(objects: list[Json]) -> dict[str, set[str]]:
    """The uids of Jobs or pods, by the TranscriptionJob that they belong to."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in objects:
        found[each["metadata"]["annotations"][OWNER_NAME_ANNOTATION]].add(each["metadata"]["uid"])
    return found


def await_an_operator_that_has_seen_all(stage: ClusterStage) -> None:
    """It begins with the jobs that are there: one that comes later has its status last."""
    stage.apply_recording("last", suspend=True)
    stage.await_status("last", timeout=60, phase="Suspended")


PHASES = ("succeeded", "failed", "suspended", "running", "pending", "queued")


def test_jobs_of_every_phase_are_undisturbed_by_an_upgrade_and_a_rollback(
    release: Release, first: Version, stage: ClusterStage, transcripts: Bucket, short: Json
):
    release.upgrade(first.chart, first.values, *first.images, TWO_AT_ONCE)
    installed, operators = release.revision(), [release.operator()]
    apply_one_of_each_phase(stage, transcripts, short)
    before = {name: stage.status(name) for name in PHASES}
    jobs, pods = children(stage.jobs()), children(stage.pods())

    release.upgrade(CHART, DEV / "values.yaml", TWO_AT_ONCE, "--set=progress.intervalSeconds=2")
    operators.append(release.operator())
    await_an_operator_that_has_seen_all(stage)
    for name in ("succeeded", "failed"):
        assert stage.status(name) == before[name]
    for name in ("suspended", "running", "pending", "queued"):
        assert stage.status(name)["phase"] == before[name]["phase"]
    assert (children(stage.jobs()), children(stage.pods())) == (jobs, pods)
    for name in PHASES:
        path = f"{transcription_jobs(stage.namespace)}/{name}?dryRun=All"
        stage.api.request("PUT", path, stage.parent(name))

    stage.api.delete(f"{transcription_jobs(stage.namespace)}/pending")
    stage.await_status("queued", timeout=120, phase="Succeeded")
    change(stage, "suspended", suspend=False)
    stage.await_status("suspended", timeout=60, phase="Running")
    release.rollback(installed)
    operators.append(release.operator())
    assert len(set(operators)) == 3
    for name in ("running", "suspended"):
        last = stage.follow(name)[-1]
        assert last["phase"] == "Succeeded", last["message"]
        assert children(stage.jobs())[name] == jobs[name]
    counts = stage.status("running")["workers"]
    assert counts["failed"] == counts["retried"] == 0
    (worker,) = (pod for pod in stage.pods() if pod["metadata"]["uid"] in pods["running"])
    assert children(stage.pods())["running"] == pods["running"]
    assert worker["status"]["containerStatuses"][0]["restartCount"] == 0


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
