"""Renders pages, once for each snapshot, view and set of options.

The key of a cached page names its snapshot. So a cached page is never outdated, and this module need not know how fresh
the feed is.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from urllib.parse import quote

from flask import Flask, current_app, render_template, request, url_for
from markupsafe import Markup

from igfeed.clock import iso
from igfeed.feed.picture_files import WIDTHS, Format
from igfeed.feed.pictures import can_make_avif
from igfeed.models import FeedSnapshot
from igfeed.models.picture import SKETCH_SCHEME
from igfeed.models.record import fingerprint
from igfeed.services import current
from igfeed.version import VERSION
from igfeed.web.addresses import own_origin
from igfeed.web.template_bytecode import TemplateBytecode
from igfeed.widget import page_cache
from igfeed.widget.alt_text import excerpt
from igfeed.widget.csp import embedded_sizing, policy
from igfeed.widget.layouts import layout_of
from igfeed.widget.oembed.addresses import discovery_address
from igfeed.widget.options import CAROUSEL_PEEK, UNKNOWN_TAG, Options, default_options, requested_options
from igfeed.widget.page_cache import Page
from igfeed.widget.scripts import module_version, page_scripts
from igfeed.widget.structured_data import gallery
from igfeed.widget.theme import theme
from igfeed.widget.tiles import tile, video_origins
from igfeed.widget.translations import language_of
from igfeed.widget.views import View

MIDDLE_WIDTH = WIDTHS[1]
WIDEST_PAGE = 1140
"""Width of the grid on a wide screen in pixels, as in ``style.css``."""

EAGER_PICTURES = 4
"""How many pictures load with the page. The others load when they come near the screen."""

EAGER_PICTURES_IN_FRAME = 12
"""The same for each column of an embed, whose frame is itself loaded when it comes near the screen.

