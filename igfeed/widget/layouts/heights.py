"""How high a grid of tiles that are not all alike is, before any browser has drawn it.

The rules are those of ``layouts.css``. Lengths are in pixels.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from math import floor

from igfeed.models import Post
from igfeed.widget.layouts.highlight import rows
from igfeed.widget.layouts.layout import CAPTION_ROWS, Layout
from igfeed.widget.layouts.shapes import shape_of
from igfeed.widget.options import CAROUSEL_PEEK

HIGHLIGHT_CAPTION = 80
ROW_CAPTION = 77
"""Three lines of a caption, with their margins."""

SHARE = 0.98
"""How much of its share of a row a picture has at least. The rest keeps a rounding error from breaking the row."""

MAX_GROWTH = 1.7

LAYOUT_UNIT = 1 / 64
"""Pixels: Chromium cuts a length off to a multiple of this. A masonry has hundreds of rows, so it matters."""


def grid_height(layout: Layout, posts: Sequence[Post], columns: int, width: float) -> float:
    """Of these posts, in a feed of this width."""
    options = layout.options
    if options.layout == "masonry":
        return _masonry_height(layout, posts, columns, width)
    if options.layout == "highlight":
        tile = (width - (columns - 1) * options.gap) / columns * options.height / options.width
        row = tile + options.gap + HIGHLIGHT_CAPTION * options.captions
        return rows(len(posts), columns) * row - options.gap
    if options.layout == "carousel":
        height = (width - columns * options.gap) / (columns + CAROUSEL_PEEK) / layout.average_width
        return height + _caption(layout, posts)
    return sum(height + options.gap for height in _row_heights(layout, posts, columns, width)) - options.gap


def _masonry_height(layout: Layout, posts: Sequence[Post], columns: int, width: float) -> float:
    """A browser goes on from the place of the last tile, row by row, to the first free one (CSS Grid 2, 8.5)."""
    gap, ends, place = layout.options.gap, [0] * columns, 0
    for post in posts:
        place = next(each for each in count(place) if ends[each % columns] <= each // columns)
        caption = CAPTION_ROWS if layout.options.captions and post.caption else 0
        ends[place % columns] = place // columns + shape_of(post.picture, gap).rows + caption
    row = floor((width + gap) / columns / 100 / LAYOUT_UNIT) * LAYOUT_UNIT
    return max(ends) * row - gap


def _row_heights(layout: Layout, posts: Sequence[Post], columns: int, width: float) -> Iterator[float]:
    """The rows as a browser breaks them. What is left of a row is shared out by the widths of its pictures."""
    gap = layout.options.gap
    base = SHARE / layout.average_width * (width - (columns - 1) * gap) / columns
    row: list[Post] = []
    for post in posts:
        if row and base * _wide([*row, post]) + len(row) * gap > width:
            yield _row_height(base, row, width, gap) + _caption(layout, row)
            row = []
        row.append(post)
    if row:
        rest = width - base * _wide(row) - len(row) * gap
        is_short = rest >= width / columns / 2
        yield (base if is_short else _row_height(base, row, width, gap)) + _caption(layout, row)


def _row_height(base: float, row: Sequence[Post], width: float, gap: int) -> float:
    return min((width - (len(row) - 1) * gap) / _wide(row), base * MAX_GROWTH)


def _wide(row: Sequence[Post]) -> float:
    """The width of these pictures at a height of 1."""
    return sum(100 / shape_of(post.picture, 0).height for post in row)


def _caption(layout: Layout, row: Sequence[Post]) -> float:
    return ROW_CAPTION if layout.options.captions and any(post.caption for post in row) else 0
