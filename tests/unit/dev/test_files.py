import os
import time

import pytest

from dev import files


def test_a_file_cut_in_the_middle_is_not_there(tmp_path):
    target = tmp_path / "tools" / "kube"

    def build() -> None:
        with files.made_whole(target) as scratch:
            scratch.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build()
    assert not target.exists()
    assert list(target.parent.iterdir()) == []


def test_what_a_killed_build_left_is_removed_once_it_is_old(tmp_path):
    for name, age in ((".kube.old", 2 * files.ABANDONED_SECONDS), (".kube.young", 60)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, times=(time.time() - age,) * 2)
    with files.made_whole(tmp_path / "kube") as scratch:
        scratch.touch()
    assert sorted(file.name for file in tmp_path.iterdir()) == [".kube.young", "kube"]


def test_a_folder_replaces_the_one_that_was_there(tmp_path):
    target = tmp_path / "cluster"
    for text in ("old", "new"):
        with files.made_whole(target) as scratch:
            scratch.mkdir()
            (scratch / text).touch()
    assert [file.name for file in target.iterdir()] == ["new"]


def test_a_link_replaces_a_link_to_a_folder(tmp_path):
    (tmp_path / "one").mkdir()
    link = tmp_path / "current"
    for name in ("one", "two"):
        with files.made_whole(link) as scratch:
            scratch.symlink_to(tmp_path / name)
    assert link.readlink() == tmp_path / "two"
    assert (tmp_path / "one").is_dir()


def test_writing_sets_the_mode_and_leaves_no_scratch_file(tmp_path):
    files.write(tmp_path / "kubeconfig", "secret", mode=0o600)
    assert [file.name for file in tmp_path.iterdir()] == ["kubeconfig"]
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o777 == 0o600


def test_parts_cannot_run_into_each_other():
    assert files.digest("ab", "c") != files.digest("a", "bc")


def test_a_digest_follows_names_and_contents_but_not_bytecode(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("1")
    before = files.digest_of_files([tmp_path / "code"], tmp_path)
    (tmp_path / "code" / "__pycache__").mkdir()
    (tmp_path / "code" / "__pycache__" / "a.pyc").write_text("x")
    assert files.digest_of_files([tmp_path / "code"], tmp_path) == before
    (tmp_path / "code" / "a.py").rename(tmp_path / "code" / "b.py")
    assert files.digest_of_files([tmp_path / "code"], tmp_path) != before
