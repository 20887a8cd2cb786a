"""Which addresses are pages of ours, and where a page says that it has an oEmbed document."""

from urllib.parse import quote, unquote, urlsplit

from igfeed.origins import DEFAULT_PORTS, origin_of
from igfeed.widget.views import View

MAX_ADDRESS_LENGTH = 2000
"""Characters. Browsers and servers take about so many."""


def query_of_our_page(address: str, origin: str, prefix: str) -> str | None:
    """The query string of an address of ours, as WSGI has it. None if no page of ours has this address.

    ``origin`` and ``prefix`` say where we are. The scheme may differ, because a CMS keeps the address as it was pasted
    though we may have redirected it to https. So may a ``www.`` in front of the host.
    """
    if len(address) > MAX_ADDRESS_LENGTH or _host(address) != _host(origin):
        return None
    parts = urlsplit(address)
    path = unquote(parts.path) or "/"
    inside, _, rest = path.partition(prefix) if prefix else ("", "", path)
    if inside or View.at(rest or "/") is None:
        return None
    return parts.query.encode().decode("latin-1")


def discovery_address(origin: str, prefix: str, page: str) -> str:
    """The address of the JSON document for a page of ours. ``page`` is its path with the prefix, and its query."""
    # The origin stays as it is: on a cached page it is a placeholder that each response replaces.
    return f"{origin}{prefix}/oembed?url={origin}{quote(page)}"


def _host(address: str) -> str | None:
    """The host with its port, if that is not the default one. None if this is no plain address of the web."""
    scheme, _, host = origin_of(address).partition("://")
    return host.removeprefix("www.") if scheme in DEFAULT_PORTS else None
