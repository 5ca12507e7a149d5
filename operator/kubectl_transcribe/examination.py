"""Looks at an installation, part by part: each look is one finding or more."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from shlex import join, quote
from typing import Any

from kubectl_transcribe import findings, jobs
from kubectl_transcribe.cluster import Cluster
from kubectl_transcribe.errors import (
    BucketMissingError,
    ClusterError,
    ForbiddenError,
    NotFoundError,
    PluginError,
    QuotaError,
    RefusedError,
    StoreError,
    StoreUnreachableError,
)
from kubectl_transcribe.findings import Finding, Level, note, ok, wrong
from kubectl_transcribe.store import Store
from transcription_api import API_VERSION, KIND, VERSION
from transcription_api.object_store import DEFAULT_SECRET, ObjectStore

Json = dict[str, Any]


class Examination:
    """Of one namespace. ``secret``: None for the usual one; ``endpoint``: of the store, for
    this machine; ``buckets``: to look into besides those that the namespace's latest jobs name."""

    def __init__(
        self, cluster: Cluster, secret: str | None, endpoint: str | None, buckets: Sequence[str]
    ) -> None:
        self._cluster = cluster
        self._asked = secret
        self._secret = secret or DEFAULT_SECRET
        self._endpoint = endpoint
        self._buckets = buckets
        self._operators: list[Json] = []

    def run(self) -> Iterator[Finding]:
        """All findings, in the order in which they should be mended."""
        try:
            yield ok("API server", f"answers ({self._cluster.version()})")
            served = self._cluster.served_versions()
        except ClusterError as error:
            yield wrong("API server", error.message, "kubectl cluster-info")
            return
        yield findings.of_versions(served)
        deployments = "list Deployments of all namespaces"
        yield from _looked("operator", deployments, self._operator())
        if VERSION in served:
            yield from _looked("admission", "create TranscriptionJobs", self._trials())
        yield from _looked("node pools", "list nodes", self._pools())
        yield from _looked("Secret", f"read the Secret {self._secret}", self._store())
        yield from _looked("images", "list pods", self._images())
        if VERSION in served:
            yield from _looked("jobs", "list TranscriptionJobs", self._jobs())

    def _operator(self) -> Iterator[Finding]:
        self._operators = self._cluster.deployments(findings.OPERATOR)
        yield from findings.of_deployments(self._operators, self._cluster.namespace)

    def _trials(self) -> Iterator[Finding]:
        """Jobs that are asked about only: one that must be taken, one with a pool of nobody's."""
        here = self._cluster.namespace
        try:
            self._try()
        except NotFoundError as error:
            yield wrong("namespace", error.message, f"kubectl create namespace {quote(here)}")
        except ForbiddenError as error:
            binding = f"kubectl create rolebinding transcribers -n {quote(here)}"
            yield wrong("rights", error.message, f"{binding} --clusterrole=edit --user=YOU")
        except QuotaError as error:
            yield wrong("quota", error.message, f"kubectl describe resourcequota -n {quote(here)}")
        except RefusedError as error:
            yield findings.of_refusal(error.message)
        else:
            try:
                self._try(nodePool=findings.NO_POOL)
                said = ""
            except RefusedError as refusal:
                said = refusal.message
            yield findings.of_unknown_pool(said, self._operators)

    def _try(self, **fields: str) -> None:
        spec = {
            "source": {"uri": "s3://recordings/doctor.mp3"},
            "output": {"uri": "s3://transcripts/doctor/"},
            **fields,
        }
        metadata = {"generateName": "doctor-", "namespace": self._cluster.namespace}
        manifest = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}
        self._cluster.create(manifest, dry_run=True)

    def _pools(self) -> Iterator[Finding]:
        yield from findings.of_pools(self._operators, self._cluster.nodes())

    def _store(self) -> Iterator[Finding]:
        try:
            latest = self._latest
        except ClusterError:
            latest = []
        keyless = None if self._asked else jobs.keyless(latest)
        found = self._of_secret(is_needed=keyless is None)
        yield found
        if found.level is Level.WRONG:
            return
        try:
            by_secret = found.level is Level.OK or keyless is None
            where = {"secretName": self._secret} if by_secret else keyless
            spec = ObjectStore.model_validate(where)
            store = Store.open(self._cluster, spec, self._endpoint, os.environ)
        except StoreError as error:
            level = note if found.level is Level.NOTE else wrong
            yield level("object store", error.message, self._how_to_edit())
            return
        try:
            store.knock()
        except StoreError as error:
            yield self._of_store(store, error)
            return
        yield ok("object store", f"{store.access.endpoint} answers and accepts the keys")
        for bucket in sorted({*self._buckets, *jobs.buckets(latest)}):
            try:
                store.look_into(bucket)
                yield ok("bucket", f"{bucket} is there")
            except BucketMissingError as error:
                make = f"aws --endpoint-url {store.access.endpoint} s3 mb s3://{bucket}"
                yield wrong("bucket", error.message, make)
            except StoreError as error:
                yield self._of_store(store, error)

    def _of_secret(self, *, is_needed: bool) -> Finding:
        namespace = self._cluster.namespace
        try:
            secret = self._cluster.secret(self._secret)
        except NotFoundError:
            return findings.of_missing_secret(self._secret, namespace, is_needed=is_needed)
        except ForbiddenError:
            return note("Secret", f"you may not read the Secret {self._secret}: not looked at")
        return findings.of_secret(self._secret, namespace, secret)

    def _of_store(self, store: Store, error: StoreError) -> Finding:
        if not isinstance(error, StoreUnreachableError):
            keys = "export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=..."
            mend = self._how_to_edit() if store.access.keys else keys
            return wrong("object store", error.message, mend)
        here = store.access.endpoint
        # What only pods can look up is not wrong because this machine cannot.
        level = note if findings.is_inside(here) else wrong
        return level("object store", error.message, findings.how_to_reach(here, self._again()))

    def _again(self) -> str:
        words = ["kubectl", "transcribe", "doctor", "-n", self._cluster.namespace]
        words += ["--secret", self._asked] if self._asked else []
        return join([*words, *(f"--bucket={each}" for each in self._buckets)])

    def _how_to_edit(self) -> str:
        return f"kubectl edit secret {quote(self._secret)} -n {self._cluster.namespace}"

    @cached_property
    def _latest(self) -> list[Json]:
        return jobs.latest(self._cluster.objects([]))

    def _jobs(self) -> Iterator[Finding]:
        yield from jobs.of_jobs(self._latest, self._cluster.namespace)

    def _images(self) -> Iterator[Finding]:
        workers = self._cluster.workers()
        yield from findings.of_pods(workers, self._operators_pods(), self._operators)

    def _operators_pods(self) -> list[Json]:
        homes = {each["metadata"]["namespace"] for each in self._operators}
        try:
            return [pod for home in homes for pod in self._cluster.pods(home, findings.OPERATOR)]
        except ForbiddenError:
            # Workers' images are worth a look of their own.
            return []


def _looked(about: str, right: str, look: Iterator[Finding]) -> Iterator[Finding]:
    """A look's findings; one that fails is a finding, too, and the next looks are taken."""
    try:
        yield from look
    except ForbiddenError:
        yield note(about, f"you may not {right}: not looked at")
    except PluginError as error:
        yield wrong(about, error.message, "kubectl cluster-info")
