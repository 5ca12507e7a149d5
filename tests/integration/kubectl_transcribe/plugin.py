"""The plugin as a user runs it: a process, with a kubeconfig and a namespace, and no terminal."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from dev.commands import wait_until
from dev.kubectl import Kubectl
from dev.paths import ROOT
from tests.api import Json, transcription_jobs
from tests.integration.transcriber.worker import ACCESS_KEY, SECRET_KEY, Store
from tests.stage import Stage
from whisper_transcriber.audio.facts import AudioWarning
from whisper_transcriber.coordination.manifest import (
    Manifest,
    ManifestItem,
    ManifestModel,
    ManifestOutput,
)

SECRET = "transcription-object-store"
PATIENCE = 60.0


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def name(self) -> str:
        """Of the TranscriptionJob that the output tells of."""
        return self.out.split()[0].partition("/")[2]


@dataclass(frozen=True)
class Plugin:
    """``environment``: beside PATH and KUBECONFIG, all that the command sees."""

    kubeconfig: Path
    namespace: str
    home: Path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "kubectl_transcribe", *arguments]

    def environment(self, **changes: str) -> dict[str, str]:
        path = os.pathsep.join(str(ROOT / part) for part in ("operator", "transcriber"))
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": path,
            "KUBECONFIG": str(self.kubeconfig),
            **changes,
        }

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a command in the namespace."""
        return subprocess.Popen(
            self.command(*arguments, *(["-n", self.namespace] if self.namespace else [])),
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Tests that a shell runs in the background would hand down that it is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def __call__(self, *arguments: str, **environment: str) -> Ended:
        """Run a command in the namespace to its end."""
        return end(self.start(*arguments, **environment))

    def on_terminal(self, *arguments: str, typed: str = "", **environment: str) -> Ended:
        """Run a command on a terminal at which somebody types; ``out`` is all that it showed."""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        process = subprocess.Popen(
            self.command(*arguments, "-n", self.namespace),
            env=self.environment(TERM="xterm", **environment),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        # Linux ends a terminal that nobody has open any more by an error.
        with suppress(OSError):
            while piece := os.read(ours, 4096):
                shown += piece
        os.close(ours)
        return Ended(process.wait(PATIENCE), shown.decode(), "")


def end(process: "subprocess.Popen[str]") -> Ended:
    """Wait for a command's end; whatever happens, it is no traceback."""
    out, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err, err
    return Ended(process.returncode, out, err)


class UserStage(Stage):
    """A namespace whose operator and workers are played, with a store that a Secret opens."""

    store: Store

    def write_secret(self, **changes: str | None) -> None:
        keys = {"endpoint": self.store.endpoint, "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
        values = {k: v for k, v in {**keys, **changes}.items() if v is not None}
        body = {"metadata": {"name": SECRET}, "stringData": values}
        self.api.create(f"/api/v1/namespaces/{self.namespace}/secrets", body)

    def set_status(self, name: str, **status: Any) -> None:
        path = f"{transcription_jobs(self.namespace)}/{name}/status"
        self.api.merge(path, {"status": status})

    def the_only_job(self) -> Json:
        """Wait until there is one."""
        path = transcription_jobs(self.namespace)
        wait_until("a TranscriptionJob", lambda: bool(self.api.items(path)), PATIENCE)
        (job,) = self.api.items(path)
        return job

    def deliver(
        self,
        name: str,
        transcripts: dict[str, str],
        uid: str | None = None,
        warnings: tuple[AudioWarning, ...] = (),
        suspect_segments: int = 0,
    ) -> None:
        """What workers leave in the store; ``transcripts``: file names and contents."""
        job = self.parent(name)
        output = job["spec"]["output"]["uri"]
        bucket, _, prefix = output.removeprefix("s3://").partition("/")
        for file, text in transcripts.items():
            put(self.store, bucket, prefix + file, text)
        items = tuple(
            ManifestItem(
                uri=f"s3://media/{file}",
                etag="e",
                bytes=1,
                warnings=warnings,
                suspect_segments=suspect_segments,
                outputs=(
                    ManifestOutput(
                        format=file.rpartition(".")[2], uri=output + file, bytes=1, sha256="a"
                    ),
                ),
            )
            for file in transcripts
        )
        manifest = Manifest(
            uid=uid or job["metadata"]["uid"],
            owner=f"{self.namespace}/{name}",
            items=items,
            model=ManifestModel(label="turbo", sha256="a"),
            task="transcribe",
            versions={},
        )
        put(self.store, bucket, f"{prefix}manifest.json", manifest.model_dump_json(by_alias=True))

    def succeed(self, name: str, **transcripts: str) -> None:
        """Deliver one recording in these formats, and say so in the status."""
        self.deliver(name, {f"{name}.{form}": text for form, text in transcripts.items()})
        self.set_status(name, phase="Succeeded", reason="Delivered", message="Transcribed 90 s")


def put(store: Store, bucket: str, key: str, text: str) -> None:
    content = text.encode()
    store.client.put_object(bucket, key, BytesIO(content), len(content))


def kubeconfig_of_user(kubectl: Kubectl, namespace: str, folder: Path, *rules: Json) -> Path:
    """A kubeconfig of somebody who has these rights in the namespace, and no others."""
    kubectl("create", "serviceaccount", "user", "-n", namespace)
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "user", "namespace": namespace},
        "rules": list(rules),
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(role))
    subject = f"--serviceaccount={namespace}:user"
    kubectl("create", "rolebinding", "user", "-n", namespace, "--role=user", subject)
    token = kubectl("create", "token", "user", "-n", namespace).strip()
    config = yaml.safe_load(Path(str(kubectl.kubeconfig)).read_text())
    config["users"] = [{"name": u["name"], "user": {"token": token}} for u in config["users"]]
    path = folder / "user.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


JOBS_RULE = {
    "apiGroups": ["transcription.dev"],
    "resources": ["transcriptionjobs"],
    "verbs": ["get", "list", "create", "patch", "delete"],
}
