"""One process of faster-whisper: an order (JSON) in, a list of segments for each file out.

Two of the options are not transcribe()'s: ``compute_type``, and ``batched`` for its batched
pipeline instead of its loop from window to window. ``languages``: of each file; English without it.
"""

import json
import os
import sys
from pathlib import Path

from faster_whisper import BatchedInferencePipeline, WhisperModel


def main(order: Path, answers: Path) -> None:
    """Load the model once, transcribe each file."""
    wanted = json.loads(order.read_text())
    options = wanted["options"]
    model = WhisperModel(
        wanted["model"],
        device="cpu",
        compute_type=options.pop("compute_type", "float32"),
        cpu_threads=int(os.environ["OMP_NUM_THREADS"]),
    )
    speaker = BatchedInferencePipeline(model) if options.pop("batched", False) else model
    said = []
    languages = wanted.get("languages") or ["en"] * len(wanted["files"])
    for path, language in zip(wanted["files"], languages, strict=True):
        segments, _ = speaker.transcribe(path, language=language, **options)
        said.append([(s.start, s.end, s.text) for s in segments])
    answers.write_text(json.dumps(said))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
