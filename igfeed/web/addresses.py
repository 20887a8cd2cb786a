"""The origin that a page uses in its absolute addresses."""

import re
from typing import TYPE_CHECKING

from igfeed.config import Settings
from igfeed.origins import DEFAULT_PORTS, MAX_PORT

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Underscores are not allowed in host names, but browsers and container networks use them.
HOST = re.compile(r"([a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[a-f0-9:.]+\])(?::([1-9]\d{0,4}))?", re.ASCII | re.IGNORECASE)
MAX_HOST_LENGTH = 255
"""Characters, the limit of the DNS."""

FOR_FILES = "igfeed.for_files"
"""The key in the WSGI environment that is set if the answer becomes a file, whose page finds no server."""


def own_origin(settings: Settings, environ: "WSGIEnvironment") -> str | None:
    """``BASE_URL``, or else the origin of the request. None if that has no usable ``Host``."""
    return settings.base_url or request_origin(environ["wsgi.url_scheme"], environ.get("HTTP_HOST", ""))


def request_origin(scheme: str, host: str) -> str | None:
    """The origin in a request's ``Host``, in one spelling: lower case, no default port. None if the header is invalid.

    Anybody may send any host. But the result has no character with a special meaning in HTML or JSON.
    """
    match = HOST.fullmatch(host) if len(host) <= MAX_HOST_LENGTH else None
    if match is None or scheme not in DEFAULT_PORTS:
        return None
    name, port = match[1].lower(), int(match[2] or DEFAULT_PORTS[scheme])
    if port > MAX_PORT:
        return None
    return f"{scheme}://{name}" if port == DEFAULT_PORTS[scheme] else f"{scheme}://{name}:{port}"


def depends_on_host(settings: Settings, *, has_absolute_addresses: bool) -> bool:
    """Whether the bytes of a page depend on ``Host``. If not, all hosts share one page."""
    if settings.base_url:
        return False
    return has_absolute_addresses or "'self'" in settings.frame_ancestors.split()
