import tarfile
from pathlib import Path

import pytest

from dev import archives
from dev.errors import DevError
from dev.release import Release


@pytest.mark.parametrize(
    ("contract", "chart", "app", "named"),
    [
        ("0.2.0", "0.1.0", "0.1.0", '__init__.py says __version__ = "0.2.0"'),
        ("0.1.0", "0.2.0", "0.1.0", "Chart.yaml says version: 0.2.0"),
        ("0.1.0", "0.1.0", "0.2.0", 'Chart.yaml says appVersion: "0.2.0"'),
    ],
    ids=["the code", "the chart", "the chart's images"],
)
def test_a_version_that_a_file_does_not_state_is_refused(tmp_path, contract, chart, app, named):
    code = tmp_path / "transcriber/transcription_contract/__init__.py"
    helm = tmp_path / "helm/transcription-operator/Chart.yaml"
    for path in (code, helm):
        path.parent.mkdir(parents=True)
    code.write_text(f'"""Doc."""\n\n__version__ = "{contract}"\n')
    helm.write_text(f'name: x\nversion: {chart}\nappVersion: "{app}"\n')
    with pytest.raises(DevError, match=r"VERSION is 0\.1\.0, but") as refusal:
        Release("0.1.0", epoch=0, root=tmp_path).check()
    assert named in str(refusal.value)


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
