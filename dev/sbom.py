"""What is in an image, as CycloneDX JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dev import venv
from dev.commands import environment, run
from dev.versions import DEBIAN_SUITE

Json = dict[str, Any]


def write(
    target: Path, name: str, version: str, requirements: Path, debian: Sequence[str] = ()
) -> None:
    """Write the components of an image: its locked Python `requirements`, and what is `debian`."""
    program = venv.ensure("release") / "bin/cyclonedx-py"
    options = ("--output-reproducible", "--short-PURLs")
    printed = run([program, "requirements", *options, requirements], env=environment())
    bom = of_image(json.loads(printed), name, version, debian)
    target.write_text(json.dumps(bom, indent=2, sort_keys=True) + "\n")


def of_image(bom: Json, name: str, version: str, debian: Sequence[str]) -> Json:
    """A list of Python packages as that of an image.

    Args:
        bom: as cyclonedx-py prints it.
        name: the image's.
        debian: lines of package, version and architecture, as dpkg-query prints them.
    """
    components = [*map(_plain, bom["components"]), *map(_of_debian, debian)]
    image = {"type": "container", "bom-ref": name, "name": name, "version": version}
    return bom | {
        "components": sorted(components, key=lambda component: component["bom-ref"]),
        # Each component would be named once more, by a reference that is no longer its own.
        "dependencies": [],
        "metadata": bom.get("metadata", {}) | {"component": image},
    }


def _plain(component: Json) -> Json:
    """Without the requirement's line, which is long, and by which the file would be told apart."""
    kept = {key: value for key, value in component.items() if key != "description"}
    return kept | {"bom-ref": component["purl"]}


def _of_debian(line: str) -> Json:
    name, version, architecture = line.split()
    where = f"{quote(name)}@{quote(version, safe=':')}"
    purl = f"pkg:deb/debian/{where}?arch={architecture}&distro={DEBIAN_SUITE}"
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}
