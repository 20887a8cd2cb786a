"""Finished pages: complete responses in memory, sent without calling Flask.

All visitors get the same page until the feed may have changed. Routing, rendering and compressing cost far more than
sending the same bytes again. So a page is kept in every encoding for as long as its view allows. This module knows
nothing of feeds. With IGFEED_CHECK_TTL=0 nothing is kept, and Flask answers every request.

There are two tables. ``_pages`` has the pages by what a request means. ``_answers`` has complete answers by the raw
values of a request, so that an identical request costs one look-up.
"""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING

from flask import Flask
from msgspec import Struct
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from igfeed.accounts.directory import accounts_of
from igfeed.accounts.names import own_first_parts
from igfeed.config import Settings
from igfeed.models import KeptPosts
from igfeed.services import services_of
from igfeed.web.account_paths import AccountPaths
from igfeed.web.addresses import depends_on_host, request_origin
from igfeed.web.finished_page import FinishedAnswer, FinishedPage, Lifetime
from igfeed.widget.options import Options, requested_options
from igfeed.widget.views import FeedFormat, View

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_PAGES = 200
MAX_BYTES = 16 * 1024 * 1024
"""The size of all encodings together. When the table is full, the oldest page is dropped, because a page in demand is
soon made again. Dropping all pages at once would make the memory of a process go up and down."""

MAX_BYTES_OF_ANOTHER = 4 * 1024 * 1024
"""The same for each account but the default one, because there may be many."""

MAX_ORIGINS = 20
"""How many origins have finished pages at a time. A request with another origin gets Flask's answer."""

MAX_ANSWERS = 256
MAX_REQUEST_LENGTH = 500
"""Characters in the ``RawRequest`` of an answer that is kept. Longer requests are looked up by their ``PageKey``."""

REUSE_KEY = "igfeed.reuse"
"""The key in the WSGI environment of the list that takes the view's ``Reuse``."""

SharedView = View | FeedFormat
"""What is the same for everybody: the pages, and the documents for programs."""

PageKey = tuple[str, str, SharedView, Options, KeptPosts | None]
"""Everything that shapes a page: the origin that it names (empty if it names none, or the same for any host), the
prefix, the view, the options, and the posts that the options chose among."""

RawRequest = tuple[str | None, ...]
"""The raw values of a request that decide its answer."""


class Reuse(Struct, frozen=True):
    """What a view allows: how long its page may be sent again.

    ``kept`` are the posts that its options chose among. ``look`` has the options of embeds by the owner's choice.
    """

    lifetime: Lifetime
    kept: KeptPosts
    look: str


