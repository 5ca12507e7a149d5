"""The API server, as the user's kubeconfig reaches it: the only module that knows kubernetes."""

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote

import urllib3
from kubernetes import client
from kubernetes.config import ConfigException, kube_config
from pydantic import ValidationError

from kubectl_transcribe.errors import (
    ClusterError,
    ForbiddenError,
    NoResourceError,
    NotFoundError,
    UnreachableError,
    cause,
)
from kubectl_transcribe.refusals import refusal
from transcription_api import GROUP, KIND, OWNER_UID_LABEL, PLURAL, VERSION
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.base import mistakes

Json = dict[str, Any]

_JSON = "application/json"
_MERGE = "application/merge-patch+json"
_TABLE = f"{_JSON};as=Table;v=v1;g=meta.k8s.io,{_JSON}"
_SECONDS = (5.0, 30.0)
"""To connect, and for an answer."""


class Cluster:
    """One API server, and the namespace that the user works in."""

    def __init__(self, configuration: client.Configuration, namespace: str) -> None:
        self.namespace = namespace
        self._client = client.ApiClient(configuration)

    @classmethod
    def connect(
        cls, kubeconfig: str | None, context: str | None, namespace: str | None
    ) -> "Cluster":
        """By a kubeconfig, as kubectl finds it. Nothing is asked yet.

        Raises:
            UnreachableError: there is none, or no such context in it.
        """
        found = client.Configuration()
        found.retries = 1
        try:
            files = kube_config.KubeConfigMerger(  # type: ignore[no-untyped-call]
                kubeconfig or kube_config.KUBE_CONFIG_DEFAULT_LOCATION
            )
            _require_context(files, context)
            loader = kube_config.KubeConfigLoader(  # type: ignore[no-untyped-call]
                files.config, context, config_base_path=None, config_persister=files.save_changes
            )
            loader.load_and_set(found)  # type: ignore[no-untyped-call]
        except (ConfigException, OSError, ValueError) as error:
            raise UnreachableError(
                f"no kubeconfig says where the cluster is: {error}; set KUBECONFIG, or name a "
                "file by --kubeconfig and one of its contexts by --context"
            ) from error
        chosen = loader.current_context["context"]
        return cls(found, namespace or chosen.get("namespace") or "default")

    def version(self) -> str:
        """The API server's, such as v1.35.4."""
        return str(self._json("GET", "/version")["gitVersion"])

    def served_versions(self) -> list[str]:
        """Of our API group; none where the CRD is not installed."""
        try:
            group = self._json("GET", f"/apis/{GROUP}")
        except NoResourceError:
            return []
        return [each["version"] for each in group["versions"]]

    def table(self, names: Sequence[str], *, everywhere: bool = False) -> list[Json]:
        """TranscriptionJobs as Tables, cells filled in by the server; all of them without names.

        Raises:
            NotFoundError: one of the names is nobody's.
        """
        if not names:
            return [self._json("GET", self._jobs(everywhere=everywhere), accept=_TABLE)]
        return [self._of_job("GET", name, accept=_TABLE) for name in names]

    def objects(self, names: Sequence[str], *, everywhere: bool = False) -> list[Json]:
        """The same as the API server stores them, and as kubectl shows them."""
        if names:
            return [_shown(self._of_job("GET", name)) for name in names]
        listed = self._json("GET", self._jobs(everywhere=everywhere))
        # The items of a list do not say what they are.
        kind = {"apiVersion": listed["apiVersion"], "kind": KIND}
        return [_shown({**kind, **item}) for item in listed["items"]]

    def names(self) -> list[str]:
        """Of the namespace's TranscriptionJobs; none where the user may not list them."""
        try:
            return [each["metadata"]["name"] for each in self.objects([])]
        except ForbiddenError:
            return []

    def job(self, name: str) -> TranscriptionJob:
        """One TranscriptionJob, understood.

        Raises:
            NotFoundError: there is none; the message has near names.
        """
        found = self._of_job("GET", name)
        try:
            return TranscriptionJob.model_validate(found, extra="ignore")
        except ValidationError as error:
            raise ClusterError(
                f"TranscriptionJob {name} cannot be read ({mistakes(error)[0]}): this plugin is "
                "older than the operator; install the operator's version of it"
            ) from error

    def create(self, manifest: Json, *, dry_run: bool = False) -> Json:
        """Create a TranscriptionJob; with ``dry_run`` only ask whether it would be taken.

        Raises:
            RefusedError: it would not, or the name is taken.
        """
        query = [("fieldValidation", "Strict"), *([("dryRun", "All")] if dry_run else [])]
        try:
            return _shown(self._json("POST", self._jobs(), query=query, body=manifest))
        except NotFoundError as error:
            raise NotFoundError(
                f"there is no namespace {self.namespace}: `kubectl create namespace "
                f"{self.namespace}` makes it, and -n names another one"
            ) from error

    def merge(self, name: str, changes: Json) -> Json:
        """Change a TranscriptionJob by a merge patch."""
        return _shown(self._of_job("PATCH", name, body=changes, content_type=_MERGE))

    def delete(self, name: str) -> None:
        """Delete a TranscriptionJob; the garbage collector ends its pods."""
        self._of_job("DELETE", name)

    def secret(self, name: str) -> dict[str, str]:
        """A Secret's values.

        Raises:
            ForbiddenError: the user may not read it.
            NotFoundError: there is none.
        """
        data = self._json("GET", f"{self._core('secrets')}/{_segment(name)}").get("data") or {}
        return {key: b64decode(value).decode(errors="replace") for key, value in data.items()}

    def workers(self, uid: str | None = None) -> list[Json]:
        """Worker pods of one TranscriptionJob, or of all in the namespace, the oldest first."""
        selector = f"{OWNER_UID_LABEL}={uid}" if uid else OWNER_UID_LABEL
        pods = self.pods(self.namespace, selector)
        return sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def pods(self, namespace: str, selector: str) -> list[Json]:
        """Pods of any namespace."""
        path = f"/api/v1/namespaces/{_segment(namespace)}/pods"
        return list(self._json("GET", path, query=[("labelSelector", selector)])["items"])

    def log(self, pod: Json, *, follow: bool, tail: int | None) -> Iterator[bytes]:
        """The log of a pod's first container in pieces, as they come.

        Raises:
            RefusedError: it has not begun.
        """
        # Others are what a service mesh has added.
        query = [("container", pod["spec"]["containers"][0]["name"])]
        query += [("follow", "true")] if follow else []
        query += [("tailLines", str(tail))] if tail is not None else []
        path = f"{self._core('pods')}/{_segment(pod['metadata']['name'])}/log"
        seconds = (_SECONDS[0], None) if follow else _SECONDS
        answer = self._answer("GET", path, query=query, accept="*/*", seconds=seconds)
        try:
            yield from answer.stream()
        except urllib3.exceptions.HTTPError as error:
            name = pod["metadata"]["name"]
            raise UnreachableError(f"the log of pod {name} was cut: {error}") from error

    def deployments(self, selector: str) -> list[Json]:
        """Deployments of all namespaces."""
        query = [("labelSelector", selector)]
        found = self._json("GET", "/apis/apps/v1/deployments", query=query)["items"]
        return list(found)

    def nodes(self) -> list[Json]:
        """All nodes."""
        return list(self._json("GET", "/api/v1/nodes")["items"])

    def _of_job(self, method: str, name: str, **more: Any) -> Json:
        try:
            return self._json(method, f"{self._jobs()}/{_segment(name)}", **more)
        except NotFoundError as error:
            near = get_close_matches(name, self.names())
            hint = f"did you mean {' or '.join(near)}?" if near else "`get` lists those there are"
            raise NotFoundError(
                f"there is no TranscriptionJob {name} in namespace {self.namespace}: {hint}"
            ) from error

    def _json(self, method: str, path: str, accept: str = _JSON, **more: Any) -> Json:
        content: bytes = self._answer(method, path, accept=accept, **more).data
        try:
            answer: Json = json.loads(content)
        except ValueError as error:
            raise UnreachableError(
                f"{self._client.configuration.host} is no API server: it does not answer in JSON"
            ) from error
        return answer

    def _answer(
        self,
        method: str,
        path: str,
        *,
        accept: str,
        query: Sequence[tuple[str, str]] = (),
        body: Json | None = None,
        content_type: str = _JSON,
        seconds: tuple[float, float | None] = _SECONDS,
    ) -> Any:
        request = self._client.param_serialize(
            method=method,
            resource_path=path,
            query_params=list(query),
            header_params={"Accept": accept, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = self._client.call_api(*request, _request_timeout=seconds)
        except (urllib3.exceptions.HTTPError, client.ApiException, OSError) as error:
            raise UnreachableError(
                f"the API server at {self._client.configuration.host} does not answer: "
                f"{cause(error)}; `kubectl cluster-info` says whether it is there for kubectl"
            ) from error
        if not 200 <= answer.status <= 299:
            raise refusal(answer.status, answer.response.data)
        return answer.response

    def _jobs(self, *, everywhere: bool = False) -> str:
        within = "" if everywhere else f"/namespaces/{_segment(self.namespace)}"
        return f"/apis/{GROUP}/{VERSION}{within}/{PLURAL}"

    def _core(self, plural: str) -> str:
        return f"/api/v1/namespaces/{_segment(self.namespace)}/{plural}"


def _require_context(files: kube_config.KubeConfigMerger, context: str | None) -> None:
    if not context or not files.config:
        return
    names = [each["name"] for each in files.config["contexts"].value]
    if context not in names:
        raise UnreachableError(
            f"there is no context {context} in the kubeconfig; there are: {', '.join(names)}"
        )


def _shown(job: Json) -> Json:
    # Longer than all the rest, and of no use to people.
    job["metadata"].pop("managedFields", None)
    return job


def _segment(name: str) -> str:
    # A slash in it would name another resource.
    return quote(name, safe="")
