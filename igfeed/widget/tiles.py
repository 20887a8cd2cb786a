"""A post as the page shows it: a tile in the grid, and the slides of the opened post."""

import re
from collections.abc import Iterator

from msgspec import Struct

from igfeed.config import Settings
from igfeed.models import FeedSnapshot, Picture, Post, PostLink
from igfeed.models.picture import SKETCH_SCHEME
from igfeed.origins import origin_of
from igfeed.texts.caption_links import Part, caption_parts
from igfeed.texts.sentences import shortened
from igfeed.widget.alt_text import alt_text, alt_text_beside_caption
from igfeed.widget.translations import Language, language_of

MAX_FIRST_LINE_LENGTH = 90
"""Characters. A tile has room for two short lines of text."""


class Slide(Struct, frozen=True):
    """One picture of an opened post. ``video`` is the address of the video that belongs to it, if we may play that."""

    picture: Picture
    alt: str
    video: str | None
    is_video: bool


class Tile(Struct, frozen=True):
    """``kind`` is ``album``, ``video`` or ``reel``, and ``badge`` its name for visitors; both None for a photo.

    ``alt_beside_caption`` is the alternative text for where the caption is shown too. ``first_line`` is that of the
    caption, and ``caption_parts`` are the whole caption with its links. ``likes`` and ``comments`` are their numbers,
    None if unknown or zero; ``counts`` are those that are neither, with the nouns. ``own_link`` is the owner's link for
    the post.
    """

    post: Post
    alt: str
    alt_beside_caption: str
    caption: str
    first_line: str
    caption_parts: tuple[Part, ...]
    likes: str | None
    comments: str | None
    date: str | None
    counts: tuple[str, ...]
    kind: str | None
    badge: str | None
    slides: tuple[Slide, ...]
    own_link: PostLink | None


def tile(post: Post, snapshot: FeedSnapshot, settings: Settings) -> Tile:
    own, username = language_of(settings.language), snapshot.profile.username
    alt, kind, words = alt_text(post, username, own), _kind(post), own.words
    caption = (post.caption or "").strip()
    return Tile(
        post=post,
        alt=alt,
        alt_beside_caption=alt_text_beside_caption(post, username, own) if caption else alt,
        caption=caption,
        first_line=_first_line(caption),
        caption_parts=tuple(caption_parts(caption)),
        likes=own.number(post.like_count) if post.like_count else None,
        comments=own.number(post.comments_count) if post.comments_count else None,
        date=own.date(post.timestamp) if post.timestamp else None,
        counts=tuple(_counts(post, own)),
        kind=kind,
        badge={"album": words.album_badge, "video": words.video_badge, "reel": words.reel_badge}.get(kind or ""),
        slides=tuple(_slides(post, alt, settings)),
        own_link=snapshot.choices.link_of(post.id),
    )


def video_origins(snapshot: FeedSnapshot, settings: Settings) -> frozenset[str]:
    """The origins of all videos of the feed: posts of later pages come into the same document."""
    addresses = (_video(picture, settings) for picture in snapshot.pictures())
    # The videos of the sample account are files of ours, and their addresses have no origin.
    return frozenset(origin_of(address) or "'self'" for address in addresses if address)


def _first_line(caption: str) -> str:
    """The first line with a word in it, or else the first one. Empty without a caption."""
    lines = caption.splitlines() or [""]
    return shortened(next(filter(re.compile(r"\w").search, lines), lines[0]).strip(), MAX_FIRST_LINE_LENGTH)


def _counts(post: Post, own: Language) -> Iterator[str]:
    for number, noun in ((post.like_count, own.words.likes), (post.comments_count, own.words.comments)):
        if number:
            yield f"{own.number(number)} {noun.after(number)}"


def _kind(post: Post) -> str | None:
    if post.media_type == "CAROUSEL_ALBUM":
        return "album"
    if post.media_type != "VIDEO":
        return None
    # `product_type` is an optional field of Instagram's. The address of a reel tells it too.
    is_reel = post.product_type == "REELS" or "/reel/" in (post.permalink or "")
    return "reel" if is_reel else "video"


def _slides(post: Post, alt: str, settings: Settings) -> Iterator[Slide]:
    pictures = post.children or (post.picture,)
    for number, picture in enumerate(pictures, start=1):
        text = f"{alt} ({number}/{len(pictures)})" if len(pictures) > 1 else alt
        is_video = bool(picture.video_url) or (post.media_type == "VIDEO" and picture is post.picture)
        yield Slide(picture, text, _video(picture, settings), is_video)


def _video(picture: Picture, settings: Settings) -> str | None:
    """The address of the video, if it is on one of Instagram's hosts, or of the sample account."""
    address = picture.video_url or ""
    is_sample = settings.demo and address.startswith(SKETCH_SCHEME)
    return address if is_sample or settings.media_origins.allow(address) else None
