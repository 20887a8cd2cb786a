"""Connections that go to public addresses only, whatever a name resolves to.

A picture's address comes from outside. The name in it may be on our list and still lead into the network that we run
in, so what counts is the address that the connection really has, looked at before anything is sent.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from igfeed.http.deadlines import TimedAdapter

SPECIAL_IPV4 = [
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments; a cloud has its metadata there.
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, deprecated (RFC 7526)
    IPv4Network("168.63.129.16/32"),  # Azure's own services, for the machine that asks only
]
"""What ``is_global`` takes for public, in this version of Python or in an older one."""

UNICAST = IPv6Network("2000::/3")
"""All that is given out on the internet. Outside: loopback, site-local, unique local, IPv4-compatible (RFC 4291)."""

SPECIAL_IPV6 = [
    IPv6Network("2001::/23"),  # IETF protocol assignments: Teredo, benchmarks, ORCHID
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4, whose relays are deprecated
    IPv6Network("3ffe::/16"),  # the 6bone, given back
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
]

NAT64 = IPv6Network("64:ff9b::/96")
"""Where a network without IPv4 has all IPv4 addresses (RFC 6052). 64:ff9b:1::/48 is for a network's own use."""

ISATAP = {0x00005EFE, 0x02005EFE}
"""What stands before the IPv4 address in whose network the host is (RFC 5214)."""


class PrivateAddressError(OSError):
    """The name leads to an address that is not public."""


class _Public:
    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]  # of the connection it is mixed into
        if is_public(connected.getpeername()[0]):
            return connected
        connected.close()
        raise PrivateAddressError("not a public address")


class _PublicConnection(_Public, HTTPConnection):
    pass


class _PublicTLSConnection(_Public, HTTPSConnection):
    pass


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicTLSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTLSConnection


class PublicOnlyAdapter(TimedAdapter):
    """Behind a proxy it is the proxy that resolves and connects, so there this has no say."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicPool, "https": _PublicTLSPool}


def is_public(address: str) -> bool:
    """Whether anybody on the internet could reach it; an IPv4 address inside an IPv6 one counts as what it is."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv4Address):
        return ip.is_global and not ip.is_multicast and not _is_in(ip, SPECIAL_IPV4)
    last_half = IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.ipv4_mapped or ip in NAT64:
        return is_public(str(last_half))
    if int(ip) >> 32 & 0xFFFFFFFF in ISATAP and not is_public(str(last_half)):
        return False
    return ip in UNICAST and ip.is_global and not _is_in(ip, SPECIAL_IPV6)


def _is_in(ip: IPv4Address | IPv6Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(ip in network for network in networks)
