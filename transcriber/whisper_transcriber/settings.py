"""What the pod's environment says: the only module that reads it."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from transcription_contract.locations import S3Uri
from transcription_contract.metric_names import METRICS_PORT
from transcription_contract.task import (
    CA_CERTIFICATE_PATH,
    MODEL_DIRECTORY,
    STORE_VARIABLES,
    TASK_VARIABLE,
    WORK_DIRECTORY,
    WORKER_INDEX_VARIABLE,
    Task,
)
from transcription_contract.termination import TERMINATION_PATH
from whisper_transcriber.errors import ConfigurationInvalid

DEFAULT_RETRY_SECONDS = 180.0
"""An object store that restarts or fails over is back within minutes."""

DEFAULT_SLICE_SECONDS = 1800
"""Long enough that a shard's planning (VAD, seconds) is nothing beside its decoding."""

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True)
class StoreSettings:
    """How to reach the object store.

    ``endpoint``: a URL such as http://minio:9000. ``secret_name``: for messages only.
    ``certificates``: a PEM file to trust in place of the system's.
    """

    endpoint: str
    access_key: str
    secret_key: str
    session_token: str | None
    region: str | None
    certificates: Path | None
    retry_seconds: float
    secret_name: str


@dataclass(frozen=True)
class Settings:
    """Everything that a worker is told."""

    task: Task
    worker: int
    store: StoreSettings
    work_directory: Path
    model_directory: Path
    metrics_port: int
    threads: int
    slice_seconds: int


def termination_path(environ: Mapping[str, str]) -> Path:
    """Where the last word goes; apart from the rest, since bad settings need it, too."""
    return Path(environ.get("TERMINATION_PATH", TERMINATION_PATH))


def read(environ: Mapping[str, str]) -> Settings:
    """The settings in ``environ``.

    Raises:
        ConfigurationInvalid: something is missing or malformed.
    """
    task = _task(environ)
    try:
        return Settings(
            task=task,
            worker=int(environ.get(WORKER_INDEX_VARIABLE, "0")),
            store=_store(environ, task.secret_name),
            work_directory=Path(environ.get("WORK_DIRECTORY", WORK_DIRECTORY)),
            model_directory=Path(environ.get("MODEL_DIRECTORY", MODEL_DIRECTORY)),
            metrics_port=int(environ.get("METRICS_PORT", METRICS_PORT)),
            threads=int(environ.get("OMP_NUM_THREADS", 0)) or available_processors(),
            slice_seconds=int(environ.get("SLICE_SECONDS", DEFAULT_SLICE_SECONDS)),
        )
    except ValueError as error:
        raise ConfigurationInvalid(f"the worker's environment is malformed: {error}") from None


def available_processors() -> int:
    """Processors that this container may use: its quota, rounded up, or those it is bound to."""
    bound = len(os.sched_getaffinity(0))
    try:
        quota, period = _CPU_QUOTA.read_text().split()
        return min(bound, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no cgroup v2, or "max": no quota
        return bound


def _task(environ: Mapping[str, str]) -> Task:
    text = environ.get(TASK_VARIABLE)
    if not text:
        raise ConfigurationInvalid(f"the environment variable {TASK_VARIABLE} is not set")
    try:
        task = Task.model_validate_json(text)
    except ValidationError as error:
        where = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
        )
        raise ConfigurationInvalid(f"the task is malformed: {where}") from None
    for uri in (task.source_uri, task.output_uri):
        try:
            S3Uri.parse(uri)
        except ValueError as error:
            raise ConfigurationInvalid(str(error)) from None
    return task


def _store(environ: Mapping[str, str], secret_name: str) -> StoreSettings:
    def value(key: str) -> str:
        # A key made with "echo" ends in a newline, which no S3 key does.
        return environ.get(STORE_VARIABLES[key], "").strip()

    for key in ("endpoint", "accessKey", "secretKey"):
        if not value(key):
            raise ConfigurationInvalid(
                f"{key} is missing or empty: check the Secret {secret_name!r}"
            )
    return StoreSettings(
        endpoint=value("endpoint"),
        access_key=value("accessKey"),
        secret_key=value("secretKey"),
        session_token=value("sessionToken") or None,
        region=value("region") or None,
        certificates=_certificates(environ),
        retry_seconds=float(environ.get("STORE_RETRY_SECONDS", DEFAULT_RETRY_SECONDS)),
        secret_name=secret_name,
    )


def _certificates(environ: Mapping[str, str]) -> Path | None:
    mounted = Path(environ.get("CA_CERTIFICATE_PATH", CA_CERTIFICATE_PATH))
    if mounted.is_file():
        return mounted
    bundle = environ.get("AWS_CA_BUNDLE")
    return Path(bundle) if bundle else None
