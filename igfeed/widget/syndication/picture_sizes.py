"""The sizes in which a picture can be had, with their width and height where these are known."""

from collections.abc import Iterator
from dataclasses import dataclass

from igfeed.feed.picture_files import WIDTHS
from igfeed.models import Picture


@dataclass(frozen=True)
class PictureSize:
    """``name`` is the width in the file's address. ``width`` and ``height`` are the file's own, None if unknown."""

    name: int
    width: int | None
    height: int | None


def picture_sizes(picture: Picture) -> tuple[PictureSize, ...]:
    """The smallest first. Empty if the post has no picture."""
    if picture.is_absent:
        return ()
    return tuple(reversed([*_narrower_and_narrower(picture.size)]))


def _narrower_and_narrower(size: tuple[int, int] | None) -> Iterator[PictureSize]:
    """The sizes of the files. Each is made of the wider one, never enlarged, and rounds its height."""
    # A picture of an earlier version was measured by its smallest file, and how wide it could be is not known.
    is_of_widest = size is not None and size[0] != WIDTHS[0]
    for name in reversed(WIDTHS):
        if size is None or not (is_of_widest or name == WIDTHS[0]):
            yield PictureSize(name, None, None)
            continue
        width, height = size
        scale = min(1, name / width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        yield PictureSize(name, *size)