class FinishedPages:
    """WSGI middleware that sends finished pages and passes every other request on to the app."""

    def __init__(self, app: "WSGIApplication", settings: Settings, max_bytes: int = MAX_BYTES) -> None:
        self.app = app
        self._max_bytes = max_bytes
        self._depends_on_host = {
            view: depends_on_host(settings, has_absolute_addresses=view.has_absolute_addresses)
            for view in (*View, *FeedFormat)
        }
        self._kept: KeptPosts | None = None
        self._look = ""
        """The posts of the feed and the owner's look, as the latest view said."""
        self._raw_request = _raw_request_and_host if any(self._depends_on_host.values()) else _raw_request
        self._answers: dict[RawRequest, FinishedAnswer] = {}
        self._pages: dict[PageKey, FinishedPage] = {}
        self._origins: dict[str, Lifetime] = {}
        self._lock = Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        # Nothing else belongs here: this is all that most requests cost, and it is measured.
        answer = self._answers.get(self._raw_request(environ))
        if answer and not answer.lifetime.is_over:
            return answer.send(start_response)
        return self._look_up(environ, start_response)

    def _look_up(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        view = _shared_view(environ)
        if view is None:
            return self.app(environ, start_response)
        key = self._key(environ, view, self._kept, self._look)
        page = self._pages.get(key)
        if page and not page.lifetime.is_over:
            answer = page.answer(environ)
            self._remember(environ, answer)
            return answer.send(start_response)
        if self._has_room_for(key[0]):
            return self._make(view, environ, start_response)
        return self.app(environ, start_response)

    def _key(self, environ: "WSGIEnvironment", view: SharedView, kept: KeptPosts | None, look: str) -> PageKey:
        origin = None
        if self._depends_on_host[view]:
            origin = request_origin(environ["wsgi.url_scheme"], environ.get("HTTP_HOST", ""))
        options = requested_options(environ.get("QUERY_STRING", ""), view, kept, look)
        return origin or "", environ.get("SCRIPT_NAME", ""), view, options, kept

    def _has_room_for(self, origin: str) -> bool:
        """Whether pages for this origin are kept.

        Anybody may send thousands of hosts, and each would have its page compressed, which is the greatest cost.
        """
        if not origin or origin in self._origins or len(self._origins) < MAX_ORIGINS:
            return True
        with self._lock:
            self._origins = {name: lifetime for name, lifetime in self._origins.items() if not lifetime.is_over}
        return len(self._origins) < MAX_ORIGINS

    def _make(self, view: SharedView, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Flask's page. It is asked for whole, whatever this visitor has of it: others may have nothing."""
        whole = {name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"}
        # A list, because Werkzeug gives the app a copy of the environment.
        allowed: list[Reuse] = []
        whole.update({"REQUEST_METHOD": "GET", REUSE_KEY: allowed})
        response = Response.from_app(self.app, whole)
        if not allowed or response.status_code != 200 or "Set-Cookie" in response.headers:  # noqa: PLR2004
            return response(environ, start_response)
        (reuse,) = allowed
        page = FinishedPage.from_response(reuse.lifetime, response)
        # The first request of a process, and the first after a fetch, came before the posts were known.
        self._kept, self._look = reuse.kept, reuse.look
        self._keep(self._key(environ, view, reuse.kept, reuse.look), page)
        return ClosingIterator(page.answer(environ).send(start_response), response.close)

    def _keep(self, key: PageKey, page: FinishedPage) -> None:
        with self._lock:
            self._pages.pop(key, None)
            size = sum(each.size for each in self._pages.values())
            while self._pages and (len(self._pages) >= MAX_PAGES or size + page.size > self._max_bytes):
                size -= self._pages.pop(next(iter(self._pages))).size
            self._pages[key] = page
            if origin := key[0]:
                self._origins[origin] = page.lifetime
            self._answers.clear()  # They may hold a page that was just dropped.

    def _remember(self, environ: "WSGIEnvironment", answer: FinishedAnswer) -> None:
        """Keep the answer for identical requests. A very long request is not likely to come again."""
        request = self._raw_request(environ)
        if sum(len(text) for text in request if text) > MAX_REQUEST_LENGTH:
            return
        if len(self._answers) >= MAX_ANSWERS:
            self._answers.clear()
        self._answers[request] = answer


def allow_reuse(environ: "WSGIEnvironment", begin_lifetime: Callable[[], Lifetime], kept: KeptPosts, look: str) -> None:
    """Called by a view before it renders: others may get its page during the lifetime that begins now."""
    if REUSE_KEY in environ:
        environ[REUSE_KEY].append(Reuse(begin_lifetime(), kept, look))


def init_app(app: Flask) -> None:
    """Each account has finished pages of its own. Those of the default account come first, so they are found first."""
    settings = services_of(app).settings
    keeps_pages = settings.check_ttl and not app.debug

    def finished(wsgi_app: "WSGIApplication", max_bytes: int = MAX_BYTES_OF_ANOTHER) -> "WSGIApplication":
        return FinishedPages(wsgi_app, settings, max_bytes) if keeps_pages else wsgi_app

    by_path = AccountPaths(app.wsgi_app, accounts_of(app), own_first_parts(app), finished)
    app.wsgi_app = finished(by_path, MAX_BYTES)  # type: ignore[method-assign,assignment]


def _shared_view(environ: "WSGIEnvironment") -> SharedView | None:
    """The view that is asked for, or None if the answer is not the same for everybody."""
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or "HTTP_AUTHORIZATION" in environ:
        return None
    return View.at(environ["PATH_INFO"]) or FeedFormat.at(environ["PATH_INFO"])


def _raw_request(environ: "WSGIEnvironment") -> RawRequest:
    get = environ.get  # One by one: this is half the cost of a view, and a loop over the names takes twice as long.
    return (
        environ["PATH_INFO"],
        get("QUERY_STRING"),
        environ["REQUEST_METHOD"],
        get("HTTP_ACCEPT_ENCODING"),
        get("HTTP_IF_NONE_MATCH"),
        get("HTTP_AUTHORIZATION"),
        get("SCRIPT_NAME"),
    )


def _raw_request_and_host(environ: "WSGIEnvironment") -> RawRequest:
    return (*_raw_request(environ), environ.get("HTTP_HOST"), environ["wsgi.url_scheme"])
