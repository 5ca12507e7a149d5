"""What `helm test` runs, in a pod of the worker's image: a recording of some seconds goes into the
bucket, a TranscriptionJob is made of it, and its transcript is read back from there."""

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import TranscriberError
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.settings import store_of_shell
from whisper_transcriber.storage.s3 import S3Store

Json = dict[str, Any]

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SERVER = "https://kubernetes.default.svc"
RECORDING = Path(__file__).with_name("recording.ogg")
POLL_SECONDS = 2.0


class Jobs:
    """The TranscriptionJobs of one namespace, by the pod's service account.

    Every method raises SystemExit with the API server's words when it refuses.
    """

    def __init__(self, namespace: str, account: Path = ACCOUNT, server: str = SERVER) -> None:
        self._path = f"{server}/apis/transcription.dev/v1alpha1/namespaces/{namespace}"
        self._token = (account / "token").read_text()
        self._tls = ssl.create_default_context(cafile=str(account / "ca.crt"))
        # As the operator does: many clusters' own authorities lack what this asks for.
        self._tls.verify_flags &= ~ssl.VERIFY_X509_STRICT

    def create(self, job: Json) -> str:
        """Its name."""
        name: str = self._ask("POST", "", job)["metadata"]["name"]
        return name

    def status(self, name: str) -> Json:
        """Empty until the operator has seen it."""
        status: Json = self._ask("GET", f"/{name}").get("status", {})
        return status

    def delete(self, name: str) -> None:
        """With its Job and pods."""
        self._ask("DELETE", f"/{name}")

    def _ask(self, method: str, below: str, body: Json | None = None) -> Json:
        request = urllib.request.Request(
            f"{self._path}/transcriptionjobs{below}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=30) as answer:
                told: Json = json.load(answer)
                return told
        except urllib.error.HTTPError as error:
            raise SystemExit(f"The API server refused: {error.read().decode()}") from None
        except OSError as error:
            raise SystemExit(f"The API server does not answer: {error}") from None


def follow(jobs: Jobs, name: str, timeout: float) -> Json:
    """The status of a job that has ended; each change of it is printed.

    Raises:
        SystemExit: it did not end within ``timeout`` seconds.
    """
    end = time.monotonic() + timeout
    said = ""
    while True:
        status = jobs.status(name)
        phase = status.get("phase", "not seen by the operator yet")
        words = f"{phase}: {status.get('message') or 'no message'}"
        if words != said:
            print(words, flush=True)
            said = words
        if phase in ("Succeeded", "Failed"):
            return status
        if time.monotonic() > end:
            raise SystemExit(f"No end after {timeout:.0f} s, {words}. It goes on: {look_at(name)}")
        time.sleep(POLL_SECONDS)


def transcript_of(status: Json, store: S3Store) -> str:
    """What the job delivered as text; empty when it delivered none."""
    files = status.get("result", {}).get("files", [])
    found = [store.find(ObjectUri.parse(file["uri"])) for file in files if file["format"] == "txt"]
    return "".join(text.decode() for text in found if text).strip()


def look_at(name: str) -> str:
    """The next command of whoever asks why."""
    return f"kubectl describe transcriptionjob {name} -n {wanted()['metadata']['namespace']}"


def wanted() -> Json:
    """The TranscriptionJob to make."""
    job: Json = json.loads(os.environ["TEST_JOB"])
    return job


def main() -> None:
    """Leave nothing behind but what explains a failure.

    Raises:
        SystemExit: with the reason why there is no transcript.
    """
    job = wanted()
    source = ObjectUri.parse(job["spec"]["source"]["uri"])
    store = S3Store(store_of_shell(os.environ), Interruption.by_signals())
    jobs = Jobs(job["metadata"]["namespace"])
    store.put(source, RECORDING.read_bytes(), "audio/ogg")
    name = jobs.create(job)
    print(f"TranscriptionJob {name} transcribes {source}", flush=True)
    status = follow(jobs, name, float(os.environ["TEST_TIMEOUT_SECONDS"]))
    text = transcript_of(status, store)
    if status["phase"] == "Failed" or not text:
        raise SystemExit(f"There is no transcript. {look_at(name)}")
    print(f"Transcript: {text}")
    jobs.delete(name)
    for stored in store.list(ObjectUri.parse(job["spec"]["output"]["uri"])):
        store.remove(stored.uri)
    store.remove(source)


if __name__ == "__main__":
    try:
        main()
    except TranscriberError as error:
        sys.exit(str(error))
