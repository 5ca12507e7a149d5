"""The main jobs, from apply to the transcript: the example manifest, and one of 20 minutes."""

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
from dev.material import Material
from dev.wer import word_error_rate
from tests.api import Api
from tests.e2e.conftest import Bucket, ClusterStage

OWN_LIMIT = 0.06
PEER_MARGIN = 0.02


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.lower()))


@pytest.fixture(scope="module")
def statuses(api: Api, kubectl: Kubectl, shown: Material) -> list[dict]:
    """The demo's manifest, applied as a user would; every status that it had."""
    kubectl("apply", "-f", demo.manifest(shown))
    return ClusterStage(api, demo.NAMESPACE).follow(demo.JOB)


def test_the_example_succeeds(statuses):
    assert statuses[-1]["phase"] == "Succeeded", statuses[-1]["message"]


def test_progress_never_goes_back(statuses):
    percents = percents_of(statuses)
    assert all(before <= after for before, after in pairwise(percents))
    assert percents[-1] == 100


def percents_of(statuses: list[dict]) -> list[int]:
    return [s["progress"]["percent"] for s in statuses if s.get("progress")]


def test_every_file_that_the_result_names_is_in_the_bucket(statuses, transcripts: Bucket):
    result = statuses[-1]["result"]
    named = {file["uri"]: file["bytes"] for file in result["files"]}
    named[result["manifestUri"]] = None
    assert len(named) == 4
    for uri, size in named.items():
        content = transcripts.read(uri.removeprefix("s3://transcripts/"))
        assert size in (None, len(content))


def test_the_manifest_agrees_with_the_bucket(statuses, shown: Material, transcripts: Bucket):
    manifest = json.loads(transcripts.read(f"{demo.JOB}/manifest.json"))
    assert manifest["model"]["sha256"] == shown.model_sha256
    assert not [key for key in transcripts.keys(f"{demo.JOB}/") if ".transcription" in key]


def test_the_transcript_is_what_was_spoken(
    statuses, shown: Material, transcripts: Bucket, record_property
):
    heard = transcripts.read(f"{demo.JOB}/{shown.recording.stem}.txt").decode()
    rate = word_error_rate(shown.text.read_text(), heard)
    record_property("wer", rate)
    assert rate <= OWN_LIMIT


def test_twenty_minutes_show_their_progress_and_are_heard_as_well_as_by_openai_whisper(
    stage: ClusterStage, transcripts: Bucket, spoken, record_property
):
    stage.apply_recording("long")
    statuses = stage.follow("long")
    percents = percents_of(statuses)
    assert len({p for p in percents if 0 < p < 100}) >= 3
    assert all(before <= after for before, after in pairwise(percents))

    path, sentences = spoken
    reference = words(" ".join(" ".join(sentence.words) for sentence in sentences))
    text = transcripts.read(f"{stage.prefix('long')}standup.txt").decode()
    ours = jiwer.wer(reference, words(text))
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


def test_kubectl_shows_phase_progress_model_and_language(
    statuses, shown: Material, kubectl: Kubectl
):
    header, row = kubectl("get", "tj", demo.JOB, "-n", demo.NAMESPACE).splitlines()
    columns = dict(zip(header.split(), row.split(), strict=True))
    assert columns.pop("AGE")
    assert columns == {
        "NAME": demo.JOB,
        "PHASE": "Succeeded",
        "PROGRESS": "100%",
        "MODEL": shown.model.name,
        "LANGUAGE": "en",
    }


def test_kubectl_describe_tells_the_story(statuses, kubectl: Kubectl):
    wanted = ("Job Name:", "Normal  Succeeded", "Transcribed ")

    def told() -> bool:
        text = kubectl("describe", "tj", demo.JOB, "-n", demo.NAMESPACE)
        return all(words in text for words in wanted)

    wait_until(f"describe says {wanted}", told, timeout=10)
    described = kubectl("describe", "tj", demo.JOB, "-n", demo.NAMESPACE)
    assert not re.search(r"^ *Warning ", described, re.MULTILINE), "an Event of that type"
