"""Whether visitors came by https, where a proxy has ended it and says so in ``X-Forwarded-Proto``.

Each proxy on the way adds its part behind the others' (``https, http``), so the first one is the visitor's own. Only a
proxy that the owner trusts is believed; to anybody else the header is open, and it would decide our addresses.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = IPv4Network | IPv6Network


class ForwardedScheme:
    """The app as it is seen from before the proxy."""

    def __init__(self, app: "WSGIApplication", trusted: Sequence[Network]) -> None:
        self.app = app
        self._is_trusted = lru_cache(maxsize=100)(lambda address: is_trusted(address, trusted))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        forwarded = environ.get("HTTP_X_FORWARDED_PROTO")
        if forwarded and self._is_trusted(environ.get("REMOTE_ADDR", "")):
            scheme = forwarded.partition(",")[0].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        return self.app(environ, start_response)


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Who has no address has come through a socket of this machine's own."""
    if not address:
        return True
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip in network for network in trusted)
