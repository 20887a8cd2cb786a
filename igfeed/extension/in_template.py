"""``{{ igfeed(limit=6) }}`` in a template of the host: the fragment, rendered in this process."""

import logging
import re
import sys
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Flask, has_request_context, request
from markupsafe import Markup

from igfeed.accounts.directory import accounts_of
from igfeed.errors import IgfeedError
from igfeed.extension.after_host_answer import AfterAnswer
from igfeed.services import services_of
from igfeed.widget.routes import LOG_LIMIT
from igfeed.widget.translations import language_of
from igfeed.widget.views import View

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PORT = re.compile(r":\d+$", re.ASCII)

log = logging.getLogger(__name__)


class FeedInTemplate:
    """Gives the feed as one element. It never raises, and never waits for Instagram.

    It asks the mounted app for ``/fragment`` as a visitor does, so a finished page is used again. But the request has
    no ``Host``. So without ``BASE_URL`` the addresses have no origin: they are right wherever the page is.
    """

    def __init__(self, host: Flask, inner: Flask, prefix: str) -> None:
        self._host = host
        self._inner = inner
        self._prefix = prefix
        self._after_answer = AfterAnswer(host)

    def __call__(self, *, account: str | None = None, nonce: str | None = None, **options: object) -> Markup:
        """The element with these options, as in a query string: unknown ones are ignored, True is 1, None is absent.

        While there is nothing to show, a paragraph says so. ``account`` is the name of another account. ``nonce`` is
        that of the page's Content-Security-Policy.
        """
        try:
            fragment = self._fragment(account, _query(options))
        except Exception as error:  # noqa: BLE001  whatever it is, the host's page must be shown
            self._log(error)
            fragment = None
        if fragment is None:
            return self._note()
        return _with_nonce(fragment, nonce) if nonce else fragment

    def _fragment(self, account: str | None, query: str) -> Markup | None:
        """None if there is nothing to show. Then the first fetch runs after the answer."""
        services = accounts_of(self._inner).get(account)
        services.check_startup()
        if services.feed.cached is None and services.feed.current().snapshot is None:
            # `/fragment` would fetch before its answer, and the host's visitors would wait for Instagram.
            self._after_answer(partial(services.background, services.feed.refresh))
            return None
        path = f"/{account}{View.FRAGMENT.path}" if account else View.FRAGMENT.path
        status, body = self._ask(self._environ(path, query))
        return Markup(body.decode()) if status.startswith("200 ") else None  # noqa: S704  ours

    def _ask(self, environ: "WSGIEnvironment") -> tuple[str, bytes]:
        """The mounted app's status and body. If a refresh is due, it runs after the host's answer."""
        statuses: list[str] = []

        # Not by Werkzeug's Response.from_app: it makes objects of all headers, which takes longer than all the rest.
        def start_response(status: str, *_: object) -> None:
            statuses.append(status)

        body = self._inner.wsgi_app(environ, start_response)  # type: ignore[arg-type]  # What this returns is never used.
        html = b"".join(body)
        if close := getattr(body, "close", None):
            self._after_answer(close)
        return statuses[0], html

    def _environ(self, path: str, query: str) -> "WSGIEnvironment":
        """A visitor's request. Where the app is mounted, it takes from the host's request."""
        is_asked = has_request_context()
        root = request.environ.get("SCRIPT_NAME", "") if is_asked else self._host.config["APPLICATION_ROOT"]
        return {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": f"{root.rstrip('/')}{self._prefix}",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": PORT.sub("", request.host) if is_asked else "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
            "wsgi.errors": sys.stderr,
        }

    def _note(self) -> Markup:
        words = language_of(services_of(self._inner).settings.language).words
        note = Markup('<p class="igfeed-note">{}. {}</p>')
        return note.format(words.feed_not_ready, words.come_back_later)

    def _log(self, error: Exception) -> None:
        """Log the same error once in a while, not for every visitor."""
        if self._inner.extensions[LOG_LIMIT].allows(f"{type(error).__name__} {error}"):
            is_known = isinstance(error, IgfeedError)
            log.warning("The feed cannot be shown in a page: %s", error, exc_info=None if is_known else error)


def _query(options: dict[str, object]) -> str:
    given = ((name, value) for name, value in options.items() if value is not None)
    return urlencode({name: int(value) if isinstance(value, bool) else value for name, value in given})


def _with_nonce(fragment: Markup, nonce: str) -> Markup:
    """With the nonce on its style and its script. No text in the fragment has an unescaped "<"."""
    attribute = Markup(' nonce="{}"').format(nonce)
    html = str(fragment).replace("<style>", f"<style{attribute}>").replace("<script ", f"<script{attribute} ")
    return Markup(html)  # noqa: S704  ours
