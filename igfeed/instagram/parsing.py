"""Instagram's JSON turned into our nouns.

On the wire a missing field is absent, never null; a profile may come flat or inside a list; media types beyond the
three known ones may appear (recorded replies, Meta's documentation of IG User and IG Media).
"""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from igfeed.errors import UnexpectedAnswer
from igfeed.models import Picture, Post, Profile

log = logging.getLogger(__name__)

MEDIA_ID = re.compile(r"\d{1,32}(_\d{1,32})?", re.ASCII)

HOST = re.compile(r"([a-z0-9-]+\.)*instagram\.com", re.ASCII | re.IGNORECASE)
"""Whole names only: browsers take a backslash for the end of the host, ``urlsplit`` does not."""

T = TypeVar("T")


def profile(data: dict[str, Any]) -> Profile:
    if isinstance(data.get("data"), list) and data["data"]:
        data = data["data"][0]
    username = _lenient(data, "username", _text) if isinstance(data, dict) else None
    if not username:
        raise UnexpectedAnswer("Instagram sent a profile without a user name.")
    return Profile(
        username=username,
        name=_lenient(data, "name", _text),
        biography=_lenient(data, "biography", _text),
        website=_lenient(data, "website", _text),
        picture_url=_lenient(data, "profile_picture_url", _text),
        media_count=_lenient(data, "media_count", _count),
        followers_count=_lenient(data, "followers_count", _count),
        follows_count=_lenient(data, "follows_count", _count),
    )


def posts(data: dict[str, Any]) -> Iterator[Post]:
    """The posts of one page; one that cannot be read is left out with a warning."""
    items = data.get("data")
    if not isinstance(items, list):
        raise UnexpectedAnswer("Instagram sent a media list without a list.")
    for item in items:
        try:
            yield _post(item)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            log.warning("A post that cannot be read is left out (%s)", type(error).__name__)


def next_cursor(data: dict[str, Any]) -> str | None:
    """Where the next page begins. ``paging.next`` itself holds the access token, so only its presence counts."""
    try:
        return _text(data["paging"]["cursors"]["after"]) if data["paging"]["next"] else None
    except (KeyError, TypeError):
        return None


def _post(item: dict[str, Any]) -> Post:
    children = _children(item)
    return Post(
        picture=_picture(item, children),
        media_type=_text(item["media_type"]),
        permalink=_permalink(item),
        timestamp=_timestamp(item),
        caption=_optional(item, "caption", _text),
        alt_text=_optional(item, "alt_text", _text),
        product_type=_optional(item, "media_product_type", _text),
        like_count=_lenient(item, "like_count", _count),
        comments_count=_lenient(item, "comments_count", _count),
        children=children,
    )


def _children(item: dict[str, Any]) -> tuple[Picture, ...]:
    return tuple(_picture(child) for child in item.get("children", {}).get("data", ()))


def _picture(item: dict[str, Any], children: tuple[Picture, ...] = ()) -> Picture:
    """What there is to see: a video's thumbnail, an album's first picture that has an address."""
    if not MEDIA_ID.fullmatch(item["id"]):
        raise ValueError("a media id is digits")
    media_url, thumbnail = (_optional(item, name, _text) for name in ("media_url", "thumbnail_url"))
    if item.get("media_type") == "VIDEO":
        return Picture(item["id"], url=thumbnail, video_url=media_url)
    first = next((child.url for child in children if child.url), None)
    return Picture(item["id"], url=thumbnail or media_url or first)


def _permalink(item: dict[str, Any]) -> str | None:
    """The address of the post, unless it leads anywhere but to Instagram."""
    permalink = _lenient(item, "permalink", _text) or ""
    try:
        parts = urlsplit(permalink)
    except ValueError:
        return None
    return permalink if parts.scheme == "https" and HOST.fullmatch(parts.netloc) else None


def _timestamp(item: dict[str, Any]) -> datetime | None:
    """Sent as ``2026-06-22T10:45:00+0000``."""
    text = _optional(item, "timestamp", _text)
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _text(value: object) -> str:
    """Without NUL and without lone halves of a surrogate pair, which no page can be encoded with."""
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value.encode("utf-8", "replace").decode().replace("\0", "")


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a number was expected")
    return value


def _optional(item: dict[str, Any], name: str, parse: Callable[[object], T]) -> T | None:
    return None if item.get(name) is None else parse(item[name])


def _lenient(data: dict[str, Any], name: str, parse: Callable[[object], T]) -> T | None:
    """A field that is not worth losing a post or the profile for: None where it is missing or odd."""
    try:
        return _optional(data, name, parse)
    except TypeError:
        return None
