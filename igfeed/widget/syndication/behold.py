"""The feed in the shape of Behold's JSON feeds, so that a program made for these needs a new address only.

The fields are those of Behold's published types (``@behold/types`` 0.3.4 on npm), written as its feeds write them. What
igfeed does not know is null.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from igfeed.clock import iso
from igfeed.models import Picture
from igfeed.texts.caption_links import Part
from igfeed.widget.alt_text import from_instagram
from igfeed.widget.page_addresses import video_url
from igfeed.widget.syndication import contents
from igfeed.widget.syndication.feed import Feed
from igfeed.widget.syndication.picture_sizes import picture_sizes
from igfeed.widget.tiles import Slide, Tile

SIZE_NAMES = ("small", "medium", "large")
"""Of our three sizes. Behold's ``full`` is the original, so here it is the largest of ours."""

SPACES = re.compile(r"[^\S\n]+")
EMPTY_LINES = re.compile(r"\n{3,}")

Json = dict[str, Any]


def document(feed: Feed) -> str:
    profile = feed.profile
    text = {
        "username": profile.username,
        "biography": profile.biography,
        "profilePictureUrl": feed.portrait,
        "website": profile.website,
        "followersCount": profile.followers_count,
        "followsCount": profile.follows_count,
        "posts": [_post(feed, tile) for tile in feed.tiles],
    }
    return json.dumps(text, ensure_ascii=False, separators=(",", ":"))


def _post(feed: Feed, tile: Tile) -> Json:
    post = tile.post
    own = tile.slides[0] if not post.children else None
    return {
        "id": post.id,
        "timestamp": iso(post.timestamp) if post.timestamp else None,
        "permalink": post.permalink,
        "mediaType": post.media_type,
        "isReel": tile.kind == "reel",
        **(_media(feed, own) if own else {"mediaUrl": feed.picture(post.picture)}),
        **_looks(feed, post.picture),
        "caption": post.caption,
        "prunedCaption": _pruned(tile.caption_parts) or None,
        "altText": from_instagram(post.alt_text or "") or None,
        "hashtags": contents.hashtags(tile),
        "mentions": contents.mentions(tile),
        "likeCount": post.like_count,
        "commentsCount": post.comments_count,
        **({"children": [_child(feed, slide) for slide in tile.slides]} if post.children else {}),
    }


def _child(feed: Feed, slide: Slide) -> Json:
    """One picture or video of an album. Instagram has no alternative text for it."""
    return {
        "id": slide.picture.id,
        "mediaType": "VIDEO" if slide.is_video else "IMAGE",
        **_media(feed, slide),
        **_looks(feed, slide.picture),
        "altText": None,
    }


def _media(feed: Feed, slide: Slide) -> Json:
    """The addresses of the picture, or of the video with its still picture."""
    picture = feed.picture(slide.picture)
    if not slide.is_video:
        return {"mediaUrl": picture}
    return {"mediaUrl": video_url(slide.video, feed.origin) if slide.video else None, "thumbnailUrl": picture}


def _looks(feed: Feed, picture: Picture) -> Json:
    """Sizes and colours. igfeed knows one colour, the average, which serves as Behold's dominant one."""
    sizes = [
        {"mediaUrl": feed.picture_in(picture, size), "width": size.width, "height": size.height}
        for size in picture_sizes(picture)
    ]
    colour = picture.colour
    return {
        "sizes": {**dict(zip(SIZE_NAMES, sizes, strict=True)), "full": sizes[-1]} if sizes else None,
        "colorPalette": {"dominant": ",".join(map(str, bytes.fromhex(colour[1:])))} if colour else None,
    }


def _pruned(parts: Sequence[Part]) -> str:
    """The caption without its hashtags, and without the spaces that they leave."""
    texts = (part.text for part in parts if not (part.address and part.text.startswith("#")))
    lines = (SPACES.sub(" ", line).strip() for line in "".join(texts).split("\n"))
    return EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
