"""Which network addresses a stranger's URL may lead to (pure).

Users who may create a TranscriptionJob name the URL, but it is requested from inside the cluster:
only addresses of the public internet are allowed, and the networks that the operator's settings
name. The API server, other pods and the node itself are none of these. Link-local addresses and
cloud metadata are always refused: they hand out the identity of nodes and pods.
"""

from collections.abc import Iterable, Iterator
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from whisper_transcriber.errors import ConfigurationInvalid

Network = IPv4Network | IPv6Network

EVERYWHERE: tuple[str, ...] = ("0.0.0.0/0", "::/0")

_FORBIDDEN: tuple[Network, ...] = (
    IPv4Network("169.254.0.0/16"),  # link-local: metadata of most clouds, keys of ECS and EKS pods
    IPv6Network("fe80::/10"),
    IPv6Network("fd00:ec2::/32"),  # AWS: metadata, and keys of EKS pods
    IPv6Network("fd20:ce::254/128"),  # Google Cloud
    IPv4Network("168.63.129.16/32"),  # Azure: public by its number
    IPv4Network("100.100.100.200/32"),  # Alibaba Cloud
    IPv4Network("192.0.0.192/32"),  # Oracle Cloud
)

# The only IPv6 addresses that are routed on the internet:
# https://www.iana.org/assignments/ipv6-unicast-address-assignments
_IPV6_UNICAST = IPv6Network("2000::/3")
# RFC 6052: an IPv4 address in the last 32 bits, reached through a translator.
_NAT64 = IPv6Network("64:ff9b::/96")
# RFC 6890: all of it is special; Pythons before 3.11.10 know a part of it only, and one cloud's
# metadata lies in the rest.
_PROTOCOL_ASSIGNMENTS = IPv4Network("192.0.0.0/24")


def networks(cidrs: Iterable[str]) -> tuple[Network, ...]:
    """Networks by their CIDRs.

    Raises:
        ConfigurationInvalid: one of them is none.
    """
    try:
        return tuple(ip_network(cidr, strict=False) for cidr in cidrs)
    except ValueError as error:
        raise ConfigurationInvalid(f"the operator's allowedNetworks are wrong: {error}") from None


def is_allowed(address: str, allowed: Iterable[Network]) -> bool:
    """Whether one may connect to an IPv4 or IPv6 address.

    An IPv6 address that stands for an IPv4 address is judged as that.
    """
    return refusal(address, allowed) is None


def refusal(address: str, allowed: Iterable[Network]) -> str | None:
    """Why one may not connect to an address, as the end of a sentence; None if one may."""
    found = ip_address(address.partition("%")[0])
    meant = tuple(_embedded(found)) or (found,)
    if any(each in network for each in meant for network in _FORBIDDEN):
        return "which is a link-local or metadata address: no job may use it"
    inside = tuple(allowed)
    if all(_is_public(each) or any(each in network for network in inside) for each in meant):
        return None
    return (
        "which is not an address of the public internet: ask the operator's administrator to "
        "allow its network"
    )


def _embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        return address in _IPV6_UNICAST and address.is_global
    return address.is_global and not address.is_multicast and address not in _PROTOCOL_ASSIGNMENTS
