"""spec.workers and spec.resources: how much of its node pool a job may use. Pure.

Each problem is a sentence that names the field, the value, and the chart value that sets the limit.
"""

from collections.abc import Iterator
from decimal import Decimal

from transcription_api.resources import amount_of
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.settings import NodePool, Settings

_OF_EVERY_NODE = frozenset({"cpu", "memory", "ephemeral-storage"})


def problems(owner: TranscriptionJob, pool_name: str, settings: Settings) -> Iterator[str]:
    """What a job asks for beyond the limits of the settings and of its node pool."""
    pool, path = settings.node_pools[pool_name], f"nodePools.{pool_name}"
    workers = owner.spec.workers
    for most, value in (
        (settings.limits.max_workers, "limits.maxWorkers"),
        (pool.max_workers, f"{path}.maxWorkers"),
    ):
        if most is not None and workers > most:
            yield _over("workers", str(workers), str(most), value)
    stated = owner.spec.resources
    if stated is None:
        return
    known = _known(pool) | settings.limits.max_resources.keys()
    for kind, amounts in (("requests", stated.requests), ("limits", stated.limits)):
        for resource, quantity in amounts.items():
            if resource in known:
                yield from _amount(kind, resource, quantity, pool_name, settings)
            else:
                yield (
                    f"resources.{kind}.{resource}: workers of the node pool {pool_name!r} cannot "
                    f"have this resource, only {', '.join(sorted(known))}. Choose another node "
                    f"pool, or ask the operator's administrator to name it in {path}.maxResources."
                )


def _known(pool: NodePool) -> frozenset[str]:
    """The resources that a worker of a pool can have."""
    stated = (name for amounts in pool.resources.values() for name in amounts)
    gpu = [pool.gpu.resource] if pool.gpu else []
    return _OF_EVERY_NODE.union(stated, gpu, pool.max_resources)


def _amount(
    kind: str, resource: str, quantity: str, pool_name: str, settings: Settings
) -> Iterator[str]:
    field = f"resources.{kind}.{resource}"
    try:
        amount = amount_of(quantity)
    except ValueError as error:
        yield f"{field}: {error}."
        return
    if problem := _too_little(kind, resource, amount):
        yield (
            f"{field} is {quantity!r}, {problem}. Set a larger amount, or leave it out for the "
            "node pool's."
        )
    pool = settings.node_pools[pool_name]
    for most, value in (
        (settings.limits.max_resources, "limits.maxResources"),
        (pool.max_resources, f"nodePools.{pool_name}.maxResources"),
    ):
        if resource in most and amount > amount_of(most[resource]):
            yield _over(field, quantity, most[resource], value)


def _too_little(kind: str, resource: str, amount: Decimal) -> str | None:
    """What is wrong with an amount that is too small, or None."""
    if "/" in resource and amount < 1:
        # Without a device of its own a pod could be shown all of its node's.
        return "but a worker needs at least 1"
    if amount < 0:
        return "which is negative"
    return "which Kubernetes takes as no limit" if kind == "limits" and amount == 0 else None


def _over(field: str, stated: str, most: str, value: str) -> str:
    return (
        f"{field} is {stated}, but the operator's settings allow at most {most}. Ask the "
        f"operator's administrator to raise {value}."
    )
