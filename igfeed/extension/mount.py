"""Mounts an app below a prefix of another one."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from igfeed.errors import ConfigError
from igfeed.web.final_slash import to_final_slash

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = re.compile(r"(/(?!\.\.?(/|$))[a-z0-9._~-]+)+", re.ASCII | re.IGNORECASE)
"""Only characters that no browser, proxy or server escapes."""


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
            return to_final_slash(path.rpartition("/")[2], environ)(environ, start_response)
        if not path.startswith(f"{self._prefix}/"):
            return self._host(environ, start_response)
        root = environ.get("SCRIPT_NAME", "").rstrip("/")
        # A copy, because middleware around the host may look at the path after the answer.
        below = {**environ, "SCRIPT_NAME": f"{root}{self._prefix}", "PATH_INFO": path[len(self._prefix) :]}
        return self._inner(below, start_response)


def init_app(host: Flask, inner: Flask, prefix: str) -> None:
    """If the host has a ProxyFix already, the mount goes inside it. So ProxyFix is for both apps, in either order."""
    if isinstance(host.wsgi_app, ProxyFix):
        host.wsgi_app.app = Mount(host.wsgi_app.app, inner, prefix)
        return
    host.wsgi_app = Mount(host.wsgi_app, inner, prefix)  # type: ignore[method-assign]


def checked_prefix(url_prefix: str) -> str:
    """The prefix without a final slash. Raises ConfigError, also for the root: no path would be left for the host."""
    prefix = url_prefix.removesuffix("/")
    if not PREFIX.fullmatch(prefix):
        raise ConfigError(
            f"url_prefix is {url_prefix!r}: it takes a path of letters, digits and hyphens, such as /instagram.",
            "To have the feed at the root of a host, deploy it by itself.",
        )
    return prefix
