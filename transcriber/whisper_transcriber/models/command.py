"""The command ``transcriber models``: what there is, and fetching it beforehand."""

from collections.abc import Iterable
from pathlib import Path

from transcription_contract.options import ModelReference
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models import catalogue
from whisper_transcriber.models.cache import ModelCache
from whisper_transcriber.models.store import Checkpoint, ModelStore


def list_models(directory: Path) -> str:
    """A table of the official models, and whether the model directory holds them."""
    cache = ModelCache(directory, Interruption())
    rows = [("NAME", "PARAMETERS", "LANGUAGES", "CACHED", "SHA256")]
    for model in catalogue.OFFICIAL.values():
        cached = "yes" if cache.holds(model.sha256, *model.files) else "no"
        rows.append((model.name, model.parameters, model.languages, cached, model.sha256))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def preload(names: Iterable[str], models: ModelStore) -> list[Checkpoint]:
    """Fetch official models into the model directory.

    Raises:
        ModelNotFound: there is none of one of the names; nothing has been fetched then.
        Everything that ModelStore.resolve raises.
    """
    wanted = list(names)
    for name in wanted:
        catalogue.find(name)
    return [models.resolve(ModelReference(name=name)) for name in wanted]
