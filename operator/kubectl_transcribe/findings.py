"""What is seen of an installation -> what is wrong with it, and the command that mends it. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote
from typing import Any
from urllib.parse import urlsplit

from kubectl_transcribe.access import (
    REQUIRED_KEYS,
    how_to_add,
    how_to_make,
    missing,
    padded,
    padding,
)
from transcription_api import VERSION
from transcription_contract.reasons import canonical

Json = dict[str, Any]

HOW_TO_INSTALL = (
    "helm install transcription-operator helm/transcription-operator -n transcription-system "
    "--create-namespace"
)
OPERATOR = "app.kubernetes.io/name=transcription-operator"
"""The selector of the operator's Deployment."""

NO_POOL = "doctor-asks-for-a-pool-that-is-not-there"
_SERVICE = re.compile(r"([^.]+)\.([^.]+)\.svc(?:\.cluster\.local)?")
_POOLS = re.compile(r"the pools are: ([^\n]*)")
_PULL_REASONS = frozenset({"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
_REPOSITORY = "transcriber.image.repository=REPOSITORY"
_OPERATORS_REPOSITORY = "operator.image.repository=REPOSITORY"


class Level(StrEnum):
    """``NOTE``: could not be seen, or is worth knowing; only ``WRONG`` is an error."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """``mend``: a command, or what else there is to do; empty when all is well."""

    level: Level
    about: str
    message: str
    mend: str = ""


def ok(about: str, message: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, about, message)


def note(about: str, message: str, mend: str = "") -> Finding:
    """Nothing that is known to be wrong."""
    return Finding(Level.NOTE, about, message, mend)


def wrong(about: str, message: str, mend: str) -> Finding:
    """Something that keeps jobs from being done."""
    return Finding(Level.WRONG, about, message, mend)


def of_versions(served: Sequence[str]) -> Finding:
    """Whether the CRD is there, in the version that this plugin speaks."""
    if not served:
        return wrong("CRD", "the cluster knows no TranscriptionJobs", HOW_TO_INSTALL)
    if VERSION not in served:
        return wrong(
            "CRD",
            f"the cluster serves {', '.join(served)}, and this plugin speaks {VERSION}",
            "pip install --upgrade 'transcription-operator[cli]', or upgrade the operator's chart",
        )
    return ok("CRD", f"TranscriptionJobs are served as {VERSION}")


def of_deployments(deployments: Sequence[Json], namespace: str) -> list[Finding]:
    """Whether an operator runs, and looks at this namespace."""
    if not deployments:
        return [wrong("operator", "no operator is installed in the cluster", HOW_TO_INSTALL)]
    found = [_of_deployment(each) for each in deployments]
    watched = [name for each in deployments for name in _setting(each, "WATCH_NAMESPACES", [])]
    if all(_setting(each, "WATCH_NAMESPACES", []) for each in deployments) and (
        namespace not in watched
    ):
        names = ",".join([*watched, namespace])
        message = f"it watches only the namespaces {', '.join(watched)}, and not {namespace}"
        mend = how_to_upgrade(deployments, f"watchNamespaces={{{names}}}")
        found.append(wrong("operator", message, mend))
    return found


def _of_deployment(deployment: Json) -> Finding:
    name, home = _home(deployment)
    wanted = deployment["spec"].get("replicas", 1)
    ready = deployment.get("status", {}).get("readyReplicas", 0)
    if wanted == 0:
        mend = f"kubectl scale deployment {quote(name)} -n {quote(home)} --replicas=1"
        return wrong("operator", f"Deployment {home}/{name} is scaled to 0", mend)
    if ready < 1:
        return wrong(
            "operator",
            f"Deployment {home}/{name} has no pod that is ready",
            f"kubectl describe pods -n {quote(home)} -l {OPERATOR}; "
            f"kubectl logs deployment/{quote(name)} -n {quote(home)}",
        )
    return ok("operator", f"Deployment {home}/{name} is ready ({ready} of {wanted})")


def of_refusal(message: str) -> Finding:
    """The API server did not take a job that is as simple as can be."""
    return wrong(
        "admission",
        f"TranscriptionJobs are refused: {message}",
        "kubectl get validatingadmissionpolicies,validatingwebhookconfigurations,resourcequotas",
    )


def of_unknown_pool(refusal: str, operators: Sequence[Json]) -> Finding:
    """What the API server said to a job with a pool that does not exist; empty: it took it."""
    if found := _POOLS.search(refusal):
        return ok("node pools", f"the pools are: {found[1]}")
    return note(
        "node pools",
        "a job with a pool that does not exist is not refused at once, but fails later",
        how_to_upgrade(operators, "nodePoolPolicy.enabled=true"),
    )


def of_pools(deployments: Sequence[Json], nodes: Sequence[Json]) -> list[Finding]:
    """Whether there are nodes for each pool. None is no error: an autoscaler may make one."""
    pools: dict[str, Json] = {}
    for deployment in deployments:
        pools |= {k: v for k, v in _setting(deployment, "NODE_POOLS", {}).items() if v}
    found = []
    for name, pool in sorted(pools.items()):
        selector: dict[str, str] = pool.get("nodeSelector") or {}
        gpu: Json = pool.get("gpu") or {}
        if any(_fits(node, selector, gpu) for node in nodes):
            continue
        asked = [f"{key}={value}" for key, value in selector.items()]
        asked += [f"{gpu.get('count', 1)} {gpu.get('resource', 'nvidia.com/gpu')}"] if gpu else []
        labels = " ".join(map(quote, asked[: len(selector)]))
        mend = f"kubectl label node NODE {labels}" if labels else "kubectl describe nodes"
        wanted = f" ({', '.join(asked)})" if asked else ""
        message = f"no node fits pool {name}{wanted}, unless an autoscaler makes one"
        found.append(note("node pools", message, mend))
    if pools and not found:
        return [ok("node pools", "every pool has nodes that fit")]
    return found


def _fits(node: Json, selector: Mapping[str, str], gpu: Json) -> bool:
    labels = node["metadata"].get("labels", {})
    if not selector.items() <= labels.items():
        return False
    if not gpu:
        return True
    there = node.get("status", {}).get("allocatable", {})
    amount = str(there.get(gpu.get("resource", "nvidia.com/gpu"), ""))
    return amount.isdigit() and int(amount) >= int(gpu.get("count", 1))


def of_missing_secret(name: str, namespace: str, *, is_needed: bool) -> Finding:
    """There is no such Secret; not ``is_needed``: the latest jobs do without."""
    said = missing(name, namespace)
    if not is_needed:
        return note("Secret", f"{said}; the latest jobs need none")
    return wrong("Secret", f"{said}: no worker can start", how_to_make(name, namespace))


def of_secret(name: str, namespace: str, secret: Mapping[str, str]) -> Finding:
    """Whether it has all that a worker needs."""
    where = f"{quote(name)} -n {quote(namespace)}"
    if lacking := [key for key in REQUIRED_KEYS if not secret.get(key)]:
        message = f"the Secret {name} lacks {' and '.join(lacking)}: no worker can start"
        return wrong("Secret", message, how_to_add(where, lacking[0]))
    if key := padded(secret):
        return wrong("Secret", f"{padding(name, key)}: no worker can start", how_to_add(where, key))
    endpoint = urlsplit(secret["endpoint"])
    if endpoint.scheme not in ("http", "https") or not endpoint.netloc:
        message = f"the endpoint in the Secret {name} is not a URL such as https://s3.example.com"
        return wrong("Secret", message, how_to_add(where, "endpoint"))
    return ok("Secret", f"{name} has {', '.join(REQUIRED_KEYS)}")


def is_inside(endpoint: str) -> bool:
    """Whether an endpoint is a Service's name, which only pods can look up."""
    host = urlsplit(endpoint).hostname or ""
    return host.endswith((".svc", ".svc.cluster.local"))


def how_to_reach(endpoint: str, again: str) -> str:
    """What makes ``again``, a command, look at the store by an address of this machine's."""
    address = urlsplit(endpoint)
    found = _SERVICE.fullmatch(address.hostname or "")
    if not found or address.scheme == "https":
        # A certificate is for the name, and not for localhost.
        return f"{again} --endpoint URL, with the address that this machine reaches"
    service, home = found.groups()
    forward = (
        f"kubectl port-forward -n {quote(home)} svc/{quote(service)} 9000:{address.port or 80}"
    )
    return f"{forward}, and beside it: {again} --endpoint http://localhost:9000"


def of_pods(
    workers: Sequence[Json], operators_pods: Sequence[Json], operators: Sequence[Json]
) -> list[Finding]:
    """Images of workers, and of the operator itself, that cannot be pulled, each of them once."""
    found = {
        **_unpullable("the image", workers, how_to_upgrade(operators, _REPOSITORY)),
        **_unpullable(
            "the operator's image", operators_pods, how_to_upgrade(operators, _OPERATORS_REPOSITORY)
        ),
    }
    return list(found.values()) or [ok("images", "no worker waits for its image")]


def _unpullable(what: str, pods: Sequence[Json], upgrade: str) -> dict[str, Finding]:
    waiting = [
        (status.get("image", ""), status["state"]["waiting"])
        for pod in pods
        for status in pod.get("status", {}).get("containerStatuses", [])
        if canonical(_waiting_reason(status)) in _PULL_REASONS
    ]
    mend = f"{upgrade}, or, for a private registry, --set 'imagePullSecrets={{SECRET}}'"
    found = {}
    for image, waits in waiting:
        why = waits.get("message") or waits["reason"]
        found[image] = wrong("images", f"{what} {image} cannot be pulled: {why}", mend)
    return found


def _waiting_reason(container: Json) -> str:
    return str(container.get("state", {}).get("waiting", {}).get("reason", ""))


def how_to_upgrade(operators: Sequence[Json], value: str) -> str:
    """The command that changes one of the chart's values."""
    release, home = ("transcription-operator", "transcription-system")
    if operators:
        release, home = _home(operators[0])
    return (
        f"helm upgrade {quote(release)} helm/transcription-operator -n {quote(home)} "
        f"--reset-then-reuse-values --set {quote(value)}"
    )


def _setting(deployment: Json, name: str, default: Any) -> Any:
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        for variable in container.get("env", []):
            if variable["name"] == f"OPERATOR_{name}" and variable.get("value"):
                return json.loads(variable["value"])
    return default


def _home(deployment: Json) -> tuple[str, str]:
    return deployment["metadata"]["name"], deployment["metadata"]["namespace"]
