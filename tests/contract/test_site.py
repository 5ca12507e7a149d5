"""The documentation as a site: it builds, and needs nothing from any other host."""

import re
from pathlib import Path

import pytest

from dev import site

LOADED = re.compile(r"<(?:script|img|iframe)[^>]*\ssrc=\"([^\"]+)\"|<link[^>]*\shref=\"([^\"]+)\"")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    site.build_into(out)
    return out


def test_every_page_is_there_and_what_lies_above_the_docs_too(built: Path):
    names = {path.stem for path in (site.ROOT / "docs").glob("*.md")}
    assert {path.stem for path in built.glob("*.html")} == {
        *names, "404", "changelog", "contributing",
    }  # fmt: skip
    assert "transcriptionjob.schema.json" in {path.name for path in built.glob("schema/*")}


def test_no_page_loads_anything_from_another_host(built: Path):
    pages = list(built.glob("*.html"))
    loaded = {a or b for page in pages for a, b in LOADED.findall(page.read_text())}
    assert any(address.endswith(".css") for address in loaded)
    assert {address for address in loaded if "//" in address} == set()


def test_a_link_out_of_the_docs_is_left_as_text(built: Path):
    page = (built / "benchmarks.html").read_text()
    assert "<code>tests/benchmarks/README.md</code>" in page
    assert 'href="../tests' not in page
