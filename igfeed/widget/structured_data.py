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
    credit = _credit(profile)
    return {
        "@context": "https://schema.org",
        "@type": "ImageGallery",
        "name": _name(profile),
        "url": address,
        "image": [_image(tile, picture) | credit for tile in tiles if not tile.post.picture.is_absent],
    }


def _credit(profile: Profile) -> dict[str, Any]:
    """Whose pictures they are. Google shows no metadata of an image without one of these."""
    name = _name(profile)
    kind = "Organization" if (profile.account_type or "").upper() == "BUSINESS" else "Person"
    return {
        "creator": {"@type": kind, "name": name, "url": profile.address},
        "creditText": name,
        "copyrightNotice": f"© {name}",
    }


def _name(profile: Profile) -> str:
    return profile.name or f"@{profile.username}"


def _image(tile: Tile, picture: PictureAddress) -> dict[str, Any]:
    post = tile.post
    image = {
        "@type": "ImageObject",
        "contentUrl": picture(post.id, WIDTHS[-1]),
        "thumbnailUrl": picture(post.id, WIDTHS[0]),
        "caption": tile.alt,
    }
    return image | ({"uploadDate": post.timestamp.isoformat()} if post.timestamp else {})
