"""Finished pages, handed out before Flask wakes up.

What one visitor gets is what the next one gets, until the feed may have changed. To route, to look up and to compress
it anew costs many times what handing out the same bytes does, so a finished page is kept in every encoding for as long
as its view allows. This module knows nothing of feeds. With IGFEED_CHECK_TTL 0 nothing is kept: Flask answers alone.

There are two tables. One has the pages, by what a request means. The other has whole answers, by what a request says
word for word, so that the next one like it costs one look-up.
"""

import gzip
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from flask import Flask
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from igfeed.services import Services, services_of
from igfeed.web.addresses import asked_origin, depends_on_host
from igfeed.widget.options import HIGHEST_LIMIT, Options, requested_options
from igfeed.widget.views import View

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST_PAGES = 200
MOST_BYTES = 16 * 1024 * 1024
"""All encodings together. When it is full, the oldest page makes room; a page in demand is soon made again. If all were
dropped at once, the memory of a process would go up and down."""

MOST_ORIGINS = 20
"""How many origins have finished pages at a time. A request with another origin gets Flask's answer."""

MOST_ANSWERS = 256
LONGEST_REQUEST = 500
"""Characters in the ``Words`` of a request whose answer is kept. Longer requests are looked up by their ``Key``."""

IDENTITY = "identity"
OF_BODY = {"Content-Type", "Content-Length", "Content-Encoding"}

REUSE_KEY = "igfeed.reuse"
"""The key in the WSGI environment of the list that takes the view's ``Reuse``."""

Key = tuple[str, str, View, Options, int]
"""The origin that a page names (empty if it names none, or for any host the same), prefix, view, options, and the
number of posts that the options were clamped to."""

Words = tuple[str | None, ...]
"""The raw values of a request that decide its answer."""


class Lifetime(Protocol):
    @property
    def is_over(self) -> bool:
        """Whether the page is too old, or shows something that has been replaced since."""


@dataclass(frozen=True)
class Reuse:
    """What a view says of its page: how long others may get it, and how many posts its options were clamped to."""

    lifetime: Lifetime
    posts: int


@dataclass(frozen=True)
class EncodedPage:
    """A page in one encoding; a strong ETag names bytes, so each has its own."""

    body: bytes
    headers: list[tuple[str, str]]
    headers_without_body: list[tuple[str, str]]


class FinishedAnswer(NamedTuple):
    """What the server sends."""

    lifetime: Lifetime
    status: str
    headers: list[tuple[str, str]]
    body: tuple[bytes, ...]

    def give(self, start_response: "StartResponse") -> Iterable[bytes]:
        start_response(self.status, [*self.headers])  # A copy: a server may do with its list what it likes (PEP 3333).
        return self.body


@dataclass(frozen=True)
class FinishedPage:
    lifetime: Lifetime
    etags: frozenset[str]
    variants: dict[str, EncodedPage]

    @property
    def size(self) -> int:
        return sum(len(variant.body) for variant in self.variants.values())

    def answer(self, environ: "WSGIEnvironment") -> FinishedAnswer:
        variant = self.variants[_best_encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))]
        asked = environ.get("HTTP_IF_NONE_MATCH")
        if asked and _is_among(asked, self.etags):
            return FinishedAnswer(self.lifetime, "304 NOT MODIFIED", variant.headers_without_body, ())
        body = () if environ["REQUEST_METHOD"] == "HEAD" else (variant.body,)
        return FinishedAnswer(self.lifetime, "200 OK", variant.headers, body)


