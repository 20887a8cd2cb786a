"""Turns Instagram's JSON into our models.

In the JSON a missing field is absent, never null; a profile may come alone or inside a list; media types other than the
three known ones may appear (recorded replies, Meta's documentation of IG User and IG Media). A field with an odd value
counts as missing, and the rest of its post or profile is kept. Only the id must be readable, and a post must have
something to show or to link to.
"""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from igfeed.errors import UnexpectedAnswer
from igfeed.models import AlbumPicture, Picture, Post, Profile, SkippedEntry, Token, record
from igfeed.models.token import TOKEN_LIFETIME
from igfeed.texts.cleaning import clean

log = logging.getLogger(__name__)

MEDIA_ID, ADDRESS, PERMALINK = (re.compile(each) for each in (record.MEDIA_ID, record.ADDRESS, record.PERMALINK))

FILM = re.compile(r"[^?#]+\.(mp4|m4v|mov|webm)([?#]|$)", re.IGNORECASE)
"""The address of a video file. Why its path decides: other types than VIDEO have videos too, and no field says so."""

POST_TIMES = range(1_262_304_000, 4_102_444_800)
"""Unix seconds from 2010, the year Instagram began, to the end of 2099. A post's time outside of it is a mistake."""

MAX_LIFETIME = 10 * 365 * 24 * 3600
"""Seconds. A larger number is a date, a number of milliseconds, or an error."""

T = TypeVar("T")


def token(data: dict[str, Any], asked_at: datetime) -> Token:
    """The token in a reply. ``asked_at`` is when it was asked for, so its lifetime cannot have begun earlier.

    In some replies of Meta's token calls the lifetime was missing, was a text, or had another name. The token is used
    nevertheless: if its lifetime cannot be read, its expiry is None, so its renewal is due. Raises UnexpectedAnswer.
    """
    data = _flat(data)
    value = data.get("access_token")
    value = value.strip() if isinstance(value, str) else ""
    # Printable ASCII without spaces, because the token is sent in a URL.
    if not re.fullmatch(r"[!-~]+", value):
        raise UnexpectedAnswer("Instagram sent no token that can be read.")
    lifetime = _lifetime(data.get("expires_in")) or _lifetime(data.get("expires"))
    return Token(value, issued_at=asked_at, expires_at=asked_at + lifetime if lifetime else None)


def _lifetime(value: object) -> timedelta | None:
    """The lifetime in a field, None if it is no number of seconds.

    At most TOKEN_LIFETIME: a token that is renewed too early loses nothing.
    """
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return None
    return min(timedelta(seconds=int(seconds)), TOKEN_LIFETIME) if 1 <= seconds <= MAX_LIFETIME else None


def _flat(data: dict[str, Any]) -> dict[str, Any]:
    """The object itself, or the first object in its list ``data``, as some replies in Meta's documentation have it."""
    items = data.get("data")
    if isinstance(items, list) and items:
        return items[0] if isinstance(items[0], dict) else {}
    return data


def profile(data: dict[str, Any]) -> Profile:
    """Raises UnexpectedAnswer if there is no user name."""
    data = _flat(data)
    username = _field(data, "username", _text)
    if not username:
        raise UnexpectedAnswer("Instagram sent a profile without a user name.")
    return Profile(
        username=username,
        name=_field(data, "name", _text),
        biography=_field(data, "biography", _text),
        website=_field(data, "website", _text),
        picture_url=_field(data, "profile_picture_url", _address),
        media_count=_field(data, "media_count", _count),
        followers_count=_field(data, "followers_count", _count),
        follows_count=_field(data, "follows_count", _count),
        ids=frozenset(filter(None, (account_id(data.get(name)) for name in ("id", "user_id")))),
        account_type=_field(data, "account_type", _text),
    )


def account_id(value: object) -> str | None:
    """An id of an account, as digits. Some replies have it as a number, and some have none."""
    try:
        return _id(value)
    except ValueError:
        return None


def posts(data: dict[str, Any]) -> Iterator[Post | SkippedEntry]:
    """The posts of one page, and a SkippedEntry for each trial reel and (with a warning) for each unreadable entry.

    Raises UnexpectedAnswer if there is no list.
    """
    items = data.get("data")
    if not isinstance(items, list):
        raise UnexpectedAnswer("Instagram sent a media list without a list.")
    for item in items:
        # One post that cannot be read must not hide all the others.
        try:
            yield _post(item)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            log.warning("A post that cannot be read is left out (%s)", type(error).__name__)
            yield SkippedEntry(_field(item, "id", _id) if isinstance(item, dict) else None, "unreadable")


def next_cursor(data: dict[str, Any]) -> str | None:
    """The cursor of the next page, None after the last.

    ``paging.next`` contains the access token, so it is not used.
    """
    try:
        after = data["paging"]["cursors"]["after"] if data["paging"]["next"] else None
    except (KeyError, TypeError):
        return None
    return after if isinstance(after, str) else None


