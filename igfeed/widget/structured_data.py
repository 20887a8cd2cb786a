"""What search engines are told of the page, in schema.org's words."""

from collections.abc import Callable, Iterable
from typing import Any

from igfeed.feed.pictures import WIDTHS
from igfeed.models import Profile
from igfeed.widget.tiles import Tile

Addresses = Callable[[str, int], str]
"""The absolute address of a picture by its id and width."""


def gallery(profile: Profile, tiles: Iterable[Tile], address: str, picture: Addresses) -> dict[str, Any]:
    """The page as an ImageGallery, for JSON-LD."""
    return {
        "@context": "https://schema.org",
        "@type": "ImageGallery",
        "name": profile.name or f"@{profile.username}",
        "url": address,
        "image": [_image(tile, picture) for tile in tiles if not tile.post.picture.is_absent],
    }


def _image(tile: Tile, picture: Addresses) -> dict[str, str]:
    post = tile.post
    image = {
        "@type": "ImageObject",
        "contentUrl": picture(post.id, WIDTHS[-1]),
        "thumbnailUrl": picture(post.id, WIDTHS[0]),
        "caption": tile.alt,
    }
    return image | ({"uploadDate": post.timestamp.isoformat()} if post.timestamp else {})
