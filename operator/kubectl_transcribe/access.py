"""Where the object store is for this machine, and what opens it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

from transcription_api.object_store import ObjectStore

REQUIRED_KEYS = ("endpoint", "accessKey", "secretKey")
"""Of the Secret."""

_SENT = (*REQUIRED_KEYS, "sessionToken", "region")
_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY",
              "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION")  # fmt: skip


@dataclass(frozen=True)
class Access:
    """``keys``: of a Secret (accessKey, secretKey, sessionToken, caCert); None for the usual AWS
    variables and profile. ``keys_from``, ``endpoint_from``: how a message names them.
    ``no_secret``: why the keys are not a Secret's."""

    endpoint: str
    keys: Mapping[str, str] | None
    region: str | None
    keys_from: str
    endpoint_from: str
    no_secret: str = ""


_FLAG = "the address given by --endpoint or AWS_ENDPOINT_URL"


def by_secret(name: str, secret: Mapping[str, str], endpoint: str | None) -> Access:
    """The Secret's keys; an ``endpoint`` that is given is the one that this machine reaches.

    Raises:
        ValueError: one of its keys is missing, or has blanks around it; its value stays unsaid.
    """
    values = {**secret, **({"endpoint": endpoint.strip()} if endpoint else {})}
    if lacking := [key for key in REQUIRED_KEYS if not values.get(key)]:
        raise ValueError(f"the Secret {name} has no {lacking[0]}: {how_to_add(name, lacking[0])}")
    if key := padded(values):
        raise ValueError(f"{padding(name, key)}: {how_to_add(name, key)}")
    endpoint_from = _FLAG if endpoint else f"the endpoint of Secret {name}"
    keys_from = f"Secret {name}"
    return Access(values["endpoint"], values, values.get("region"), keys_from, endpoint_from)


def by_environment(
    spec: ObjectStore, endpoint: str | None, environ: Mapping[str, str], why: str
) -> Access:
    """The keys that AWS's own tools would find; ``why`` says what is wrong with the Secret.

    Raises:
        ValueError: nobody says where the store is, or a key has blanks around it.
    """
    if variables := _padded(environ, _VARIABLES):
        raise ValueError(
            f"{variables[0]} has blanks or a line end around its value: export it without them"
        )
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or spec.region
    found = endpoint or spec.endpoint
    if not found:
        raise ValueError(
            f"{why}: name the object store by --endpoint or AWS_ENDPOINT_URL, and its keys by "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    endpoint_from = _FLAG if endpoint else "the job's spec.objectStore.endpoint"
    return Access(found, None, region, "AWS_ACCESS_KEY_ID", endpoint_from, why)


def padded(secret: Mapping[str, str]) -> str | None:
    """The first of a Secret's keys that cannot be sent, such as with the line end of `echo`."""
    return next(iter(_padded(secret, _SENT)), None)


def padding(secret: str, key: str) -> str:
    """What is wrong with that key."""
    return f"the Secret {secret} has blanks or a line end around the value of {key}"


def _padded(values: Mapping[str, str], keys: Sequence[str]) -> list[str]:
    return [key for key in keys if values.get(key, "") != values.get(key, "").strip()]


def missing(secret: str, namespace: str) -> str:
    """That there is no such Secret."""
    return f"there is no Secret {secret} in namespace {namespace}"


def how_to_make(secret: str, namespace: str) -> str:
    """The command that makes a Secret."""
    literals = " ".join(f"--from-literal={key}=..." for key in REQUIRED_KEYS)
    return f"kubectl create secret generic {quote(secret)} -n {quote(namespace)} {literals}"


def how_to_add(secret: str, key: str) -> str:
    """The command that gives a Secret one more key."""
    return (
        f"kubectl patch secret {secret} --type=merge -p "
        f"""'{{"stringData":{{"{key}":"..."}}}}'"""
    )
