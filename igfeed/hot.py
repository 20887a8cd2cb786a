"""Finished pages, handed out before Flask wakes up.

What one visitor gets is what the next one gets, until the feed may have changed. To route, to look up and to compress
it anew costs many times what handing out the same bytes does, so a finished page is kept in every encoding until this
process would look into the store again (IGFEED_CHECK_TTL; 0: nothing is kept, and Flask answers alone) or fetch.
"""

import gzip
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from igfeed.clock import Pause
from igfeed.models import FeedSnapshot
from igfeed.options import PAGES, Options, asked_for
from igfeed.services import Services, services_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST_PAGES = 200
MOST_BYTES = 16 * 1024 * 1024
"""All encodings together. With one page more everything goes, and what is in demand comes back."""

IDENTITY = "identity"
OF_BODY = {"Content-Type", "Content-Length", "Content-Encoding"}

Key = tuple[str, str, str, Options]


@dataclass(frozen=True)
class Variant:
    """A page in one encoding; a strong ETag names bytes, so each has its own."""

    body: bytes
    headers: list[tuple[str, str]]
    headers_without_body: list[tuple[str, str]]


@dataclass(frozen=True)
class HotPage:
    """Good for as long as ``trust`` lasts, and only while this process shows that snapshot."""

    snapshot: FeedSnapshot | None
    trust: Pause
    etags: frozenset[str]
    variants: dict[str, Variant]

    @property
    def size(self) -> int:
        return sum(len(variant.body) for variant in self.variants.values())

    def answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        variant = self.variants[_best_encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))]
        asked = environ.get("HTTP_IF_NONE_MATCH")
        if asked and _is_among(asked, self.etags):
            start_response("304 NOT MODIFIED", [*variant.headers_without_body])
            return ()
        start_response("200 OK", [*variant.headers])  # A copy: a server may do with its list what it likes (PEP 3333).
        return () if environ["REQUEST_METHOD"] == "HEAD" else (variant.body,)


class HotPages:
    """The app behind a shelf of its finished pages."""

    def __init__(self, app: "WSGIApplication", services: Services) -> None:
        self.app = app
        self._feed = services.feed
        self._clock = services.clock
        self._base_url = services.settings.base_url
        self._most_posts = services.settings.posts
        self._pages: dict[Key, HotPage] = {}
        self._lock = Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        key = self._key(environ)
        if key is None:
            return self.app(environ, start_response)
        page = self._pages.get(key)
        if page and page.snapshot is self._feed.at_hand and not page.trust.is_over:
            return page.answer(environ, start_response)
        return self._made(key, environ, start_response)

    def _key(self, environ: "WSGIEnvironment") -> Key | None:
        """Everything that shapes the page; None for what is not the same for everybody."""
        path = environ["PATH_INFO"]
        if path not in PAGES or environ["REQUEST_METHOD"] not in ("GET", "HEAD") or "HTTP_AUTHORIZATION" in environ:
            return None
        host = "" if self._base_url else f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
        options = asked_for(environ.get("QUERY_STRING", ""), path, self._most_posts)
        return host, environ.get("SCRIPT_NAME", ""), path, options

    def _made(self, key: Key, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Flask's page, whole, whatever the visitor has of it already: that is decided by ``HotPage.answer``."""
        # Before: if another feed comes meanwhile, or this one falls due, nobody gets this page a second time.
        shown, was_fresh = self._feed.at_hand, self._feed.is_at_hand_fresh()
        whole = {name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"}
        whole["REQUEST_METHOD"] = "GET"
        response = Response.from_app(self.app, whole)
        if response.status_code != 200 or not response.cache_control.public or "Set-Cookie" in response.headers:  # noqa: PLR2004
            return response(environ, start_response)
        trust = Pause(self._clock, self._feed.trusted_for(was_fresh=was_fresh))
        page = HotPage(shown, trust, *_variants(response))
        self._keep(key, page)
        return ClosingIterator(page.answer(environ, start_response), response.close)

    def _keep(self, key: Key, page: HotPage) -> None:
        with self._lock:
            size = sum(each.size for each in self._pages.values())
            if len(self._pages) >= MOST_PAGES or size + page.size > MOST_BYTES:
                self._pages.clear()
            self._pages[key] = page


def init_app(app: Flask) -> None:
    services = services_of(app)
    if services.settings.check_ttl:
        app.wsgi_app = HotPages(app.wsgi_app, services)  # type: ignore[method-assign]


def _variants(response: Response) -> tuple[frozenset[str], dict[str, Variant]]:
    body, (etag, _) = response.get_data(), response.get_etag()
    variants = {IDENTITY: _variant(response, body, f'"{etag}"')}
    for encoding, encode in _encoders().items():
        variants[encoding] = _variant(response, encode(body), f'"{etag}-{encoding}"', encoding)
    return frozenset({"*", *(dict(each.headers)["ETag"] for each in variants.values())}), variants


def _variant(response: Response, body: bytes, etag: str, encoding: str | None = None) -> Variant:
    headers = response.headers.copy()
    headers["ETag"] = etag
    headers["Content-Length"] = str(len(body))
    headers["Vary"] = "Accept-Encoding"
    headers.remove("Date")  # The server's own is right for each answer.
    if encoding:
        headers["Content-Encoding"] = encoding
    named = headers.to_wsgi_list()
    return Variant(body, named, [each for each in named if each[0] not in OF_BODY])


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
