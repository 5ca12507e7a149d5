"""Looks at an installation, part by part: each look is one finding or more."""

import os
from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any

from kubectl_transcribe import findings
from kubectl_transcribe.cluster import Cluster
from kubectl_transcribe.errors import (
    BucketMissingError,
    ClusterError,
    ForbiddenError,
    NotFoundError,
    RefusedError,
    StoreError,
    StoreUnreachableError,
)
from kubectl_transcribe.findings import Finding, Level, note, ok, wrong
from kubectl_transcribe.store import Store
from transcription_contract.locations import ObjectUri
from transcription_operator.api import API_VERSION, KIND, VERSION
from transcription_operator.api.object_store import ObjectStore

Json = dict[str, Any]
_RECENT = 20


class Examination:
    """Of one namespace. ``endpoint``: of the store, for this machine; ``buckets``: to look into
    besides those that the namespace's latest jobs name."""

    def __init__(
        self, cluster: Cluster, secret: str, endpoint: str | None, buckets: Sequence[str]
    ) -> None:
        self._cluster = cluster
        self._secret = secret
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
        yield from self._operator()
        if VERSION in served:
            yield from self._trials()
        yield from self._pools()
        yield from self._store()
        yield from self._images()

    def _operator(self) -> Iterator[Finding]:
        try:
            self._operators = self._cluster.deployments(findings.OPERATOR)
        except ForbiddenError:
            yield note("operator", "you may not list Deployments of all namespaces: not looked at")
            return
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
        try:
            yield from findings.of_pools(self._operators, self._cluster.nodes())
        except ForbiddenError:
            yield note("node pools", "you may not list nodes: not looked at")

    def _store(self) -> Iterator[Finding]:
        found = self._of_secret()
        yield found
        if found.level is Level.WRONG:
            return
        try:
            spec = ObjectStore(secret_name=self._secret)
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
        for bucket in self._named_buckets():
            try:
                store.look_into(bucket)
                yield ok("bucket", f"{bucket} is there")
            except BucketMissingError as error:
                make = f"aws --endpoint-url {store.access.endpoint} s3 mb s3://{bucket}"
                yield wrong("bucket", error.message, make)
            except StoreError as error:
                yield self._of_store(store, error)

    def _of_secret(self) -> Finding:
        namespace = self._cluster.namespace
        try:
            secret = self._cluster.secret(self._secret)
        except NotFoundError:
            return findings.of_missing_secret(self._secret, namespace)
        except ForbiddenError:
            return note("Secret", f"you may not read the Secret {self._secret}: not looked at")
        return findings.of_secret(self._secret, namespace, secret)

    def _of_store(self, store: Store, error: StoreError) -> Finding:
        if not isinstance(error, StoreUnreachableError):
            return wrong("object store", error.message, self._how_to_edit())
        again = f"kubectl transcribe doctor -n {self._cluster.namespace} --endpoint URL"
        # What only pods can look up is not wrong because this machine cannot.
        level = note if findings.is_inside(store.access.endpoint) else wrong
        return level("object store", error.message, again)

    def _how_to_edit(self) -> str:
        return f"kubectl edit secret {quote(self._secret)} -n {self._cluster.namespace}"

    def _named_buckets(self) -> list[str]:
        uris = []
        try:
            for job in self._cluster.objects([])[-_RECENT:]:
                uris += [job["spec"]["source"]["uri"], job["spec"]["output"]["uri"]]
        except ClusterError:
            return list(self._buckets)
        parsed = (ObjectUri.parse(uri) for uri in uris)
        return sorted({*self._buckets, *(uri.bucket for uri in parsed if uri.scheme == "s3")})

    def _images(self) -> Iterator[Finding]:
        try:
            yield from findings.of_pods(self._cluster.workers(), self._operators)
        except ForbiddenError:
            yield note("images", "you may not list pods: not looked at")