Inside a frame browsers load a lazy picture only when it is on the screen, and never for printing. It would be white on
paper.
"""
EAGER_PICTURES_LIMIT = 24

USUAL_FONT_SIZE = 16
"""Pixels that ``rem`` stands for in a browser whose owner has not changed it."""

cached_fingerprint = lru_cache(maxsize=100)(fingerprint)


def init_app(app: Flask) -> None:
    page_cache.init_app(app)
    app.jinja_env.bytecode_cache = TemplateBytecode(Path(app.root_path, app.template_folder or ""))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(excerpt=excerpt, path_part=partial(quote, safe=""))
    app.jinja_env.globals.update(asset_url=_asset_url, picture_url=_picture_url, video_url=_video_url)
    app.jinja_env.globals.update(widths=WIDTHS, peek=CAROUSEL_PEEK)


def feed_page(view: View, snapshot: FeedSnapshot, options: Options, old_since: datetime | None) -> Page:
    """A page of the feed. ``old_since``: when an old feed was fetched, for a note to visitors; None for a fresh one."""
    settings = current().settings
    origin = own_origin(settings, request.environ)
    if origin is None or settings.base_url:
        return _cached_page(view, snapshot, options, old_since, origin)
    # Anybody may send any host, and a cached page for each would fill the cache. So the cached page has a placeholder,
    # which is replaced in each response. No text of the snapshot can contain it, as it is made of their hash.
    placeholder = f"https://{snapshot.version}.invalid"
    return _with_origin(_cached_page(view, snapshot, options, old_since, placeholder), placeholder, origin)


def feed_not_ready_page() -> Page:
    """For visitors while there is nothing to show. The reason is behind a link for the owner."""
    return _notice("widget/feed_not_ready.html")


def page_not_found() -> Page:
    """For visitors of a wrong address. It may be in a frame, whose address somebody has mistyped."""
    return _notice("widget/page_not_found.html")


def _notice(template: str) -> Page:
    query = request.environ.get("QUERY_STRING", "")
    view = View.at(request.path) or View.PAGE
    return _render(view, replace(requested_options(query, view, None), open="instagram"), template, notice=True)


def _cached_page(
    view: View, snapshot: FeedSnapshot, options: Options, old_since: datetime | None, origin: str | None
) -> Page:
    key = f"{_cache_key(view, snapshot, options, origin)}:{'old' if old_since else 'new'}"
    page = page_cache.get(key)
    if page is None:
        page = _render_feed(view, snapshot, options, old_since, origin)
        page_cache.put(key, page)
    return page


def _with_origin(page: Page, placeholder: str, origin: str) -> Page:
    """The page with ``origin`` in place of the placeholder. An origin has no character that needs escaping."""
    body = page.body.replace(placeholder.encode(), origin.encode())
    return page if body == page.body else replace(page, body=body, etag=fingerprint(f"{page.etag} {origin}"))


def _cache_key(view: View, snapshot: FeedSnapshot, options: Options, origin: str | None) -> str:
    settings = current().settings
    deployment = cached_fingerprint(
        f"{origin}{request.root_path} {settings.language} {settings.frame_ancestors} {settings.posts}"
    )
    return f"{VERSION}:{deployment}:{view.name}:{snapshot.version}:{options.key}"


def _render_feed(
    view: View, snapshot: FeedSnapshot, options: Options, old_since: datetime | None, origin: str | None
) -> Page:
    settings = current().settings
    chosen, first = options.chosen(snapshot.kept_posts), (options.page - 1) * options.limit
    shown = [snapshot.posts[place] for place in chosen[first : first + options.limit]]
    tiles = [tile(post, snapshot.profile, settings) for post in shown]
    canonical, picture = _canonical_address(origin, view, options.page), partial(_picture_address, origin)
    return _render(
        view,
        options,
        view.template,
        snapshot=snapshot,
        tiles=tiles,
        fetched_at=iso(snapshot.fetched_at),
        as_of=language_of(settings.language).date(old_since) if old_since else None,
        avif=can_make_avif(),
        eager=_eager_pictures(view, options),
        address=canonical,
        picture_address=picture,
        gallery=gallery(snapshot.profile, tiles, canonical, picture) if canonical else None,
        sizing=embedded_sizing(settings.frame_ancestors, origin),
        oembed=_discovery_address(origin, view, options, len(chosen)),
        videos=video_origins(snapshot, settings),
        **_room(view, snapshot, options),
        **_links(view, options, origin, len(chosen)),
        **(_addresses_for_other_pages(origin) if view is View.FRAGMENT else {}),
    )


def _links(view: View, options: Options, origin: str | None, posts: int) -> dict[str, str | None]:
    """The links to newer and older posts. A fragment links to embeds with the same options, as it is no page itself."""
    prefix, defaults = "", default_options(view)
    if view is View.FRAGMENT:
        prefix, view, defaults = origin or "", View.EMBED, replace(default_options(View.EMBED), theme=defaults.theme)
    # Only what is kept can be shown: Instagram's older posts are not fetched for a page.
    pages = {"newer": options.page - 1, "older": options.page + 1 if options.page * options.limit < posts else 0}
    return {name: f"{prefix}{_link(view, options, defaults, page)}" if page else None for name, page in pages.items()}


def _addresses_for_other_pages(origin: str | None) -> dict[str, object]:
    """What the HTML of a fragment needs: it becomes a part of a page that is not ours, so no address is relative."""
    module = url_for("widget.inline_module", v=module_version())
    return {
        "part": True,
        "picture_url": partial(_picture_address, origin or ""),
        "video_url": partial(_video_url, origin=origin or ""),
        "module": f"{origin or ''}{module}",
    }


def _room(view: View, snapshot: FeedSnapshot, options: Options) -> dict[str, object]:
    """Where the tiles stand, and how much room their pictures have."""
    return {
        "layout": layout_of(snapshot, options),
        "sizes": _sizes(options, view),
        "large_sizes": _sizes(options, view, larger=2),
        "size": (MIDDLE_WIDTH, round(MIDDLE_WIDTH * options.height / options.width)),
    }


def _render(view: View, options: Options, template: str, videos: Collection[str] = (), **context: object) -> Page:
    """The template with style and scripts inside, so that nothing waits for another request."""
    code, is_notice = current().settings.language, "notice" in context
    style = _style(view, options, is_notice=is_notice, layout=context.get("layout"))
    scripts = [] if is_notice or view is View.FRAGMENT else page_scripts(view, options)
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


def _style(view: View, options: Options, *, is_notice: bool, layout: object) -> Markup:
    style = render_template(
        "widget/style.css",
        options=options,
        theme=theme(options, view),
        layout=layout,
        notice=is_notice,
        inline=view.is_a_part and not is_notice,
    )
    return Markup(_in_pixels(style) if view is View.FRAGMENT else style)  # noqa: S704  numbers, colours and our own words


def _in_pixels(style: str) -> str:
    """The style without ``rem``, which would be relative to the font size of the page that a fragment stands in."""
    return re.sub(r"([\d.]+)rem", lambda found: f"{float(found[1]) * USUAL_FONT_SIZE:g}px", style)


def _eager_pictures(view: View, options: Options) -> int:
    """How many pictures load at once. In one column posts are large and most of an embed's are off the screen."""
    if view is View.FRAGMENT:
        return 0  # Nobody knows where in a page it is.
    if view is View.PAGE:
        return EAGER_PICTURES
    return min(EAGER_PICTURES_LIMIT, EAGER_PICTURES_IN_FRAME * (options.columns or EAGER_PICTURES_LIMIT))


