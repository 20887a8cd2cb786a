"""What proxies say of a request: its scheme (``X-Forwarded-Proto``) and its prefix (``SCRIPT_NAME``).

Each proxy appends its part (``https, http``), so the first one is the visitor's. Anybody can send that header, and it
decides our absolute addresses. So only proxies that the owner trusts are believed.

gunicorn reads the prefix from a header too, which some proxies pass on from visitors. A prefix that would make our
links lead to another host is refused.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from flask import Flask

from igfeed.services import services_of
from igfeed.web.headers import SecureResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = IPv4Network | IPv6Network

PREFIX = re.compile(r"(/[^/\\?#\"'<>\x00-\x20\x7f]+)+/?")
"""A path without anything special. Browsers read two slashes at the beginning, or a backslash, as a host."""


class BehindProxies:
    """WSGI middleware that corrects the scheme and checks the prefix. With ``trusted`` None it keeps the scheme."""

    def __init__(self, app: "WSGIApplication", trusted: Sequence[Network] | None) -> None:
        self.app = app
        self._is_trusted = lru_cache(maxsize=100)(lambda address: is_trusted(address, trusted or ()))
        self._reads_scheme = trusted is not None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        prefix = environ.get("SCRIPT_NAME")
        if prefix and not PREFIX.fullmatch(prefix):
            return SecureResponse("Not found\n", 404, mimetype="text/plain")(environ, start_response)
        forwarded = environ.get("HTTP_X_FORWARDED_PROTO")
        # Where Werkzeug's ProxyFix has been, the scheme is right, and REMOTE_ADDR may be the visitor's.
        is_fixed = "werkzeug.proxy_fix.orig" in environ
        if forwarded and self._reads_scheme and not is_fixed and self._is_trusted(environ.get("REMOTE_ADDR", "")):
            scheme = forwarded.partition(",")[0].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        return self.app(environ, start_response)


def init_app(app: Flask) -> None:
    settings = services_of(app).settings
    # With BASE_URL no address depends on the visitor's scheme.
    app.wsgi_app = BehindProxies(app.wsgi_app, None if settings.base_url else settings.trusted_proxies)  # type: ignore[method-assign]


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether ``address`` is in one of the networks. No address means a Unix socket of this machine: trusted."""
    if not address:
        return True
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip in network for network in trusted)
