"""Connections to public IP addresses only, whatever a host name resolves to.

The URL of a picture comes from outside. Its host may be on our list and still resolve to an address inside our own
network (SSRF). So the address of the open connection is checked, before anything is sent. Why not resolve the name
and check first: it may resolve to another address a moment later.
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
"""Not public, although some version of Python says ``is_global`` for them."""

UNICAST = IPv6Network("2000::/3")
"""All public addresses are in here. Outside are loopback, site-local, unique local, IPv4-compatible (RFC 4291)."""

SPECIAL_IPV6 = [
    IPv6Network("2001::/23"),  # IETF protocol assignments: Teredo, benchmarks, ORCHID
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4, whose relays are deprecated
    IPv6Network("3ffe::/16"),  # the 6bone, given back
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
]

NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as seen in a network without IPv4 (RFC 6052). 64:ff9b:1::/48 is local, so it is not public."""

ISATAP = {0x00005EFE, 0x02005EFE}
"""The third quarter of an address that ends in the IPv4 address of its host (RFC 5214)."""


class PrivateAddressError(OSError):
    """The host name resolved to an address that is not public."""


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
    """Connects to public addresses only. No effect behind a proxy: there the proxy resolves the name and connects."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicPool, "https": _PublicTLSPool}


def is_public(address: str) -> bool:
    """Whether it can be reached from the internet. An IPv4 address inside an IPv6 address is checked as IPv4."""
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
