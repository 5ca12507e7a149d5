"""Metrics of the operator's own health, under the names that Kubernetes' controllers use."""

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge


class Result(StrEnum):
    """Results of a reconciliation, in controller-runtime's words."""

    SUCCESS = "success"
    REQUEUE = "requeue"
    REQUEUE_AFTER = "requeue_after"
    ERROR = "error"

    @classmethod
    def of(cls, again: float | None) -> "Result":
        """The result that asks for the next reconciliation after so many seconds, or None."""
        if again is None:
            return cls.SUCCESS
        return cls.REQUEUE_AFTER if again > 0 else cls.REQUEUE


class OperatorMetrics:
    """Counts what it is given, and queries the rest when it is scraped."""

    def __init__(self, registry: CollectorRegistry, lease: str) -> None:
        self._requests = Counter(
            "transcription_operator_api_requests",
            "Number of requests to the API server by verb, resource and status code.",
            ["verb", "resource", "code"],
            registry=registry,
        )
        self._reconciles = Counter(
            "transcription_operator_reconcile",
            "Number of reconciliations by result.",
            ["result"],
            registry=registry,
        )
        for result in Result:
            self._reconciles.labels(result)
        self._watch_age = Gauge(
            "transcription_operator_watch_age_seconds",
            "Seconds since the last answer of the API server about a resource.",
            ["resource"],
            registry=registry,
        )
        self._leader = Gauge(
            "transcription_operator_leader",
            "1 if this operator is the leader.",
            registry=registry,
        )
        self._master = Gauge(
            "leader_election_master_status",
            "1 if this operator holds the lease of that name.",
            ["name"],
            registry=registry,
        )
        self._lease = lease

    def count_reconcile(self, result: Result) -> None:
        """Count a reconciliation."""
        self._reconciles.labels(result).inc()

    def count_request(self, verb: str, resource: str, code: str) -> None:
        """Count a request to the API server; code is the HTTP status, or ``error``."""
        self._requests.labels(verb, resource, code).inc()

    def set_leading(self, leads: bool) -> None:
        """Set whether this operator is the leader; one without leader election always is."""
        self._leader.set(leads)

    def set_holding_lease(self, holds: bool) -> None:
        """Set whether this operator holds the lease, and so is the leader."""
        self._master.labels(self._lease).set(holds)
        self.set_leading(holds)

    def follow_watch(self, resource: str, age: Callable[[], float]) -> None:
        """Query the seconds since the API server was last heard of a resource."""
        self._watch_age.labels(resource).set_function(age)
