"""The demo: a recording into the bucket, a TranscriptionJob, live progress, the transcript."""

import time
from pathlib import Path
from typing import Any

from dev import demomodel, recording, store
from dev.errors import DevError
from dev.kubectl import Kubectl
from dev.paths import CACHE, ROOT
from dev.s3 import S3
from dev.say import say, step
from dev.wer import word_error_rate

NAMESPACE = "media"
JOB = "standup"
MANIFEST = ROOT / "examples" / "transcriptionjob.yaml"

SEED = 20261122
MINUTES = 20

TIMEOUT = 30 * 60


def run(kubectl: Kubectl, s3: S3) -> None:
    """Transcribe the demo's recording on a cluster that has the operator and the store."""
    spoken = prepare(kubectl, s3)
    say()
    say(f"$ kubectl apply -f {MANIFEST.relative_to(ROOT)}")
    kubectl("apply", "-f", MANIFEST)
    phase = _follow(kubectl)
    say()
    say(f"$ kubectl get transcriptionjobs -n {NAMESPACE}")
    say(kubectl("get", "transcriptionjobs", "-n", NAMESPACE).rstrip())
    if phase != "Succeeded":
        raise DevError(_explain(kubectl))
    _show(s3, spoken)


def prepare(kubectl: Kubectl, s3: S3) -> Path:
    """Put the recording, the model and the Secret in place; return the text that is spoken."""
    with step(f"speaking a recording of {MINUTES} minutes with espeak-ng"):
        mp3 = CACHE / "demo" / f"{JOB}.mp3"
        recording.synthesise(mp3, SEED, MINUTES)
    with step("putting the recording and the model into the store"):
        for bucket in ("recordings", "transcripts", "models"):
            s3.make_bucket(bucket)
        s3.upload("recordings", f"{JOB}.mp3", mp3)
        s3.upload("models", "demo.pt", demomodel.unpack())
    kubectl.apply(
        "media.yaml",
        {
            "ENDPOINT": store.INSIDE,
            "ACCESS_KEY": store.CREDENTIALS.access_key,
            "SECRET_KEY": store.CREDENTIALS.secret_key,
            "REGION": store.REGION,
        },
    )
    job = ("transcriptionjob", JOB, "-n", NAMESPACE)
    if kubectl("get", *job, "--ignore-not-found", "-o", "name").strip():
        with step("deleting the last demo's job and transcript"):
            kubectl("delete", *job, "--timeout=60s")
            # A worker that is still at it would write into the folder that is cleared next.
            workers = ("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=transcriber")
            kubectl("wait", "--for=delete", *workers, "--timeout=90s")
            for key in s3.list("transcripts", f"{JOB}/"):
                s3.delete("transcripts", key)
    return mp3.with_suffix(".txt")


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
    files = s3.list("transcripts", f"{JOB}/")
    text_key = next((key for key in files if key.endswith(".txt")), None)
    if text_key is None:
        raise DevError(f"The job succeeded, but there is no text in the bucket, only {list(files)}")
    text = s3.download("transcripts", text_key).decode()
    lines = text.strip().splitlines()
    say()
    say("The transcript, from the bucket:")
    for line in [*lines[:5], "...", *lines[-3:]]:
        say(f"    {line.strip()}")
    say()
    for key, size in files.items():
        say(f"  s3://transcripts/{key}  {size:,} bytes")
    kept = spoken.with_suffix(".transcript.txt")
    kept.write_text(text)
    rate = word_error_rate(spoken.read_text(), text)
    say(f"  All of the text: {kept}")
    say(f"  What was spoken: {spoken}  (word error rate {rate:.1%})")


def _explain(kubectl: Kubectl) -> str:
    """All that there is to know about a failed job."""
    described = kubectl("describe", "transcriptionjob", JOB, "-n", NAMESPACE)
    pods = kubectl("get", "pods", "-n", NAMESPACE, "-o", "wide")
    logs = []
    for name in kubectl("get", "pods", "-n", NAMESPACE, "-o", "name").split():
        try:
            logs.append(f"--- {name}\n{kubectl('logs', '-n', NAMESPACE, name, '--tail=40')}")
        except DevError as error:
            logs.append(f"--- {error}")
    return "\n".join(["The demo's job did not succeed.", described, pods, *logs])


def say_how_to_go_on() -> None:
    """Say what one can do with the cluster now."""
    say()
    say("To look around:")
    say("  export KUBECONFIG=$(make -s kubeconfig) PATH=$(make -s tools):$PATH")
    say(f"  kubectl describe tj {JOB} -n {NAMESPACE}; kubectl explain tj.spec")
    say("  make cluster-down     # leaves nothing behind but the cache")
