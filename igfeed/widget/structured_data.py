"""Structured data for search engines, in the vocabulary of schema.org."""

from collections.abc import Callable, Iterable
from typing import Any

from igfeed.feed.picture_files import WIDTHS
from igfeed.models import Profile
from igfeed.widget.tiles import Tile

PictureAddress = Callable[[str, int], str]
"""Gives the absolute address of a picture by its id and width in pixels."""


def gallery(profile: Profile, tiles: Iterable[Tile], address: str, picture: PictureAddress) -> dict[str, Any]:
    """The page as an ImageGallery, for JSON-LD."""
    return {
        "@context": "https://schema.org",
        "@type": "ImageGallery",
        "name": profile.name or f"@{profile.username}",
        "url": address,
        "image": [_image(tile, picture) for tile in tiles if not tile.post.picture.is_absent],
    }


def _image(tile: Tile, picture: PictureAddress) -> dict[str, str]:
    post = tile.post
    image = {
        "@type": "ImageObject",
        "contentUrl": picture(post.id, WIDTHS[-1]),
        "thumbnailUrl": picture(post.id, WIDTHS[0]),
        "caption": tile.alt,
    }
    return image | ({"uploadDate": post.timestamp.isoformat()} if post.timestamp else {})
