from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis.strategies import ip_addresses

from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.storage.addresses import EVERYWHERE, is_allowed, networks, refusal


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e"]
)
def test_the_public_internet_may_be_asked(address: str) -> None:
    assert is_allowed(address, ())


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("169.254.169.254", id="a cloud's metadata"),
        pytest.param("fd00:ec2::254", id="a cloud's metadata by IPv6"),
        pytest.param("192.0.0.192", id="another cloud's metadata"),
        pytest.param("100.100.100.200", id="a third one's, in the shared address space"),
        pytest.param("127.0.0.1", id="the pod itself"),
        pytest.param("::1", id="the pod itself by IPv6"),
        pytest.param("0.0.0.0", id="the pod itself by another name"),
        pytest.param("::", id="the pod itself by another name of IPv6"),
        pytest.param("10.96.0.1", id="the API server's service"),
        pytest.param("172.16.3.4", id="a private network"),
        pytest.param("192.168.1.1", id="a home router"),
        pytest.param("fd12::1", id="a unique local address"),
        pytest.param("fe80::1%eth0", id="a neighbour"),
        pytest.param("fec0::1", id="a site-local address"),
        pytest.param("224.0.0.251", id="multicast"),
        pytest.param("ff0e::1", id="multicast by IPv6"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("198.18.0.1", id="a benchmark network"),
        pytest.param("2001:db8::1", id="documentation"),
        pytest.param("::127.0.0.1", id="IPv4 in an obsolete form of IPv6"),
        pytest.param("64:ff9b:1::a00:1", id="a local translator"),
        pytest.param("2001:0:a00:1::1", id="a Teredo tunnel"),
    ],
)
def test_nothing_else_may(address: str) -> None:
    assert not is_allowed(address, ())


FORBIDDEN = (
    "169.254.169.254", "169.254.170.23", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "fe80::1%eth0", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "168.63.129.16",
    "100.100.100.200", "192.0.0.192",
)  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
@pytest.mark.parametrize("allowed", [(), EVERYWHERE], ids=["by default", "though all is allowed"])
def test_what_hands_out_identities_is_never_allowed(address: str, allowed: tuple[str, ...]) -> None:
    said = refusal(address, networks(allowed))
    assert said == "which is a link-local or metadata address: no job may use it"


def is_forbidden(address: IPv4Address | IPv6Address) -> bool:
    return "metadata" in (refusal(str(address), ()) or "")


@given(ip_addresses(v=4))
def test_an_ipv4_address_in_ipv6_dress_is_judged_as_what_it_is(address: IPv4Address) -> None:
    number = int(address)
    for dressed in (
        IPv6Address((0xFFFF << 32) + number),
        IPv6Address((0x2002 << 112) + (number << 80)),
        IPv6Address((0x64FF9B << 96) + number),
    ):
        if not is_allowed(str(address), ()):
            assert not is_allowed(str(dressed), ())
        assert is_forbidden(address) or is_allowed(str(dressed), networks([f"{address}/32"]))


def test_an_allowed_network_may_be_entered_and_its_neighbour_not() -> None:
    allowed = networks(["10.1.0.0/16", "fd00:1::/32"])
    assert is_allowed("10.1.2.3", allowed)
    assert is_allowed("fd00:1::5", allowed)
    assert not is_allowed("10.2.0.1", allowed)
    assert not is_allowed("fd00:2::5", allowed)


@given(ip_addresses())
def test_everywhere_is_everywhere_else(address: IPv4Address | IPv6Address) -> None:
    assert is_allowed(str(address), networks(EVERYWHERE)) is not is_forbidden(address)


def test_a_network_that_is_none_is_named() -> None:
    with pytest.raises(ConfigurationInvalid, match=r"10.0.0.0/33"):
        networks(["10.0.0.0/33"])
