"""The main job: the example manifest, from apply to the transcript."""

import json
import re
from itertools import pairwise
from pathlib import Path

import jiwer
import pytest
import whisper

from dev import demo, demomodel
from dev.commands import wait_until
from dev.kubectl import Kubectl
from tests.api import Api
from tests.e2e.conftest import Bucket, ClusterStage

OWN_LIMIT = 0.06
PEER_MARGIN = 0.02


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.lower()))


@pytest.fixture(scope="module")
def statuses(api: Api, kubectl: Kubectl, recordings: Bucket) -> list[dict]:
    """The example manifest, applied as a user would; every status that it had."""
    kubectl("apply", "-f", demo.MANIFEST)
    return ClusterStage(api, demo.NAMESPACE).follow(demo.JOB)


def test_the_example_succeeds(statuses):
    assert statuses[-1]["phase"] == "Succeeded", statuses[-1]["message"]


def test_progress_passes_through_the_middle_and_never_goes_back(statuses):
    percents = [s["progress"]["percent"] for s in statuses if s.get("progress")]
    assert len({p for p in percents if 0 < p < 100}) >= 3
    assert all(before <= after for before, after in pairwise(percents))
    assert percents[-1] == 100


def test_every_file_that_the_result_names_is_in_the_bucket(statuses, transcripts: Bucket):
    result = statuses[-1]["result"]
    named = {file["uri"]: file["bytes"] for file in result["files"]}
    named[result["manifestUri"]] = None
    assert len(named) == 4
    for uri, size in named.items():
        content = transcripts.read(uri.removeprefix("s3://transcripts/"))
        assert size in (None, len(content))


def test_the_manifest_agrees_with_the_bucket(statuses, transcripts: Bucket):
    manifest = json.loads(transcripts.read("standup/manifest.json"))
    assert manifest["model"]["sha256"] == demomodel.SHA256
    assert not [key for key in transcripts.keys("standup/") if ".transcription" in key]


def test_the_transcript_is_what_was_spoken_as_well_as_openai_whispers_own(
    statuses, transcripts: Bucket, spoken, record_property
):
    path, sentences = spoken
    reference = words(" ".join(" ".join(sentence.words) for sentence in sentences))
    ours = jiwer.wer(reference, words(transcripts.read("standup/standup.txt").decode()))
    theirs = jiwer.wer(reference, words(transcribed_by_openai_whisper(path)))
    record_property("wer", ours)
    record_property("wer_openai_whisper", theirs)
    print(f"WER {ours:.4f}, openai-whisper's transcribe() {theirs:.4f}")
    assert ours <= OWN_LIMIT
    assert ours <= theirs + PEER_MARGIN


def transcribed_by_openai_whisper(path: Path) -> str:
    model = whisper.load_model(str(demomodel.unpack()))
    result = model.transcribe(
        str(path), fp16=False, temperature=0, condition_on_previous_text=False
    )
    return str(result["text"])


def test_kubectl_shows_phase_progress_model_and_language(statuses, kubectl: Kubectl):
    header, row = kubectl("get", "tj", demo.JOB, "-n", demo.NAMESPACE).splitlines()
    shown = dict(zip(header.split(), row.split(), strict=True))
    assert shown.pop("AGE")
    assert shown == {
        "NAME": "standup",
        "PHASE": "Succeeded",
        "PROGRESS": "100",
        "MODEL": "demo.pt",
        "LANGUAGE": "en",
    }


def test_kubectl_describe_tells_the_story(statuses, kubectl: Kubectl):
    wanted = ("Job Name:", "Normal  Succeeded", "Transcribed 2")

    def told() -> bool:
        text = kubectl("describe", "tj", demo.JOB, "-n", demo.NAMESPACE)
        return all(words in text for words in wanted)

    wait_until(f"describe says {wanted}", told, timeout=10)
    assert "Warning" not in kubectl("describe", "tj", demo.JOB, "-n", demo.NAMESPACE)
