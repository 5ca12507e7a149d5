import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription_operator.policies.names import child_name

DNS_LABEL = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
RESOURCE_NAMES = st.from_regex(r"\A[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")


@given(name=RESOURCE_NAMES, uid=st.uuids().map(str), attempt=st.integers(1, 999))
def test_a_worker_pods_host_name_is_a_dns_label_whatever_the_parent_is_called(name, uid, attempt):
    host_name = f"{child_name(name, uid, attempt)}-999"
    assert len(host_name) <= 63
    assert DNS_LABEL.match(host_name)


def test_the_same_uid_and_attempt_give_the_same_name():
    assert child_name("standup", "u-1", 1) == child_name("standup", "u-1", 1)


@pytest.mark.parametrize(
    ("uid", "attempt"), [("u-2", 1), ("u-1", 2)], ids=["another uid", "another attempt"]
)
def test_another_parent_or_attempt_gives_another_name(uid, attempt):
    assert child_name("standup", uid, attempt) != child_name("standup", "u-1", 1)


def test_names_that_differ_only_after_the_cut_do_not_collide():
    long = "a" * 200
    assert child_name(long + "x", "u-1", 1) != child_name(long + "y", "u-2", 1)
