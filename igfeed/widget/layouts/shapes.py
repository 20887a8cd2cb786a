"""The shapes of pictures that are shown as they are.

The page's style has one rule for each shape in the feed, and a tile names its own by a class: the page's policy allows
no style attributes.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

from igfeed.models import Picture

SQUARE = 100
"""The height of a picture whose size is not known yet."""

LOWEST, HIGHEST = 50, 200
"""Instagram takes pictures from 52 to 133. Others are cropped to one of these."""

USUAL_COLUMN = 240
"""Pixels of a column with its gap. A masonry's rows grow with the column and its gap does not, so ``rows`` is exact at
this width only. At another one the picture is cropped by a part of the gap."""


class Shape(NamedTuple):
    """``height`` is that of a picture with a width of 100.

    ``rows`` is how many rows it takes in a masonry, with the gap below it. A hundred rows are as high as a column with
    its gap is wide.
    """

    height: int
    rows: int

    @classmethod
    def of(cls, height: int, gap: int) -> Self:
        return cls(height, round(height - (height - 100) * gap / USUAL_COLUMN))


def shape_of(picture: Picture, gap: int) -> Shape:
    width, height = picture.size or (SQUARE, SQUARE)
    return Shape.of(min(max(round(100 * height / width), LOWEST), HIGHEST), gap)


def average_width(pictures: Sequence[Picture]) -> float:
    """Of these pictures at a height of 1."""
    widths = [100 / shape_of(picture, 0).height for picture in pictures] or [1]
    return round(sum(widths) / len(widths), 3)
