"""`make release VERSION=…`: everything that a release consists of, into dist/."""

import os
import re
import shutil
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from dev import archives, buildah, files, gotools, images, packages, sbom, venv
from dev.commands import environment, run
from dev.errors import DevError
from dev.lock import alone
from dev.paths import BIN, CACHE, ROOT
from dev.say import say, step

NAME = "transcription-operator"
SUMS = "SHA256SUMS"
_VERSION_FILE = "transcriber/transcription_contract/__init__.py"
_CHART_FILE = f"helm/{NAME}/Chart.yaml"
_STATED = {
    _VERSION_FILE: (r'^__version__ = "(.+)"$',),
    _CHART_FILE: (r"^version: (.+)$", r'^appVersion: "(.+)"$'),
}
"""Where the version stands, three times in two files."""


@dataclass(frozen=True)
class Release:
    """What is released, and from where.

    ``epoch``: the time that its files bear, in seconds since 1970.
    """

    version: str
    epoch: int
    root: Path = ROOT

    def check(self) -> None:
        """Refuse a version that the files do not state.

        Raises:
            DevError: which file states another one.
        """
        for name, patterns in _STATED.items():
            text = (self.root / name).read_text()
            for pattern in patterns:
                found = re.search(pattern, text, re.MULTILINE)
                if found is None or found[1] != self.version:
                    raise DevError(
                        f"VERSION is {self.version}, but {name} says "
                        f"{found[0] if found else 'nothing'}: state the same version in "
                        f"{' and '.join(_STATED)}, commit, and release that"
                    )

    def build(self, out: Path, with_images: bool) -> None:
        """Make all of it in `out`, in place of an earlier release; it is whole or not there.

        Raises:
            DevError: there is something else, or see `check`.
        """
        self.check()
        if out.exists() and not (out / SUMS).exists():
            raise DevError(f"{out} is there, and is no release: remove it, or state another OUT")
        with files.made_whole(out) as folder:
            folder.mkdir()
            with step("packing chart, CRDs and wheel"):
                self._chart(folder)
                self._crds(folder)
                self._wheel(folder)
            for recipe in (images.OPERATOR, images.TRANSCRIBER):
                debian = self._image(recipe, folder) if with_images else []
                target = folder / f"{NAME}-{recipe.name}-{self.version}.cdx.json"
                requirements = self.root / f"requirements/{recipe.name}.txt"
                sbom.write(target, f"{NAME}/{recipe.name}", self.version, requirements, debian)
            _write_sums(folder)

    def _chart(self, folder: Path) -> None:
        gotools.build("helm")
        with tempfile.TemporaryDirectory() as scratch:
            chart = self.root / "helm" / NAME
            run([BIN / "helm", "package", chart, "--destination", scratch], env=environment())
            # Helm dates each entry by the clock.
            (package,) = Path(scratch).glob("*.tgz")
            archives.repack(package, folder / package.name, self.epoch)

    def _crds(self, folder: Path) -> None:
        (crd,) = (self.root / "crds").glob("*.yaml")
        shutil.copyfile(crd, folder / f"{NAME}-{self.version}-crds.yaml")

    def _wheel(self, folder: Path) -> None:
        hatchling = venv.ensure("release") / "bin/hatchling"
        env = environment(SOURCE_DATE_EPOCH=str(self.epoch), PYTHONDONTWRITEBYTECODE="1")
        run([hatchling, "build", "-t", "wheel", "-d", folder], cwd=self.root, env=env)

    def _image(self, recipe: images.Recipe, folder: Path) -> list[str]:
        """Build an image's OCI archive; the Debian packages that are in it."""
        tag = f"{NAME}/{recipe.name}:{self.version}"
        images.build(recipe, tag, "--timestamp", str(self.epoch))
        with (
            step(f"packing the {recipe.name} image"),
            tempfile.TemporaryDirectory(dir=CACHE, prefix="release-") as scratch,
        ):
            buildah.call("push", "--quiet", tag, f"oci:{scratch}:{tag}")
            name = f"{NAME}-{recipe.name}-{self.version}.oci.tar"
            archives.pack(Path(scratch), folder / name, self.epoch)
        debian = images.debian_packages(tag)
        buildah.forget_others(f"localhost/{NAME}/{recipe.name}", self.version)
        return debian


def run_release() -> None:
    """Make a release of VERSION in dist/ (or OUT); IMAGES=no leaves the images out."""
    version = os.environ.get("VERSION", "")
    if not version:
        raise DevError("Which version? make release VERSION=0.1.0")
    out = Path(os.environ.get("OUT") or ROOT / "dist").resolve()
    with_images = os.environ.get("IMAGES") != "no"
    release = Release(version, _epoch())
    release.check()
    if with_images:
        packages.install()
    # Builds of images share a store with the cluster's.
    with alone() if with_images else nullcontext():
        release.build(out, with_images)
    say(f"{out} has:")
    for path in sorted(out.iterdir()):
        say(f"  {path.name}")


def _epoch() -> int:
    """The time of the last commit: it is the same for all who build it."""
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    if stated:
        return int(stated)
    if run(["git", "status", "--porcelain"], cwd=ROOT):
        say("Beware: the working tree has changes that are in no commit.")
    return int(run(["git", "log", "-1", "--format=%ct"], cwd=ROOT))


def _write_sums(folder: Path) -> None:
    lines = [f"{files.sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / SUMS).write_text("".join(lines))
