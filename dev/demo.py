"""The demo: a recording into the bucket, a TranscriptionJob, live progress, the transcript."""

import re
import time
from pathlib import Path
from typing import Any

from dev import files, material, store
from dev.errors import DevError
from dev.kubectl import Kubectl
from dev.material import Material
from dev.paths import CACHE, ROOT
from dev.s3 import S3
from dev.say import say, step
from dev.wer import word_error_rate

NAMESPACE = "media"
JOB = "reading"
MANIFEST = ROOT / "examples" / "transcriptionjob.yaml"

TIMEOUT = 30 * 60

ADVICE = """\
The job's Reason and Message, above, say what went wrong; docs/troubleshooting.md says what to do
about each reason. `make demo` tries again from the beginning."""

HOW_TO_GO_ON = """
To look around:
  export KUBECONFIG=$(make -s kubeconfig) PATH=$(make -s tools):$HOME/.local/bin:$PATH
  kubectl describe tj {job} -n {namespace}; kubectl explain tj.spec
To transcribe a file of yours, or this one again (docs/index.md, "On the demo cluster"):
  pipx install '.[cli]'
  env $(make -s s3-env) kubectl transcribe submit {recording} \\
    --bucket recordings -n {namespace} --follow \\
    --model {model} --model-sha256 {sha256}
In the end:
  make cluster-down     # leaves nothing behind but the cache"""


def run(kubectl: Kubectl, s3: S3) -> Material:
    """Transcribe the demo's recording on a cluster that has the operator and the store."""
    chosen = prepare(kubectl, s3)
    applied = manifest(chosen)
    say()
    say(f"$ kubectl apply -f {applied.relative_to(ROOT) if applied == MANIFEST else applied}")
    kubectl("apply", "-f", applied)
    phase = _follow(kubectl)
    say()
    say(f"$ kubectl get transcriptionjobs -n {NAMESPACE}")
    say(kubectl("get", "transcriptionjobs", "-n", NAMESPACE).rstrip())
    if phase != "Succeeded":
        raise DevError(_explain(kubectl))
    _show(s3, chosen.text)
    return chosen


def prepare(kubectl: Kubectl, s3: S3) -> Material:
    """Put the recording, the model and the Secret in place; return what was chosen."""
    chosen = material.choose()
    with step("putting the recording and the model into the store"):
        for bucket in ("recordings", "transcripts", "models"):
            s3.make_bucket(bucket)
        upload(s3, chosen)
    kubectl.apply(
        "media.yaml",
        {
            "ENDPOINT": store.INSIDE,
            "ACCESS_KEY": store.CREDENTIALS.access_key,
            "SECRET_KEY": store.CREDENTIALS.secret_key,
            "REGION": store.REGION,
        },
    )
    _forget_last(kubectl, s3)
    return chosen


def upload(s3: S3, chosen: Material) -> None:
    """Store a recording and its model under their own names."""
    s3.upload("recordings", chosen.recording.name, chosen.recording)
    s3.upload("models", chosen.model.name, chosen.model)


def manifest(chosen: Material) -> Path:
    """The example, or a copy in the cache that names this recording and model instead."""
    example = MANIFEST.read_text()
    text = re.sub(r"s3://recordings/\S+", chosen.source_uri, example)
    text = re.sub(r"s3://models/\S+", chosen.model_uri, text)
    text = re.sub(r"sha256: \S+", f"sha256: {chosen.model_sha256}", text)
    if text == example:
        return MANIFEST
    copy = CACHE / "demo" / MANIFEST.name
    files.write(copy, text)
    return copy


def _forget_last(kubectl: Kubectl, s3: S3) -> None:
    """Delete the last demo's job, and its transcript, which outlives a job that is deleted."""
    uid = _uid(kubectl)
    if uid:
        with step("deleting the last demo's job"):
            kubectl("delete", "transcriptionjob", JOB, "-n", NAMESPACE, "--timeout=60s")
            # A worker that is still at it would write into the folder that is cleared next.
            kubectl("wait", "--for=delete", *_pods_of(uid), "--timeout=90s")
    for key in s3.list("transcripts", f"{JOB}/"):
        s3.delete("transcripts", key)


