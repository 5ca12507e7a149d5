import shutil
from types import SimpleNamespace

import pytest

from dev import packages, preflight
from dev.errors import DevError


@pytest.fixture
def fresh_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(preflight, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(preflight, "TOOLS", tmp_path / "cache" / "tools")
    monkeypatch.setattr(preflight.os, "geteuid", lambda: 0)
    monkeypatch.setattr(packages, "missing", lambda: ["buildah", "runc"])
    return tmp_path


def free_space(monkeypatch, gibibytes: float) -> None:
    usage = SimpleNamespace(free=int(gibibytes * preflight.GIB))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


def test_the_first_start_says_what_it_will_install_and_make(fresh_machine, monkeypatch, capsys):
    free_space(monkeypatch, 80)
    preflight.check()
    said = capsys.readouterr().err
    for thing in ("buildah runc", str(fresh_machine / "cache"), "30 GB", "tro0", "172.30.0.0/24"):
        assert thing in said


def test_a_later_start_says_nothing(fresh_machine, monkeypatch, capsys):
    kube = fresh_machine / "cache" / "tools" / "bin" / "kube"
    kube.parent.mkdir(parents=True)
    kube.touch()
    free_space(monkeypatch, 4)
    preflight.check()
    assert capsys.readouterr().err == ""


def test_too_little_disk_is_refused_before_anything_is_made(fresh_machine, monkeypatch):
    free_space(monkeypatch, 12.5)
    with pytest.raises(DevError, match=r"Too little disk space: 12\.5 GB are free"):
        preflight.check()


def test_without_root_the_way_out_is_named(fresh_machine, monkeypatch):
    monkeypatch.setattr(preflight.os, "geteuid", lambda: 1000)
    with pytest.raises(DevError, match=r"needs root.*CLUSTER=current.*make test-unit"):
        preflight.check()
