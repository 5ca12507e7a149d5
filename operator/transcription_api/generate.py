"""Every file that is generated from the models and from the table of reasons.

``python -m transcription_api.generate [--check] ROOT`` writes them below the checkout's
root, or says which of them differs.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from transcription_api import GROUP, PLURAL, crd, editor_schema, reference, troubleshooting

FILES: dict[str, Callable[[], str]] = {
    f"crds/{GROUP}_{PLURAL}.yaml": crd.render,
    f"helm/transcription-operator/files/{GROUP}_{PLURAL}.yaml": crd.render,
    "docs/reference.md": reference.render,
    "docs/schema/transcriptionjob.schema.json": editor_schema.render,
}

SECTIONS: dict[str, Callable[[str], str]] = {"docs/troubleshooting.md": troubleshooting.render}
"""Files that are written by hand, but for sections: the file -> the file as it should be."""


def main(arguments: list[str]) -> int:
    """Write or check the files; 1 when one differs."""
    parser = argparse.ArgumentParser(description="Write what the models describe.")
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("root", type=Path)
    options = parser.parse_args(arguments)
    differing = []
    for path, text in _wanted(options.root):
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            differing.append(path)
    for path in differing:
        print(f"{path} differs from the models: run `make crd`", file=sys.stderr)
    return 1 if differing else 0


def _wanted(root: Path) -> Iterator[tuple[Path, str]]:
    for name, render in FILES.items():
        yield root / name, render()
    for name, fill in SECTIONS.items():
        yield root / name, fill((root / name).read_text())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
