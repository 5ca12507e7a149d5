import tarfile
from pathlib import Path

import pytest

from dev import archives
from dev.errors import DevError
from dev.release import Release


def checkout(root: Path, contract: str = "0.1.0", chart: str = "0.1.0", app: str = "0.1.0") -> Path:
    code = root / "transcriber/transcription_contract/__init__.py"
    helm = root / "helm/transcription-operator/Chart.yaml"
    for path in (code, helm):
        path.parent.mkdir(parents=True)
    code.write_text(f'"""Doc."""\n\n__version__ = "{contract}"\n')
    helm.write_text(f'name: x\nversion: {chart}\nappVersion: "{app}"\n')
    return root


@pytest.mark.parametrize(
    ("stated", "named"),
    [
        ({"contract": "0.2.0"}, '__init__.py says __version__ = "0.2.0"'),
        ({"chart": "0.2.0"}, "Chart.yaml says version: 0.2.0"),
        ({"app": "0.2.0"}, 'Chart.yaml says appVersion: "0.2.0"'),
    ],
    ids=["the code", "the chart", "the chart's images"],
)
def test_a_version_that_a_file_does_not_state_is_refused(tmp_path, stated, named):
    with pytest.raises(DevError, match=r"VERSION is 0\.1\.0, but") as refusal:
        Release("0.1.0", epoch=0, root=checkout(tmp_path, **stated)).check()
    assert named in str(refusal.value)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter").write_text("dear")
    with pytest.raises(DevError, match="is no release"):
        Release("0.1.0", 0, checkout(tmp_path / "checkout")).build(home, with_images=False)
    assert (home / "letter").read_text() == "dear"


def packed(folder: Path, names: list[str]) -> bytes:
    folder.mkdir()
    for name in names:
        (folder / name).write_text(name)
    archives.pack(folder, folder.with_suffix(".tar"), epoch=1_000_000_000)
    return folder.with_suffix(".tar").read_bytes()


def test_an_archive_tells_neither_when_nor_in_which_order_its_files_were_made(tmp_path):
    assert packed(tmp_path / "one", ["a", "b"]) == packed(tmp_path / "two", ["b", "a"])
    with tarfile.open(tmp_path / "one.tar") as archive:
        assert [(m.name, m.mtime, m.uid) for m in archive] == [
            ("a", 1_000_000_000, 0),
            ("b", 1_000_000_000, 0),
        ]
