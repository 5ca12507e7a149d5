"""Which network addresses a stranger's URL may lead to (pure).

Whoever may create a TranscriptionJob names the URL, but it is fetched from inside the cluster: so
only addresses of the public internet are allowed, and the networks that the operator's settings
name. Cloud metadata, the API server, other pods and the node itself are none of these.
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
    found = ip_address(address.partition("%")[0])
    meant = tuple(_embedded(found)) or (found,)
    inside = tuple(allowed)
    return all(_is_public(each) or any(each in network for network in inside) for each in meant)


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
