"""The small picture in an oEmbed document: that of the first post, from our own store."""

from collections.abc import Iterable

from flask import url_for

from igfeed.errors import PictureUnavailable
from igfeed.feed.picture_files import WIDTHS, PictureFiles
from igfeed.models import Post

THUMBNAIL_WIDTHS = WIDTHS[1::-1]
"""The widest first. The largest file of all would be more than a preview needs."""


def thumbnail(
    posts: Iterable[Post], files: PictureFiles, origin: str, most_width: int | None, most_height: int | None
) -> dict[str, str | int]:
    """The thumbnail's part of the document. Empty if no kept picture is small enough.

    oEmbed wants its size too, so a picture that was not kept yet is left out: a CMS does not wait for a download.
    """
    picture_id = next((post.id for post in posts if not post.picture.is_absent), None)
    for width in THUMBNAIL_WIDTHS if picture_id else ():
        size = _size(files.get_for_view(str(picture_id), width))
        if size and size[0] <= (most_width or size[0]) and size[1] <= (most_height or size[1]):
            address = f"{origin}{url_for('widget.media', name=f'{picture_id}-{width}', format_='webp')}"
            return {"thumbnail_url": address, "thumbnail_width": size[0], "thumbnail_height": size[1]}
    return {}


def _size(file: bytes | None) -> tuple[int, int] | None:
    """Width and height in pixels, None if there is no usable file."""
    if file is None:
        return None
    # Pillow is a twentieth of a cold start, and pages do without it.
    from igfeed.feed.imaging import size  # noqa: PLC0415

    try:
        return size(file)
    except PictureUnavailable:
        return None