def _sizes(options: Options, view: View, larger: int = 1) -> str:
    """The ``sizes`` of a tile for the browser to choose a file by. The steps are those of ``style.css``."""
    more, widest = CAROUSEL_PEEK if options.layout == "carousel" else 0, WIDEST_PAGE if view is View.PAGE else None
    if options.columns:
        columns = (options.columns + more) / min(larger, options.columns)
        wide = f"(min-width: {widest}px) {widest / columns:.0f}px, " if widest else ""
        return f"{wide}{100 / columns:.0f}vw"
    shares = [f"{100 * larger / (columns + more):.0f}vw" for columns in (6, 4, 3, 2)]
    wide = f"(min-width: 1280px) {shares[0]}"
    if widest:
        wide = f"(min-width: {widest}px) {widest * larger / (4 + more):.0f}px"
    return f"{wide}, (min-width: 720px) {shares[1]}, (min-width: 360px) {shares[2]}, {shares[3]}"


def _link(view: View, options: Options, defaults: Options, page: int) -> str:
    query = options.query(defaults, page)
    return f"{_path(view)}?{query}" if query else _path(view)


def _discovery_address(origin: str | None, view: View, options: Options, posts: int) -> str | None:
    """Where the page's oEmbed document is. It names the page with its options."""
    # Among them is no limit that only says how many posts there are today.
    if origin is None or options.tag == UNKNOWN_TAG:
        return None
    page = _link(view, options, default_options(view).within(posts), options.page)
    return discovery_address(origin, request.root_path, page)


def _canonical_address(origin: str | None, view: View, page: int) -> str:
    """The canonical address for search engines. Empty if our origin is unknown."""
    return f"{origin}{_path(view)}{f'?page={page}' if page > 1 else ''}" if origin else ""


def _path(view: View) -> str:
    """The path as visitors see it, with the prefix under which a proxy mounts the app."""
    return f"{request.root_path}{view.path}"


def _picture_address(origin: str | None, picture_id: str, width: int, format_: Format = "webp") -> str:
    return f"{origin}{_picture_url(picture_id, width, format_)}"


def _picture_url(picture_id: str, width: int, format_: Format = "webp") -> str:
    return url_for("widget.media", name=f"{picture_id}-{width}", format_=format_)


def _video_url(address: str, origin: str = "") -> str:
    """Instagram's address of a video. The sample account has files of ours."""
    name = address.removeprefix(SKETCH_SCHEME)
    return address if name == address else f"{origin}{_asset_url(f'demo/{name}.mp4')}"


def _asset_url(name: str) -> str:
    """With a hash of the content, so that browsers may cache it for good."""
    return url_for("static", filename=name, v=static_hash(Path(current_app.static_folder or "") / name))


@cache
def static_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
