"""The feed as a JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from igfeed.clock import iso
from igfeed.models import Picture
from igfeed.widget.syndication import contents
from igfeed.widget.syndication.feed import Feed
from igfeed.widget.syndication.picture_sizes import picture_sizes
from igfeed.widget.tiles import Slide, Tile

VERSION = "https://jsonfeed.org/version/1.1"

PICTURE_TYPE = "image/webp"
"""The media type of our own pictures."""

Json = dict[str, Any]


def document(feed: Feed) -> str:
    return json.dumps(fields(feed), ensure_ascii=False, separators=(",", ":"))


def fields(feed: Feed) -> Json:
    """The fields of the document."""
    author = {"name": feed.name, "url": feed.profile.address, "avatar": feed.portrait}
    return _known(
        {
            "version": VERSION,
            "title": feed.title,
            "home_page_url": feed.home_page,
            "feed_url": feed.address,
            "description": feed.profile.biography,
            "icon": feed.portrait,
            "authors": [_known(author)],
            "items": [item(feed, tile) for tile in feed.tiles],
        }
    )


def item(feed: Feed, tile: Tile) -> Json:
    """One post. What is not known is absent, and null in ``_igfeed``."""
    post = tile.post
    return _known(
        {
            "id": post.id,
            "url": post.permalink,
            "external_url": tile.own_link.url if tile.own_link else None,
            "title": contents.title(tile),
            "content_html": str(contents.html(feed, tile)),
            "content_text": tile.caption or None,
            "image": feed.picture(post.picture),
            "date_published": iso(post.timestamp) if post.timestamp else None,
            "tags": contents.hashtags(tile) or None,
            "attachments": [*_attachments(feed, tile)] or None,
            "_igfeed": _own_fields(feed, tile),
        }
    )


def _own_fields(feed: Feed, tile: Tile) -> Json:
    post = tile.post
    return {
        "media_type": post.media_type,
        "alt_text": tile.alt,
        "like_count": post.like_count,
        "comments_count": post.comments_count,
        "colour": post.picture.colour,
        "sizes": _sizes(feed, post.picture),
        "children": [_child(feed, slide) for slide in tile.slides] if post.children else [],
    }


def _child(feed: Feed, slide: Slide) -> Json:
    """One picture or video of an album."""
    return {
        "id": slide.picture.id,
        "media_type": "VIDEO" if slide.is_video else "IMAGE",
        "alt_text": slide.alt,
        "colour": slide.picture.colour,
        "sizes": _sizes(feed, slide.picture),
    }


def _sizes(feed: Feed, picture: Picture) -> list[Json]:
    return [
        {"url": feed.picture_in(picture, size), "width": size.width, "height": size.height}
        for size in picture_sizes(picture)
    ]


def _attachments(feed: Feed, tile: Tile) -> Iterator[Json]:
    """The pictures of an album. A single picture is the item's ``image`` already."""
    for slide in tile.slides if tile.post.children else ():
        address = feed.picture(slide.picture)
        if address:
            yield {"url": address, "mime_type": PICTURE_TYPE, "title": slide.alt}


def _known(fields: Mapping[str, Any]) -> Json:
    """JSON Feed has no null: what is not known is left out."""
    return {name: value for name, value in fields.items() if value is not None}