class FinishedPages:
    """The app behind a shelf of its finished pages."""

    def __init__(self, app: "WSGIApplication", services: Services) -> None:
        self.app = app
        self._depends_on_host = {
            view: depends_on_host(services.settings, has_absolute_addresses=view.has_absolute_addresses)
            for view in View
        }
        self._posts = HIGHEST_LIMIT
        """How many posts the feed has, as the latest view said."""
        self._words = _words_and_host if any(self._depends_on_host.values()) else _words
        self._answers: dict[Words, FinishedAnswer] = {}
        self._pages: dict[Key, FinishedPage] = {}
        self._origins: dict[str, Lifetime] = {}
        self._lock = Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = self._answers.get(self._words(environ))
        if answer and not answer.lifetime.is_over:
            return answer.give(start_response)
        return self._looked_up(environ, start_response)

    def _looked_up(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        view = _shared_view(environ)
        if view is None:
            return self.app(environ, start_response)
        key = self._key(environ, view, self._posts)
        page = self._pages.get(key)
        if page and not page.lifetime.is_over:
            answer = page.answer(environ)
            self._remember(environ, answer)
            return answer.give(start_response)
        if self._has_room_for(key[0]):
            return self._made(view, environ, start_response)
        return self.app(environ, start_response)

    def _key(self, environ: "WSGIEnvironment", view: View, posts: int) -> Key:
        """Everything that shapes the page."""
        origin = None
        if self._depends_on_host[view]:
            origin = asked_origin(environ["wsgi.url_scheme"], environ.get("HTTP_HOST", ""))
        options = requested_options(environ.get("QUERY_STRING", ""), view, posts)
        return origin or "", environ.get("SCRIPT_NAME", ""), view, options, posts

    def _has_room_for(self, origin: str) -> bool:
        """Whether pages for this origin are kept. Anybody may send thousands of hosts, and compressing costs most."""
        if not origin or origin in self._origins or len(self._origins) < MOST_ORIGINS:
            return True
        with self._lock:
            self._origins = {kept: life for kept, life in self._origins.items() if not life.is_over}
        return len(self._origins) < MOST_ORIGINS

    def _made(self, view: View, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Flask's page, whole, whatever the visitor has of it already: that is decided by ``FinishedPage.answer``."""
        whole = {name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"}
        # A list, because Werkzeug gives the app a copy of the environment.
        allowed: list[Reuse] = []
        whole.update({"REQUEST_METHOD": "GET", REUSE_KEY: allowed})
        response = Response.from_app(self.app, whole)
        if not allowed or response.status_code != 200 or "Set-Cookie" in response.headers:  # noqa: PLR2004
            return response(environ, start_response)
        (reuse,) = allowed
        page = FinishedPage(reuse.lifetime, *_variants(response))
        # The first request of a process, and the first after a fetch, came before the number of posts was known.
        self._posts = reuse.posts
        self._keep(self._key(environ, view, reuse.posts), page)
        return ClosingIterator(page.answer(environ).give(start_response), response.close)

    def _keep(self, key: Key, page: FinishedPage) -> None:
        with self._lock:
            self._pages.pop(key, None)
            size = sum(each.size for each in self._pages.values())
            while self._pages and (len(self._pages) >= MOST_PAGES or size + page.size > MOST_BYTES):
                size -= self._pages.pop(next(iter(self._pages))).size
            self._pages[key] = page
            if origin := key[0]:
                self._origins[origin] = page.lifetime
            self._answers.clear()  # They hold pages that may just have gone.

    def _remember(self, environ: "WSGIEnvironment", answer: FinishedAnswer) -> None:
        """Keep the answer for identical requests, unless the request is too long to be likely to come again."""
        words = self._words(environ)
        if sum(len(text) for text in words if text) > LONGEST_REQUEST:
            return
        if len(self._answers) >= MOST_ANSWERS:
            self._answers.clear()
        self._answers[words] = answer


def allow_reuse(environ: "WSGIEnvironment", lifetime: Lifetime, posts: int) -> None:
    """Called by a view: for so long, others may get its page."""
    if REUSE_KEY in environ:
        environ[REUSE_KEY].append(Reuse(lifetime, posts))


def init_app(app: Flask) -> None:
    services = services_of(app)
    if services.settings.check_ttl and not app.debug:
        app.wsgi_app = FinishedPages(app.wsgi_app, services)  # type: ignore[method-assign]


def _shared_view(environ: "WSGIEnvironment") -> View | None:
    """The view that is asked for, or None if the answer is not the same for everybody."""
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or "HTTP_AUTHORIZATION" in environ:
        return None
    return View.at(environ["PATH_INFO"])


def _words(environ: "WSGIEnvironment") -> Words:
    get = environ.get  # One by one: this is half of a view, and a loop over the names takes twice as long.
    return (
        environ["PATH_INFO"],
        get("QUERY_STRING"),
        environ["REQUEST_METHOD"],
        get("HTTP_ACCEPT_ENCODING"),
        get("HTTP_IF_NONE_MATCH"),
        get("HTTP_AUTHORIZATION"),
        get("SCRIPT_NAME"),
    )


def _words_and_host(environ: "WSGIEnvironment") -> Words:
    return (*_words(environ), environ.get("HTTP_HOST"), environ["wsgi.url_scheme"])


def _variants(response: Response) -> tuple[frozenset[str], dict[str, EncodedPage]]:
    body, (etag, _) = response.get_data(), response.get_etag()
    variants = {IDENTITY: _variant(response, body, f'"{etag}"')}
    for encoding, encode in _encoders().items():
        variants[encoding] = _variant(response, encode(body), f'"{etag}-{encoding}"', encoding)
    return frozenset({"*", *(dict(each.headers)["ETag"] for each in variants.values())}), variants


def _variant(response: Response, body: bytes, etag: str, encoding: str | None = None) -> EncodedPage:
    headers = response.headers.copy()
    headers["ETag"] = etag
    headers["Content-Length"] = str(len(body))
    headers["Vary"] = "Accept-Encoding"
    headers.remove("Date")  # The server's own is right for each answer.
    if encoding:
        headers["Content-Encoding"] = encoding
    named = headers.to_wsgi_list()
    return EncodedPage(body, named, [each for each in named if each[0] not in OF_BODY])


@cache
def _encoders() -> dict[str, Callable[[bytes], bytes]]:
    """The best first: a third smaller with brotli, for who has installed it."""
    encoders: dict[str, Callable[[bytes], bytes]] = {"gzip": lambda body: gzip.compress(body, mtime=0)}
    with suppress(ImportError):
        import brotli  # type: ignore[import-not-found]  # noqa: PLC0415  not one of our requirements

        encoders = {"br": lambda body: brotli.compress(body, quality=5), **encoders}
    return encoders


@lru_cache(maxsize=100)
def _best_encoding(accepted: str) -> str:
    accept = parse_accept_header(accepted, Accept)
    best = max(_encoders(), key=accept.quality)
    return best if 0 < accept.quality(best) >= accept.quality(IDENTITY) else IDENTITY


def _is_among(asked: str, etags: frozenset[str]) -> bool:
    """Compared weakly, as If-None-Match is (RFC 9110)."""
    return any(tag.strip().removeprefix("W/") in etags for tag in asked.split(","))