def _post(item: dict[str, Any]) -> Post | SkippedEntry:
    """The post, or a SkippedEntry for a trial reel.

    Instagram lists a trial reel but shows it only to people who do not follow the account (Meta's documentation of
    ``is_shared_to_feed``).
    """
    media_id = _id(item["id"])
    if item.get("is_shared_to_feed") is not False:
        return _readable_post(item)
    try:
        return SkippedEntry(media_id, "trial", _readable_post(item))
    except ValueError:
        return SkippedEntry(media_id, "trial")


def _readable_post(item: dict[str, Any]) -> Post:
    """Raises ValueError if there is nothing to show and nothing to link to."""
    children = tuple(_children(item))
    post = Post(
        picture=_picture(item, children),
        media_type=_media_type(item, children),
        permalink=_field(item, "permalink", _permalink),
        timestamp=_field(item, "timestamp", _timestamp),
        caption=_field(item, "caption", _text),
        alt_text=_field(item, "alt_text", _text),
        product_type=_field(item, "media_product_type", _text),
        like_count=_field(item, "like_count", _count),
        comments_count=_field(item, "comments_count", _count),
        children=children,
    )
    if not (post.permalink or post.picture.url or post.picture.video_url or children):
        raise ValueError("there is nothing to show and nothing to link to")
    return post


def _media_type(item: dict[str, Any], children: tuple[Picture, ...]) -> str:
    """The field as sent. If it is missing, the type that the other fields suggest."""
    if sent := _field(item, "media_type", _text):
        return sent
    if children:
        return "CAROUSEL_ALBUM"
    return "VIDEO" if _is_film(item) or item.get("thumbnail_url") else "IMAGE"


def _children(item: dict[str, Any]) -> Iterator[AlbumPicture]:
    """The slides of an album. A child without picture and video is left out: it would be an empty slide."""
    children = item.get("children")
    items = children.get("data") if isinstance(children, dict) else children
    for child in items if isinstance(items, list) else ():
        media_id = _field(child, "id", _id) if isinstance(child, dict) else None
        picture = _picture(child) if media_id else None
        if picture and (picture.url or picture.video_url):
            yield AlbumPicture(picture.id, picture.url, picture.video_url)


def _picture(item: dict[str, Any], children: tuple[Picture, ...] = ()) -> Picture:
    """The picture to show: a video's thumbnail, or the first picture of an album that has an address.

    The ``media_url`` of an album is that of its first child. So a video there belongs to the child, not to the album.
    """
    media, thumbnail = _field(item, "media_url", _address), _field(item, "thumbnail_url", _address)
    is_film, first_child = _is_film(item), next((child.url for child in children if child.url), None)
    return Picture(
        _id(item["id"]),
        url=thumbnail or (None if is_film else media) or first_child,
        video_url=media if is_film and not children else None,
    )


def _is_film(item: dict[str, Any]) -> bool:
    address = _field(item, "media_url", _address) or ""
    return item.get("media_type") == "VIDEO" or FILM.match(address) is not None


def _id(value: object) -> str:
    """Instagram sends ids as texts. Numbers are accepted too: the ``user_id`` of the code exchange is one."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not MEDIA_ID.match(text):
        raise ValueError("a media id is digits")
    return text


def _permalink(value: object) -> str:
    permalink = _text(value)
    if not PERMALINK.match(permalink):
        raise ValueError("it leads elsewhere than to Instagram")
    return permalink


def _address(value: object) -> str:
    address = _text(value)
    # An address that cleaning changes had odd characters, so it is not the address of a file any more.
    if address != value or not ADDRESS.match(address):
        raise ValueError("no address on the web")
    return address


def _timestamp(value: Any) -> datetime:
    """Instagram sends ``2026-06-22T10:45:00+0000``. Plausible Unix seconds are accepted too."""
    if isinstance(value, str) and not value.isdecimal():
        moment = datetime.fromisoformat(value)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    else:
        seconds = int(value)
    if int(seconds) not in POST_TIMES:
        raise ValueError("no time that a post can have")
    return datetime.fromtimestamp(seconds, UTC)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    text = clean(value)
    if text is None:
        raise ValueError("nothing of it can be seen")
    return text


def _count(value: object) -> int:
    # In Python, True is an int.
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a number was expected")
    if not 0 <= value <= record.MAX_COUNTED:
        raise ValueError("no number of anything")
    return value


def _field(data: dict[str, Any], name: str, parse: Callable[[object], T]) -> T | None:
    """The parsed field, None if it is missing or odd."""
    try:
        return None if data.get(name) is None else parse(data[name])
    except (TypeError, ValueError, OverflowError):
        return None
