"""One process of openai-whisper: an order (JSON) in, a list of segments for each file out.

``languages``: of each file; English without it.
"""

import json
import os
import sys
from pathlib import Path

import torch
import whisper


def main(order: Path, answers: Path) -> None:
    """Load the model once, transcribe each file."""
    wanted = json.loads(order.read_text())
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    model = whisper.load_model(wanted["model"])
    said = []
    languages = wanted.get("languages") or ["en"] * len(wanted["files"])
    for path, language in zip(wanted["files"], languages, strict=True):
        result = model.transcribe(path, language=language, fp16=False, **wanted["options"])
        said.append([(s["start"], s["end"], s["text"]) for s in result["segments"]])
    answers.write_text(json.dumps(said))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
