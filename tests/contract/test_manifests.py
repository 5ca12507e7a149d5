"""The Jobs that are made of the examples, byte for byte: golden files that a change must touch."""

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.unit.operator.builders import UID, settings
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies.job import desired_job
from transcription_operator.settings import Gpu, NodePool

HERE = Path(__file__).parent
EXAMPLES = sorted((HERE.parents[1] / "examples").glob("*.yaml"))
GPU = NodePool(node_selector={"pool": "gpu"}, gpu=Gpu())
VALUES = yaml.safe_load((HERE.parents[1] / "examples/values/shared-cluster.yaml").read_text())
ALLOWED = {
    "service_accounts": VALUES.pop("serviceAccounts"),
    "pod_template": VALUES.pop("podTemplate"),
    "object_store": VALUES.pop("objectStore"),
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_examples_job_is_the_golden_one(path: Path):
    assert VALUES == {}, "of these settings"
    example = yaml.safe_load(path.read_text())
    example["metadata"] |= {"uid": UID}
    gpu_only = settings(node_pools={"gpu": GPU}, default_node_pool="gpu", **ALLOWED)
    owner = TranscriptionJob.model_validate(example)
    job = desired_job(owner, gpu_only, active_deadline_seconds=owner.spec.active_deadline_seconds)
    golden = HERE / "golden" / path.name
    # Through JSON, since YAML would name what two places share.
    text = yaml.safe_dump(json.loads(json.dumps(job)), sort_keys=False, width=100)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert golden.read_text() == text, "intended? then run once with UPDATE_GOLDEN=1"
