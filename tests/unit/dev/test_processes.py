import os
import subprocess
import sys

from dev.commands import wait_until
from dev.processes import Processes, end, start_time, strays

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_program_is_found_again_by_another_session(tmp_path):
    Processes(tmp_path).start("etcd", SLEEP)
    again = Processes(tmp_path)
    assert again.names() == ["etcd"]
    assert again.is_alive("etcd")
    again.stop()
    assert not again.is_alive("etcd")
    assert again.names() == []


def test_a_program_outlives_the_session_that_started_it(tmp_path):
    Processes(tmp_path).start("etcd", SLEEP)
    pid = int((tmp_path / "pids" / "etcd").read_text().split()[0])
    assert os.getsid(pid) == pid
    Processes(tmp_path).stop()


def test_a_pid_that_the_kernel_has_given_to_another_is_left_alone(tmp_path):
    other = subprocess.Popen(SLEEP)
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "etcd").write_text(f"{other.pid} 12345\n")
    assert not Processes(tmp_path).is_alive("etcd")
    Processes(tmp_path).stop()
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_damaged_pid_file_means_dead(tmp_path):
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "etcd").write_text("")
    assert not Processes(tmp_path).is_alive("etcd")


def test_a_process_that_nobody_has_waited_for_counts_as_dead():
    child = subprocess.Popen([sys.executable, "-c", ""])
    wait_until("the child has ended", lambda: start_time(child.pid) is None, timeout=10)
    child.wait()


def test_what_ignores_sigterm_is_killed():
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)"
    argv = [sys.executable, "-c", f"{code}; time.sleep(60)"]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert child.stdout
    child.stdout.readline()
    end([child.pid], grace=0.2)
    assert child.wait() == -9
    child.stdout.close()


def test_only_our_programs_are_strays(tmp_path):
    fake = tmp_path / "kube"
    fake.symlink_to(sys.executable)
    code = "import time; time.sleep(60)"
    ours = subprocess.Popen([fake, "-c", code, tmp_path / "etcd"])
    editor = subprocess.Popen([*SLEEP, tmp_path / "etcd"])
    try:
        wait_until("it is found", lambda: strays(tmp_path) == [ours.pid], timeout=10)
    finally:
        for child in (ours, editor):
            child.kill()
            child.wait()
