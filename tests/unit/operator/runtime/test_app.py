from typing import Any

from tests.unit.operator.builders import UID, settings
from transcription_operator.runtime.app import App
from transcription_operator.runtime.cluster import Cluster
from transcription_operator.runtime.metrics import Metrics


async def no_answer(*_: Any) -> Any:
    raise AssertionError("no worker runs")


async def test_labels_and_annotations_that_the_settings_propagate_are_cached():
    lists = {"propagated_labels": ("team",), "propagated_annotations": ("example.com/*",)}
    app = App(Cluster(None), settings(**lists), no_answer, Metrics("operator"))  # type: ignore[arg-type]
    metadata = {
        "name": "standup",
        "namespace": "media",
        "uid": UID,
        "resourceVersion": "1",
        "labels": {"team": "media", "tier": "gold"},
        "annotations": {"example.com/cost": "7", "note": "x"},
    }
    spec = {"source": {"uri": "s3://a/b.mp3"}, "output": {"uri": "s3://c/"}}
    app.caches.owners.put({"metadata": metadata, "spec": spec})
    kept = app.caches.owner("media/standup")
    assert kept is not None
    assert kept.metadata.labels == {"team": "media"}
    assert kept.metadata.annotations == {"example.com/cost": "7"}
