"""Mounts an app below a prefix of another one."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from igfeed.errors import ConfigError
from igfeed.web.headers import SecureResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = re.compile(r"(/(?!\.\.?(/|$))[a-z0-9._~-]+)+", re.ASCII | re.IGNORECASE)
"""Letters that no browser, proxy or server writes in another way."""


class Mount:
    """WSGI middleware: a path below the prefix goes to ``inner``, every other one to ``host``.

    For ``inner`` the prefix is a part of ``SCRIPT_NAME``, after the one under which a proxy mounts the host.
    """

    def __init__(self, host: "WSGIApplication", inner: "WSGIApplication", prefix: str) -> None:
        self._host = host
        self._inner = inner
        self._prefix = prefix

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == self._prefix:
            return self._to_final_slash(environ)(environ, start_response)
        if not path.startswith(f"{self._prefix}/"):
            return self._host(environ, start_response)
        root = environ.get("SCRIPT_NAME", "").rstrip("/")
        # A copy, because middleware around the host may look at the path after the answer.
        below = {**environ, "SCRIPT_NAME": f"{root}{self._prefix}", "PATH_INFO": path[len(self._prefix) :]}
        return self._inner(below, start_response)

    def _to_final_slash(self, environ: "WSGIEnvironment") -> SecureResponse:
        """A redirect. Its address is relative, so it is right behind a proxy that has cut a prefix off, too."""
        query = environ.get("QUERY_STRING")
        last = self._prefix.rpartition("/")[2]
        return SecureResponse(status=308, headers={"Location": f"{last}/{f'?{query}' if query else ''}"})


def init_app(host: Flask, inner: Flask, prefix: str) -> None:
    """Inside of a ProxyFix that the host has already, so that it counts for both, whichever was set first."""
    if isinstance(host.wsgi_app, ProxyFix):
        host.wsgi_app.app = Mount(host.wsgi_app.app, inner, prefix)
        return
    host.wsgi_app = Mount(host.wsgi_app, inner, prefix)  # type: ignore[method-assign]


def checked_prefix(url_prefix: str) -> str:
    """The prefix without a final slash. Raises ConfigError, also for the host's root: no path would be left for it."""
    prefix = url_prefix.removesuffix("/")
    if not PREFIX.fullmatch(prefix):
        raise ConfigError(
            f"url_prefix is {url_prefix!r}: it takes a path of letters, digits and hyphens, such as /instagram.",
            "To have the feed at the root of a host, deploy it by itself.",
        )
    return prefix
