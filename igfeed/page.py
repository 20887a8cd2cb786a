"""The pages as bytes: one rendering for each feed and each way to show it, kept by Flask-Caching.

Freshness is none of its business: a page is named after the snapshot it shows, so a kept one is never an old one.
"""

import hashlib
import logging
import re
from base64 import b64encode
from dataclasses import astuple, dataclass
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from flask import Flask, current_app, render_template, request, url_for
from flask_caching import Cache
from markupsafe import Markup, escape

from igfeed.alt_text import alt_text, excerpt
from igfeed.errors import ConfigError, IgfeedError
from igfeed.models import FeedSnapshot, Post, fingerprint
from igfeed.options import Options
from igfeed.pictures import WIDTHS
from igfeed.services import current
from igfeed.status import iso
from igfeed.version import VERSION
from igfeed.wording import WORDINGS

DAY = 24 * 3600
MIDDLE_WIDTH = WIDTHS[1]
WIDEST_PAGE = 1140
"""Pixels that the grid has on a wide screen, as in ``style.css``."""

INDEX, EMBED = "feed/index.html", "feed/embed.html"
PAGES = ("/", "/embed")

log = logging.getLogger(__name__)

pages = Cache()


@dataclass(frozen=True)
class Page:
    body: str
    etag: str
    policy: str


@dataclass(frozen=True)
class Tile:
    """One post as the template shows it; ``mark`` names what kind it is, unless it is a plain picture."""

    post: Post
    alt: str
    caption: str
    mark: str | None


def init_app(app: Flask) -> None:
    try:
        pages.init_app(app)
    except Exception as error:  # noqa: BLE001  each kind of cache raises what it likes
        kind = app.config["CACHE_TYPE"]
        raise ConfigError(f"FLASK_CACHE_TYPE is {kind!r} and cannot be used: {error}.") from None
    app.jinja_env.filters.update(code=_code, grouped=_grouped, path_part=partial(quote, safe=""))
    app.jinja_env.globals.update(asset_url=_asset_url, picture_url=_picture_url, widths=WIDTHS)


def feed_page(template: str, snapshot: FeedSnapshot, options: Options, defaults: Options) -> Page:
    """The snapshot as the options want it. ``defaults`` are what a link to another page need not say."""
    key = _key(template, snapshot, options)
    page = _cached(key)
    if page is None:
        page = _rendered(template, snapshot, options, defaults)
        _cache(key, page)
    return page


def notice_page(error: IgfeedError) -> Page:
    """There is nothing to show: what happened, in words, and what the owner does next."""
    return _page("feed/unavailable.html", Options(), error=error)


def _cached(key: str) -> Page | None:
    """What the cache has, if it is a page: the owner may have chosen one that fails, or that others write to."""
    try:
        texts = pages.get(key)
    except Exception:  # noqa: BLE001  each kind of cache raises what it likes
        log.warning("The cache of pages failed, going on without it")
        return None
    is_page = isinstance(texts, list | tuple) and len(texts) == 3 and all(isinstance(text, str) for text in texts)  # noqa: PLR2004  the fields of Page
    return Page(*texts) if is_page else None


def _cache(key: str, page: Page) -> None:
    """As plain texts, because they must survive JSON."""
    try:
        pages.set(key, astuple(page), timeout=DAY)
    except Exception:  # noqa: BLE001  as above
        log.warning("The cache of pages failed, going on without it")


def _key(template: str, snapshot: FeedSnapshot, options: Options) -> str:
    settings = current().settings
    look = fingerprint(f"{_address()} {settings.language} {settings.frame_ancestors} {settings.posts}")
    return f"{VERSION}:{look}:{template}:{snapshot.version}:{options.key}"


def _rendered(template: str, snapshot: FeedSnapshot, options: Options, defaults: Options) -> Page:
    first = (options.page - 1) * options.limit
    shown = snapshot.posts[first : first + options.limit]
    has_older = first + options.limit < len(snapshot.posts)
    return _page(
        template,
        options,
        snapshot=snapshot,
        tiles=[_tile(post, snapshot) for post in shown],
        fetched_at=iso(snapshot.fetched_at),
        sizes=_sizes(options.columns, WIDEST_PAGE if template == INDEX else None),
        size=(MIDDLE_WIDTH, round(MIDDLE_WIDTH * options.height / options.width)),
        newer=_link(options, defaults, options.page - 1) if options.page > 1 else None,
        older=_link(options, defaults, options.page + 1) if has_older else None,
        address=_address(),
    )


def _page(template: str, options: Options, **context: object) -> Page:
    """The template with its style sheet inside, so that nothing waits for another request."""
    language = current().settings.language
    style = Markup(render_template("feed/style.css", options=options))  # noqa: S704  numbers and our own words
    body = render_template(
        template, options=options, style=style, language=language, words=WORDINGS[language], **context
    )
    policy = _policy(style)
    return Page(body, fingerprint(policy + body), policy)


def _policy(style: str) -> str:
    """Nothing but our own pictures and exactly this style sheet; framed by whom the owner allows."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    ancestors = current().settings.frame_ancestors if request.path in PAGES else "'none'"
    return (
        f"default-src 'none'; img-src 'self'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {ancestors}"
    )


def _tile(post: Post, snapshot: FeedSnapshot) -> Tile:
    language = current().settings.language
    words = WORDINGS[language]
    mark = {"CAROUSEL_ALBUM": words.album, "VIDEO": words.moving}.get(post.media_type)
    return Tile(post, alt_text(post, snapshot.profile.username, language), excerpt(post.caption), mark)


def _sizes(columns: int | None, widest: int | None) -> str:
    """How wide a tile is, for the browser to choose a file by; the steps are those of ``style.css``."""
    if columns:
        wide = f"(min-width: {widest}px) {widest // columns}px, " if widest else ""
        return f"{wide}{round(100 / columns)}vw"
    wide = f"(min-width: {widest}px) {widest // 4}px" if widest else "(min-width: 1280px) 17vw"
    return f"{wide}, (min-width: 720px) 25vw, (min-width: 360px) 34vw, 50vw"


def _link(options: Options, defaults: Options, page: int) -> str:
    query = options.query(defaults, page)
    return f"{request.path}?{query}" if query else request.path


def _address() -> str:
    """This page's own, for whoever indexes it; empty when nobody says which host we are."""
    base = current().settings.base_url or (request.host_url.rstrip("/") if request.host else None)
    return base + request.path if base else ""


def _picture_url(picture_id: str, width: int) -> str:
    return url_for("grid.media", name=f"{picture_id}-{width}")


def _asset_url(name: str) -> str:
    """With a hash of the content, so that it can be kept for good."""
    return url_for("static", filename=name, v=_hash_of(Path(current_app.static_folder or "") / name))


@cache
def _hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def _code(text: str) -> Markup:
    """What stands in `backticks` as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped before


def _grouped(number: int) -> str:
    """Thousands apart by a thin space, which every language reads."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
