from tests.unit.transcriber import stage
from tests.unit.transcriber.stage import TASK, Objects
from transcription_contract.locations import ObjectUri
from whisper_transcriber.coordination.manifest import Manifest

LARGE = 5 << 20
"""Bytes of a recording that gets a group of its own, which is sliced."""
MANY = TASK.model_copy(
    update={"source_uri": "s3://media/talks/", "output_uri": "s3://out/x/", "language": "de"}
)


def library(**more: bytes) -> Objects:
    """Twelve short recordings, two long ones, and what else is said."""
    short = {f"talks/{n:02}.mp3": stage.recording(5 + n) for n in range(12)}
    long = {f"talks/long {n}.wav": stage.recording(100 + n).ljust(LARGE) for n in range(2)}
    return stage.objects(**short, **long, **more)


def manifest(held: Objects) -> Manifest:
    return Manifest.model_validate_json(held[ObjectUri("out", "x/manifest.json")])
