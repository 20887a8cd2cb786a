"""The addresses that a page names: of other pages, of pictures and videos, and of our static files."""

import hashlib
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlencode

from flask import current_app, request, url_for

from igfeed.feed.picture_files import Format
from igfeed.models.picture import SKETCH_SCHEME
from igfeed.web.account_paths import without_account
from igfeed.widget.oembed.addresses import discovery_address
from igfeed.widget.options import UNKNOWN_TAG, Options, default_options
from igfeed.widget.scripts import module_version
from igfeed.widget.views import FeedFormat, View


def links_to_other_pages(
    view: View, options: Options, origin: str | None, posts: int, look: str
) -> dict[str, str | None]:
    """The links to newer and older posts. A fragment links to embeds with the same options, as it is no page itself.

    ``look`` are the options that embeds have by the owner's choice: a link need not name them.
    """
    prefix, defaults = "", default_options(view, look)
    if view is View.FRAGMENT:
        usual = default_options(View.EMBED, look)
        prefix, view, defaults = origin or "", View.EMBED, replace(usual, theme=defaults.theme)
    # Only what is kept can be shown: Instagram's older posts are not fetched for a page.
    pages = {"newer": options.page - 1, "older": options.page + 1 if options.page * options.limit < posts else 0}
    return {name: f"{prefix}{_link(view, options, defaults, page)}" if page else None for name, page in pages.items()}


def oembed_address(origin: str | None, view: View, options: Options, posts: int, look: str) -> str | None:
    """Where the page's oEmbed document is. It names the page with its options. ``look``: see above."""
    # Among them is no limit that only says how many posts there are today.
    if origin is None or options.tag == UNKNOWN_TAG:
        return None
    page = _link(view, options, default_options(view, look).within(posts), options.page)
    return discovery_address(origin, request.root_path, page)


def canonical_address(origin: str | None, view: View, page: int) -> str:
    """The canonical address for search engines. Empty if our origin is unknown."""
    return f"{origin}{_path(view)}{f'?page={page}' if page > 1 else ''}" if origin else ""


def feed_address(origin: str, format_: FeedFormat, options: Options, posts: int) -> str | None:
    """The address of the document that these options choose from so many posts. None if no address chooses the same."""
    if options.tag == UNKNOWN_TAG:
        return None
    return f"{origin}{_link(format_, options, default_options(format_).within(posts), options.page)}"


def document_addresses(options: Options) -> dict[str, str]:
    """The documents with the page's choice of posts, for its head: their addresses by media type."""
    chosen = {"type": options.type, "tag": None if options.tag == UNKNOWN_TAG else options.tag}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return {each.content_type.partition(";")[0]: f"{_path(each)}{f'?{query}' if query else ''}" for each in FeedFormat}


def addresses_for_other_pages(origin: str | None) -> dict[str, object]:
    """What the HTML of a fragment needs: it becomes a part of a page that is not ours, so no address is relative."""
    module = url_for("widget.inline_module", v=module_version())
    return {
        "part": True,
        "picture_url": partial(picture_address, origin or ""),
        "video_url": partial(video_url, origin=origin or ""),
        "module": f"{origin or ''}{module}",
    }


def picture_address(origin: str | None, picture_id: str, width: int, format_: Format = "webp") -> str:
    return f"{origin}{picture_url(picture_id, width, format_)}"


def picture_url(picture_id: str, width: int, format_: Format = "webp") -> str:
    return url_for("widget.media", name=f"{picture_id}-{width}", format_=format_)


def video_url(address: str, origin: str = "") -> str:
    """Instagram's address of a video. The sample account has files of ours."""
    name = address.removeprefix(SKETCH_SCHEME)
    return address if name == address else f"{origin}{asset_url(f'demo/{name}.mp4')}"


def asset_url(name: str) -> str:
    """With a hash of the content, so that browsers may cache it for good."""
    address = url_for("static", filename=name, v=static_hash(Path(current_app.static_folder or "") / name))
    return without_account(request.environ, address)  # All accounts share these files, and so their cached copies.


def _link(view: View | FeedFormat, options: Options, defaults: Options, page: int) -> str:
    query = options.query(defaults, page)
    return f"{_path(view)}?{query}" if query else _path(view)


def _path(view: View | FeedFormat) -> str:
    """The path as visitors see it, with the prefix under which a proxy mounts the app."""
    return f"{request.root_path}{view.value}"


@cache
def static_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
