"""What the pod's environment says, or a shell's: the only module that reads it."""

import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from transcription_contract.base import mistakes
from transcription_contract.locations import ObjectUri
from transcription_contract.metric_names import METRICS_PORT
from transcription_contract.task import (
    CA_CERTIFICATE_PATH,
    MODEL_DIRECTORY,
    STORE_DIRECTORY,
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

_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class StoreSettings:
    """How to reach the object store.

    ``endpoint``: a URL such as http://minio:9000. Without ``access_key``, AWS is asked for the
    machine's own. ``keys_from``: where the user put all this, for messages, such as "the Secret
    'object-store'". ``certificates``: a PEM file to trust in place of the system's.
    ``keys_directory``: files accessKey, secretKey and sessionToken, whose present content wins.
    ``request_payer``: "requester" where the bucket's owner does not pay for requests, or empty.
    ``encryption``: of what is written: AES256 or aws:kms, then with ``kms_key``, or empty for the
    bucket's default. ``addressing``: auto, or buckets in the path or in the host's name (virtual).
    ``allowed_networks``: CIDRs that the endpoint may lead to besides the public internet; None for
    everywhere, where the endpoint comes from a Secret or a shell, as keys do.
    """

    endpoint: str
    access_key: str
    secret_key: str
    session_token: str | None
    region: str | None
    certificates: Path | None
    retry_seconds: float
    keys_from: str
    keys_directory: Path | None = None
    request_payer: str = ""
    encryption: str = ""
    kms_key: str = ""
    addressing: str = "auto"
    allowed_networks: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Settings:
    """Everything that a worker is told.

    ``store``: None where only local files are used. ``model_file``: a checkpoint to take instead of
    the task's model. ``metrics_port``: 0 for none.
    """

    task: Task
    worker: int
    store: StoreSettings | None
    work_directory: Path
    model_directory: Path
    metrics_port: int
    threads: int
    slice_seconds: int
    model_file: Path | None = None


def in_pod(environ: Mapping[str, str]) -> bool:
    """Whether this is a worker's pod, and no shell."""
    return TASK_VARIABLE in environ or WORKER_INDEX_VARIABLE in environ


def model_directory(environ: Mapping[str, str]) -> Path:
    """Where models are kept: the pod's model volume, or the user's cache."""
    if stated := environ.get("MODEL_DIRECTORY"):
        return Path(stated)
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "whisper-transcriber"


def termination_path(environ: Mapping[str, str]) -> Path:
    """Where the last word goes; apart from the rest, since bad settings need it, too."""
    return Path(environ.get("TERMINATION_PATH", TERMINATION_PATH))


def read(environ: Mapping[str, str]) -> Settings:
    """The settings in ``environ``.

    Raises:
        ConfigurationInvalid: something is missing or malformed.
    """
    task = _task(environ)
    secret = task.secret_name
    store = _store(environ, f"the Secret {secret!r}" if secret else "spec.objectStore")
    if secret and not (store.access_key and store.secret_key):
        missing = "secretKey" if store.access_key else "accessKey"
        raise ConfigurationInvalid(f"{missing} is missing or empty: check {store.keys_from}")
    if not secret:
        store = replace(store, allowed_networks=task.allowed_networks)
    return _settings(environ, task, store)


def local(environ: Mapping[str, str], task: Task, model_file: Path | None) -> Settings:
    """The settings of the command line, which keeps models and scratch files in the user's folders.

    Raises:
        ConfigurationInvalid: an object store is named, and the environment does not say how to
            reach it.
    """
    at_home = _at_home(environ)
    uris = (task.source_uri, task.output_uri, task.model.uri, task.model_mirror_uri)
    remote = any(uri and uri.startswith("s3:") for uri in uris)
    store = store_of_shell(environ) if remote else None
    return replace(_settings(at_home, task, store), model_file=model_file)


def store_of_shell(environ: Mapping[str, str]) -> StoreSettings:
    """The object store that the AWS SDKs' usual variables describe; AWS's own by default."""
    return _store(_at_home(environ), "the AWS_* environment variables")


def _at_home(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        "WORK_DIRECTORY": tempfile.gettempdir(),
        "MODEL_DIRECTORY": str(model_directory(environ)),
        "METRICS_PORT": "0",
        "AWS_ENDPOINT_URL": "https://s3.amazonaws.com",
        "CA_CERTIFICATE_PATH": "",
        "STORE_DIRECTORY": "",
        **environ,
    }


def _settings(environ: Mapping[str, str], task: Task, store: StoreSettings | None) -> Settings:
    try:
        return Settings(
            task=task,
            worker=int(environ.get(WORKER_INDEX_VARIABLE, "0")),
            store=store,
            work_directory=Path(environ.get("WORK_DIRECTORY", WORK_DIRECTORY)),
            model_directory=Path(environ.get("MODEL_DIRECTORY", MODEL_DIRECTORY)),
            metrics_port=int(environ.get("METRICS_PORT", METRICS_PORT)),
            threads=int(environ.get("OMP_NUM_THREADS", 0)) or available_processors(),
            slice_seconds=int(environ.get("SLICE_SECONDS", DEFAULT_SLICE_SECONDS)),
        )
    except ValueError as error:
        raise ConfigurationInvalid(f"the worker's environment is malformed: {error}") from None


def available_processors(cgroups: Path = _CGROUPS) -> int:
    """Processors that this container may use: its quota, rounded up, or those it is bound to."""
    bound = len(os.sched_getaffinity(0))
    quota = _quota(cgroups)
    return min(bound, max(1, math.ceil(quota))) if quota else bound


def _quota(cgroups: Path) -> float | None:
    """Processors that a control group of version 2 or 1 allows, or None."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = " ".join((cgroups / name).read_text() for name in names).split()
            return int(quota) / int(period) if int(quota) > 0 else None
        except (OSError, ValueError):  # not this version, or "max": no quota
            continue
    return None


def _task(environ: Mapping[str, str]) -> Task:
    text = environ.get(TASK_VARIABLE)
    if not text:
        raise ConfigurationInvalid(f"the environment variable {TASK_VARIABLE} is not set")
    try:
        task = Task.model_validate_json(text)
    except ValidationError as error:
        raise ConfigurationInvalid(f"the task is malformed: {'; '.join(mistakes(error))}") from None
    for uri in (task.source_uri, task.output_uri):
        try:
            ObjectUri.parse(uri)
        except ValueError as error:
            raise ConfigurationInvalid(str(error)) from None
    return task


def _store(environ: Mapping[str, str], keys_from: str) -> StoreSettings:
    def value(key: str) -> str:
        # A key made with "echo" ends in a newline, which no S3 key does.
        return environ.get(STORE_VARIABLES[key], "").strip()

    if not value("endpoint"):
        raise ConfigurationInvalid(f"endpoint is missing or empty: check {keys_from}")
    return StoreSettings(
        endpoint=value("endpoint"),
        access_key=value("accessKey"),
        secret_key=value("secretKey"),
        session_token=value("sessionToken") or None,
        region=value("region") or None,
        certificates=_certificates(environ),
        retry_seconds=float(environ.get("STORE_RETRY_SECONDS", DEFAULT_RETRY_SECONDS)),
        keys_from=keys_from,
        keys_directory=_mounted_keys(environ),
        request_payer=_one_of(value("requestPayer"), ("requester",), "requestPayer", keys_from),
        encryption=_one_of(
            value("serverSideEncryption") or ("aws:kms" if value("kmsKeyId") else ""),
            ("AES256", "aws:kms", "aws:kms:dsse"),
            "serverSideEncryption",
            keys_from,
        ),
        kms_key=value("kmsKeyId"),
        addressing=_one_of(
            value("addressing") or "auto", ("auto", "path", "virtual"), "addressing", keys_from
        ),
    )


def _one_of(value: str, allowed: tuple[str, ...], key: str, keys_from: str) -> str:
    """The value, which may be empty.

    Raises:
        ConfigurationInvalid: it is not one of those allowed.
    """
    if value and value not in allowed:
        raise ConfigurationInvalid(
            f"{key} in {keys_from} must be {' or '.join(allowed)}, not {value!r}"
        )
    return value


def _mounted_keys(environ: Mapping[str, str]) -> Path | None:
    """The directory that the Secret is mounted as, if it holds keys."""
    stated = environ.get("STORE_DIRECTORY", STORE_DIRECTORY)
    return Path(stated) if stated and Path(stated, "accessKey").is_file() else None


def _certificates(environ: Mapping[str, str]) -> Path | None:
    mounted = Path(environ.get("CA_CERTIFICATE_PATH", CA_CERTIFICATE_PATH))
    if mounted.is_file():
        return mounted
    bundle = environ.get("AWS_CA_BUNDLE")
    return Path(bundle) if bundle else None
