"""What the site needs beside mkdocs: pages that lie above docs/, and links that lead out of it."""

import re
from typing import Any

from dev.paths import ROOT

PAGES = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""Page of the site -> file of the checkout's root, where people look for it."""

_OUTWARD = re.compile(r"\[([^]\[]+)\]\(\.\./[^)]+\)")
_INTO_DOCS = re.compile(r"\]\(docs/")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages of the checkout's root."""
    # mkdocs is in the environment of the site alone.
    from mkdocs.structure.files import File  # type: ignore[import-not-found]

    for page, name in PAGES.items():
        text = _INTO_DOCS.sub("](", (ROOT / name).read_text())
        for other, its_name in PAGES.items():
            text = text.replace(f"]({its_name})", f"]({other})")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A link to a file of the checkout that is no page: its text alone, which names the file."""
    return _OUTWARD.sub(r"`\1`", markdown)
