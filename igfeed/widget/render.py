"""Renders pages, once for each snapshot, view and set of options.

The key of a cached page names its snapshot. So a cached page is never outdated, and this module need not know how fresh
the feed is.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import quote

from flask import Flask, render_template, request
from markupsafe import Markup

from igfeed.clock import iso
from igfeed.feed.picture_files import WIDTHS
from igfeed.feed.pictures import can_make_avif
from igfeed.models import FeedSnapshot
from igfeed.models.record import fingerprint
from igfeed.services import current
from igfeed.version import VERSION
from igfeed.web.addresses import FOR_FILES, own_origin
from igfeed.web.template_bytecode import TemplateBytecode
from igfeed.widget import page_cache
from igfeed.widget.alt_text import excerpt
from igfeed.widget.csp import embedded_sizing, policy
from igfeed.widget.layouts import layout_of
from igfeed.widget.layouts.picture_sizes import eager_pictures, picture_sizes
from igfeed.widget.options import CAROUSEL_PEEK, Options, requested_options
from igfeed.widget.page_addresses import (
    addresses_for_other_pages,
    asset_url,
    canonical_address,
    document_addresses,
    links_to_other_pages,
    oembed_address,
    picture_address,
    picture_url,
    video_url,
)
from igfeed.widget.page_cache import Page
from igfeed.widget.scripts import notice_scripts, page_scripts
from igfeed.widget.structured_data import gallery
from igfeed.widget.theme import theme
from igfeed.widget.tiles import tile, video_origins
from igfeed.widget.translations import language_of
from igfeed.widget.views import FeedFormat, View

MIDDLE_WIDTH = WIDTHS[1]
USUAL_FONT_SIZE = 16
"""Pixels that ``rem`` stands for in a browser whose owner has not changed it."""

cached_fingerprint = lru_cache(maxsize=100)(fingerprint)


def init_app(app: Flask) -> None:
    page_cache.init_app(app)
    app.jinja_env.bytecode_cache = TemplateBytecode(Path(app.root_path, app.template_folder or ""))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(excerpt=excerpt, path_part=partial(quote, safe=""))
    app.jinja_env.globals.update(asset_url=asset_url, picture_url=picture_url, video_url=video_url)
    app.jinja_env.globals.update(widths=WIDTHS, peek=CAROUSEL_PEEK)


def feed_page(view: View, snapshot: FeedSnapshot, options: Options, old_since: datetime | None) -> Page:
    """A page of the feed. ``old_since``: when an old feed was fetched, for a note to visitors; None for a fresh one."""

    def page_of(origin: str | None) -> Page:
        key = f"{cache_key(view, snapshot, options, origin)}:{'old' if old_since else 'new'}"
        return cached_page(key, lambda: _render_feed(view, snapshot, options, old_since, origin))

    return for_own_origin(snapshot, page_of)


def for_own_origin(snapshot: FeedSnapshot, page_of: Callable[[str | None], Page]) -> Page:
    """What ``page_of`` makes for our own origin. That is None if the request does not tell it."""
    settings = current().settings
    origin = own_origin(settings, request.environ)
    if origin is None or settings.base_url:
        return page_of(origin)
    # Anybody may send any host, and a cached page for each would fill the cache. So the cached page has a placeholder,
    # which is replaced in each response. No text of the snapshot can contain it, as it is made of their hash.
    placeholder = f"https://{snapshot.version}.invalid"
    return _with_origin(page_of(placeholder), placeholder, origin)


def cached_page(key: str, make: Callable[[], Page]) -> Page:
    page = page_cache.get(key)
    if page is None:
        page = make()
        page_cache.put(key, page)
    return page


def cache_key(view: View | FeedFormat, snapshot: FeedSnapshot, options: Options, origin: str | None) -> str:
    settings = current().settings
    deployment = cached_fingerprint(
        f"{origin}{request.root_path} {settings.language} {settings.frame_ancestors} {settings.posts}"
    )
    return f"{VERSION}:{deployment}:{view.name}:{snapshot.version}:{options.key}"


def feed_not_ready_page() -> Page:
    """For visitors while there is nothing to show. The reason is behind a link for the owner."""
    view = View.at(request.path) or View.PAGE
    return notice_page("widget/feed_not_ready.html", notice_scripts(view))


def page_not_found() -> Page:
    """For visitors of a wrong address. It may be in a frame, whose address somebody has mistyped."""
    return notice_page("widget/page_not_found.html")


def notice_page(template: str, scripts: Sequence[Markup] = (), **context: object) -> Page:
    """A page of text: a few lines in the middle, or with ``is_long`` in the context a text for reading."""
    query = request.environ.get("QUERY_STRING", "")
    view = View.at(request.path) or View.PAGE
    options = replace(requested_options(query, view, None), open="instagram")
    return _render(view, options, template, scripts, (), notice=True, **context)


def _with_origin(page: Page, placeholder: str, origin: str) -> Page:
    """The page with ``origin`` in place of the placeholder. An origin has no character that needs escaping."""
    body = page.body.replace(placeholder.encode(), origin.encode())
    return page if body == page.body else replace(page, body=body, etag=fingerprint(f"{page.etag} {origin}"))


def _render_feed(
    view: View, snapshot: FeedSnapshot, options: Options, old_since: datetime | None, origin: str | None
) -> Page:
    settings = current().settings
    chosen, first = options.chosen(snapshot.kept_posts), (options.page - 1) * options.limit
    shown = [snapshot.posts[place] for place in chosen[first : first + options.limit]]
    tiles = [tile(post, snapshot, settings) for post in shown]
    canonical, picture = canonical_address(origin, view, options.page), partial(picture_address, origin)
    return _render(
        view,
        options,
        view.template,
        [] if view is View.FRAGMENT else page_scripts(view, options),
        snapshot=snapshot,
        tiles=tiles,
        links=snapshot.choices.links,  # Those of later pages too: their posts come into the same document.
        as_of=language_of(settings.language).date(old_since) if old_since else None,
        avif=can_make_avif(),
        address=canonical,
        picture_address=picture,
        gallery=gallery(snapshot.profile, tiles, canonical, picture) if canonical else None,
        sizing=embedded_sizing(settings.frame_ancestors, origin),
        videos=video_origins(snapshot, settings),
        **_room(view, snapshot, options),
        **_for_programs(view, options),
        **_from_server(view, snapshot, options, origin),
        **links_to_other_pages(view, options, origin, len(chosen), snapshot.choices.look),
        **(addresses_for_other_pages(origin) if view is View.FRAGMENT else {}),
    )


def _for_programs(view: View, options: Options) -> dict[str, object]:
    """What programs find on a page of our own: its posts as documents, and microformats."""
    return {"documents": document_addresses(options), "marked": view is View.PAGE}


def _from_server(view: View, snapshot: FeedSnapshot, options: Options, origin: str | None) -> dict[str, object]:
    """What only a server gives: its oEmbed document, and the time of the fetch, as files of the same feed are equal."""
    if FOR_FILES in request.environ:
        return {}
    posts = len(options.chosen(snapshot.kept_posts))
    return {
        "fetched_at": iso(snapshot.fetched_at),
        "oembed": oembed_address(origin, view, options, posts, snapshot.choices.look),
    }


def _room(view: View, snapshot: FeedSnapshot, options: Options) -> dict[str, object]:
    """Where the tiles stand, how much room their pictures have, and how many of them load at once."""
    return {
        "eager": eager_pictures(view, options),
        "layout": layout_of(snapshot, options),
        "sizes": picture_sizes(options, view),
        "large_sizes": picture_sizes(options, view, larger=2),
        "size": (MIDDLE_WIDTH, round(MIDDLE_WIDTH * options.height / options.width)),
    }


def _render(
    view: View,
    options: Options,
    template: str,
    scripts: Sequence[Markup],
    videos: Collection[str] = (),
    **context: object,
) -> Page:
    """The template with style and scripts inside, so that nothing waits for another request."""
    code = current().settings.language
    style = _style(view, options, context)
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
    # The ETag covers the policy too, so that a changed IGFEED_FRAME_ANCESTORS reaches browsers that have the page.
    header = policy(
        style,
        scripts,
        videos if options.open == "lightbox" else (),
        current().settings.frame_ancestors,
        has_module=view is View.FRAGMENT,
    )
    return Page(body.encode(), fingerprint(header + body), header)


def _style(view: View, options: Options, context: Mapping[str, object]) -> Markup:
    is_notice = "notice" in context
    style = render_template(
        "widget/style.css",
        options=options,
        theme=theme(options, view),
        notice=is_notice,
        inline=view.is_a_part and not is_notice,
        **{name: context.get(name) for name in ("layout", "links", "is_long")},
    )
    return Markup(_in_pixels(style) if view is View.FRAGMENT else style)  # noqa: S704  numbers, colours and our own words


def _in_pixels(style: str) -> str:
    """The style without ``rem``, which would be relative to the font size of the page that a fragment stands in."""
    return re.sub(r"([\d.]+)rem", lambda found: f"{float(found[1]) * USUAL_FONT_SIZE:g}px", style)