def _uid(kubectl: Kubectl) -> str:
    """The uid of the demo's job; "" when there is none."""
    job = ("transcriptionjob", JOB, "-n", NAMESPACE)
    return kubectl("get", *job, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}").strip()


def _pods_of(uid: str) -> tuple[str, ...]:
    return ("pods", "-n", NAMESPACE, "-l", f"transcription.dev/job-uid={uid}")


def _follow(kubectl: Kubectl) -> str:
    """Print every change of phase and progress until the job is over; return the last phase."""
    started = time.monotonic()
    shown = ""
    while time.monotonic() - started < TIMEOUT:
        job = kubectl.json("get", "transcriptionjob", JOB, "-n", NAMESPACE)
        line = progress_line(job.get("status", {}))
        if line != shown:
            say(f"  {time.monotonic() - started:5.0f} s  {line}")
            shown = line
        phase: str = job.get("status", {}).get("phase", "")
        if phase in ("Succeeded", "Failed"):
            return phase
        time.sleep(0.5)
    raise DevError(f"No end after {TIMEOUT // 60} minutes. {_explain(kubectl)}")


def progress_line(status: dict[str, Any]) -> str:
    """One line that says how far a job is."""
    phase = status.get("phase", "not seen by the operator yet")
    progress = status.get("progress", {})
    parts = [phase]
    if "percent" in progress and phase == "Running":
        parts.append(_bar(progress["percent"]))
    if phase == "Running" and progress.get("estimatedRemainingSeconds") is not None:
        parts.append(f"{progress['estimatedRemainingSeconds']} s left")
    if progress.get("speed") and phase in ("Running", "Succeeded"):
        parts.append(f"at {progress['speed']} real time")
    if phase in ("Pending", "Queued", "Failed") and status.get("message"):
        parts.append(status["message"])
    return "  ".join(parts)


def _bar(percent: int) -> str:
    full = percent * 24 // 100
    return f"[{'#' * full}{'.' * (24 - full)}] {percent:3d} %"


def _show(s3: S3, spoken: Path) -> None:
    found = s3.list("transcripts", f"{JOB}/")
    text_key = next((key for key in found if key.endswith(".txt")), None)
    if text_key is None:
        raise DevError(f"The job succeeded, but there is no text in the bucket, only {list(found)}")
    text = s3.download("transcripts", text_key).decode()
    lines = text.strip().splitlines()
    say()
    say("The transcript, from the bucket:")
    for line in [*lines[:5], "...", *lines[-3:]]:
        say(f"    {line.strip()}")
    say()
    for key, size in found.items():
        say(f"  s3://transcripts/{key}  {size:,} bytes")
    kept = spoken.with_suffix(".transcript.txt")
    kept.write_text(text)
    rate = word_error_rate(spoken.read_text(), text)
    say(f"  All of the text: {kept}")
    say(f"  What was spoken: {spoken}  (word error rate {rate:.1%})")


def _explain(kubectl: Kubectl) -> str:
    """All that there is to know about a failed job, and what to do about it."""
    described = kubectl("describe", "transcriptionjob", JOB, "-n", NAMESPACE)
    own = _pods_of(_uid(kubectl))
    pods = kubectl("get", *own, "-o", "wide")
    logs = []
    for name in kubectl("get", *own, "-o", "name").split():
        try:
            logs.append(f"--- {name}\n{kubectl('logs', '-n', NAMESPACE, name, '--tail=40')}")
        except DevError as error:
            logs.append(f"--- {error}")
    return "\n".join(["The demo's job did not succeed.", described, pods, *logs, ADVICE])


def say_how_to_go_on(chosen: Material) -> None:
    """Say what one can do with the cluster now, each command as it is to be typed in the clone."""
    say(
        HOW_TO_GO_ON.format(
            job=JOB,
            namespace=NAMESPACE,
            recording=chosen.recording,
            model=chosen.model_uri,
            sha256=chosen.model_sha256,
        )
    )
