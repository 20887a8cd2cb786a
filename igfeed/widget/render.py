"""The pages as bytes: one rendering for each feed and each way to show it.

Freshness is none of its business: a page is named after the snapshot it shows, so a kept one is never an old one.
"""

import hashlib
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from urllib.parse import quote

from flask import Flask, current_app, render_template, request, url_for
from markupsafe import Markup

from igfeed.clock import iso
from igfeed.feed.pictures import WIDTHS
from igfeed.models import FeedSnapshot
from igfeed.models.record import fingerprint
from igfeed.services import current
from igfeed.version import VERSION
from igfeed.web.addresses import own_origin
from igfeed.web.template_bytecode import TemplateBytecode
from igfeed.widget import page_cache
from igfeed.widget.alt_text import excerpt
from igfeed.widget.csp import policy, who_may_size
from igfeed.widget.options import CAROUSEL_PEEK, Options, default_options, requested_options
from igfeed.widget.page_cache import Page
from igfeed.widget.scripts import page_scripts
from igfeed.widget.structured_data import gallery
from igfeed.widget.tiles import tile, video_origins
from igfeed.widget.translations import language_of
from igfeed.widget.views import View

MIDDLE_WIDTH = WIDTHS[1]
WIDEST_PAGE = 1140
"""Pixels that the grid has on a wide screen, as in ``style.css``."""

PICTURES_AT_ONCE = 4
"""So many are loaded with the page, the others when they come near the screen."""

IN_FRAME_AT_ONCE = 12
"""The same for each column of a frame, which is itself loaded when it comes near the screen.

Inside a frame browsers load no lazy picture before it is seen, and none for printing: they would be white on paper.
"""
MOST_AT_ONCE = 24

remembered_fingerprint = lru_cache(maxsize=100)(fingerprint)


def init_app(app: Flask) -> None:
    page_cache.init_app(app)
    app.jinja_env.bytecode_cache = TemplateBytecode(Path(app.root_path, app.template_folder or ""))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(excerpt=excerpt, path_part=partial(quote, safe=""))
    app.jinja_env.globals.update(asset_url=_asset_url, picture_url=_picture_url, widths=WIDTHS, peek=CAROUSEL_PEEK)


def feed_page(view: View, snapshot: FeedSnapshot, options: Options, old_since: datetime | None) -> Page:
    """The snapshot as the options want it, with a note if it is old."""
    settings = current().settings
    origin = own_origin(settings, request.environ)
    if origin is None or settings.base_url:
        return _kept_page(view, snapshot, options, old_since, origin)
    # Anybody may name any host. So what is rendered and kept has a stand-in, which no text of this snapshot can hold
    # because it is made of their hash, and the host of the request comes last.
    stand_in = f"https://{snapshot.version}.invalid"
    return _filled(_kept_page(view, snapshot, options, old_since, stand_in), stand_in, origin)


def notice_page() -> Page:
    """There is nothing to show yet. Says so to visitors, without a reason; the owner has a link to that."""
    return _notice("widget/feed_not_ready.html")


def missing_page() -> Page:
    """There is no such page; a visitor may meet it in a frame whose address somebody has mistyped."""
    return _notice("widget/page_not_found.html")


def _notice(template: str) -> Page:
    query = request.environ.get("QUERY_STRING", "")
    theme = requested_options(query, View.at(request.path) or View.PAGE, posts=0).theme
    return _page(template, Options(theme=theme, open="instagram"), notice=True)


def _kept_page(
    view: View, snapshot: FeedSnapshot, options: Options, old_since: datetime | None, origin: str | None
) -> Page:
    key = f"{_key(view, snapshot, options, origin)}:{'old' if old_since else 'new'}"
    page = page_cache.kept(key)
    if page is None:
        page = _rendered(view, snapshot, options, old_since, origin)
        page_cache.keep(key, page)
    return page


def _filled(page: Page, stand_in: str, origin: str) -> Page:
    """The page with that origin, which needs no escaping, in place of the stand-in."""
    body = page.body.replace(stand_in.encode(), origin.encode())
    return page if body == page.body else replace(page, body=body, etag=fingerprint(f"{page.etag} {origin}"))


def _key(view: View, snapshot: FeedSnapshot, options: Options, origin: str | None) -> str:
    settings = current().settings
    place = f"{origin}{request.root_path}"
    look = remembered_fingerprint(f"{place} {settings.language} {settings.frame_ancestors} {settings.posts}")
    return f"{VERSION}:{look}:{view.name}:{snapshot.version}:{options.key}"


def _rendered(
    view: View, snapshot: FeedSnapshot, options: Options, old_since: datetime | None, origin: str | None
) -> Page:
    settings = current().settings
    first = (options.page - 1) * options.limit
    shown = snapshot.posts[first : first + options.limit]
    has_older = first + options.limit < len(snapshot.posts)
    tiles = [tile(post, snapshot.profile, settings) for post in shown]
    canonical = _address(origin, view, options.page)
    picture = partial(_picture_address, origin)
    link = partial(_link, view, options, default_options(view))
    return _page(
        view.template,
        options,
        snapshot=snapshot,
        tiles=tiles,
        fetched_at=iso(snapshot.fetched_at),
        as_of=language_of(settings.language).date(old_since) if old_since else None,
        sizes=_sizes(options, WIDEST_PAGE if view is View.PAGE else None),
        at_once=_at_once(options) if view is View.EMBED else PICTURES_AT_ONCE,
        size=(MIDDLE_WIDTH, round(MIDDLE_WIDTH * options.height / options.width)),
        newer=link(options.page - 1) if options.page > 1 else None,
        older=link(options.page + 1) if has_older else None,
        address=canonical,
        picture_address=picture,
        gallery=gallery(snapshot.profile, tiles, canonical, picture) if canonical else None,
        sizing=who_may_size(settings.frame_ancestors, origin),
        videos=video_origins(snapshot, settings),
    )


def _page(template: str, options: Options, videos: Collection[str] = (), **context: object) -> Page:
    """The template with its style and scripts inside, so that nothing waits for another request."""
    code = current().settings.language
    style = Markup(render_template("widget/style.css", options=options, notice="notice" in context))  # noqa: S704  numbers and our own words
    scripts = page_scripts(options) if "notice" not in context else []
    body = render_template(
        template,
        options=options,
        style=style,
        scripts=scripts,
        language_code=code,
        language=language_of(code),
        words=language_of(code).words,
        **context,
    )
    header = policy(style, scripts, videos if options.open == "lightbox" else (), current().settings.frame_ancestors)
    return Page(body.encode(), fingerprint(header + body), header)


def _at_once(options: Options) -> int:
    """In one column posts are large and most are far away, so that half as many have to do."""
    return min(MOST_AT_ONCE, IN_FRAME_AT_ONCE * (options.columns or MOST_AT_ONCE))


def _sizes(options: Options, widest: int | None) -> str:
    """How wide a tile is, for the browser to choose a file by; the steps are those of ``style.css``."""
    more = CAROUSEL_PEEK if options.layout == "carousel" else 0
    if options.columns:
        columns = options.columns + more
        wide = f"(min-width: {widest}px) {widest / columns:.0f}px, " if widest else ""
        return f"{wide}{100 / columns:.0f}vw"
    shares = [f"{100 / (columns + more):.0f}vw" for columns in (6, 4, 3, 2)]
    wide = f"(min-width: {widest}px) {widest / (4 + more):.0f}px" if widest else f"(min-width: 1280px) {shares[0]}"
    return f"{wide}, (min-width: 720px) {shares[1]}, (min-width: 360px) {shares[2]}, {shares[3]}"


def _link(view: View, options: Options, defaults: Options, page: int) -> str:
    query = options.query(defaults, page)
    return f"{_seen(view)}?{query}" if query else _seen(view)


def _address(origin: str | None, view: View, page: int) -> str:
    """This page's own, for whoever indexes it; empty when nobody says which host we are."""
    return f"{origin}{_seen(view)}{f'?page={page}' if page > 1 else ''}" if origin else ""


def _seen(view: View) -> str:
    """As visitors see it, which is more than the app's own where a proxy mounts it under a prefix."""
    return f"{request.root_path}{view.path}"


def _picture_address(origin: str | None, picture_id: str, width: int) -> str:
    return f"{origin}{_picture_url(picture_id, width)}"


def _picture_url(picture_id: str, width: int) -> str:
    return url_for("widget.media", name=f"{picture_id}-{width}")


def _asset_url(name: str) -> str:
    """With a hash of the content, so that it can be kept for good."""
    return url_for("static", filename=name, v=static_hash(Path(current_app.static_folder or "") / name))


@cache
def static_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
