"""Connections that go to public addresses only, whatever a name resolves to.

A picture's address comes from outside. The name in it may be on our list and still lead into the network that we run
in, so what counts is the address that the connection really has, looked at before anything is sent.
"""

import socket
from ipaddress import IPv6Address, ip_address
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from igfeed.instagram.timed import TimedAdapter


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
    """Whether anybody on the internet could reach it; an IPv4 address dressed as IPv6 counts as what it is."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast
