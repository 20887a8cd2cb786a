"""The size of a frame with the feed, estimated before any browser has drawn it.

The rules are those of ``style.css``. The estimate is exact for a grid of one shape. Where text decides about the
height, it is somewhat too large, because a frame that is too low would hide something.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil

from msgspec import Struct

from igfeed.models import FeedSnapshot, Post, Profile
from igfeed.widget.layouts import grid_height, layout_of
from igfeed.widget.options import CAROUSEL_PEEK, Options

USUAL_WIDTH = 600
"""Pixels, if a CMS does not say how much room it has."""

WIDEST_FRAME = 1140
"""Pixels, as wide as the grid on our own page."""

NARROWEST_FRAME = 160
"""Pixels. A frame that is too high is made narrower, but not narrower than this."""

MAX_FRAME_HEIGHT = 1000
"""Pixels. WordPress makes no frame higher than that."""

COLUMNS = ((1280, 6), (720, 4), (360, 3), (0, 2))
"""How many columns fit from a width on."""

CAPTION_HEIGHT = 77
"""Pixels: three lines and their margins."""

PAGER_HEIGHT, ARROWS_HEIGHT = 76.5, 56
"""Pixels of what is below a grid, and below a carousel."""

NO_POSTS_HEIGHT = 184

WIDE_HEADER = 576
"""The width in pixels from which the header has its button at the side."""

PORTRAIT_HEIGHT = 60
"""Pixels, where the header is narrow."""

LINE_HEIGHT, COUNTS_LINE_HEIGHT = 22.5, 26
LETTER_WIDTH = 7.5
"""Pixels in the header, an average for Latin letters."""

WIDEST_TEXT = 608


class Frame(Struct, frozen=True):
    """What a frame shows, and its size in pixels."""

    options: Options
    width: int
    height: int


def frame_within(options: Options, snapshot: FeedSnapshot, most_width: int | None, most_height: int | None) -> Frame:
    """The frame for these options. It shows fewer posts, or is narrower, if it would be too high otherwise."""
    width, most = min(most_width or USUAL_WIDTH, WIDEST_FRAME), min(most_height or MAX_FRAME_HEIGHT, MAX_FRAME_HEIGHT)
    for narrower in (width, *range(width - 10, NARROWEST_FRAME, -10)):
        for limit in _limits(options, narrower):
            shown = replace(options, limit=limit)
            height = ceil(frame_height(shown, narrower, snapshot))
            if height <= most:
                return Frame(shown, narrower, height)
    # No frame is low enough, so this one scrolls.
    return Frame(replace(options, limit=min(options.limit, _columns(options, width))), width, most)


def frame_height(options: Options, width: int, snapshot: FeedSnapshot) -> float:
    """The height in pixels of the embed at this width."""
    chosen = options.chosen(snapshot.kept_posts)
    options = options.within(len(chosen))
    posts = [snapshot.posts[place] for place in chosen[(options.page - 1) * options.limit :][: options.limit]]
    columns, layout = _columns(options, width), layout_of(snapshot, options)
    if not posts:
        grid: float = NO_POSTS_HEIGHT
    elif layout.is_usual:
        grid = _usual_height(options, posts, columns, width)
    else:
        grid = grid_height(layout, posts, columns, width)
    header = _header_height(snapshot.profile, width) if options.header else 0
    is_row = options.layout == "carousel"
    has_more = len(posts) < len(chosen) or (is_row and len(posts) > columns)
    return grid + header + has_more * (ARROWS_HEIGHT if is_row else PAGER_HEIGHT)


def _usual_height(options: Options, posts: Sequence[Post], columns: int, width: int) -> float:
    """Of a grid whose tiles are all alike."""
    is_row = options.layout == "carousel"
    room = width - (columns if is_row else columns - 1) * options.gap
    tile = max(0, room) / (columns + CAROUSEL_PEEK if is_row else columns)
    rows = [posts] if is_row else [posts[start : start + columns] for start in range(0, len(posts), columns)]
    captions = CAPTION_HEIGHT * sum(any(post.caption for post in row) for row in rows) if options.captions else 0
    return len(rows) * (tile * options.height / options.width + options.gap) - options.gap + captions


def _limits(options: Options, width: int) -> Iterator[int]:
    """The limits to try, the largest first: the one that was asked for, then whole rows."""
    yield options.limit
    if options.layout != "carousel":
        columns = _columns(options, width)
        yield from range((options.limit - 1) // columns * columns, 0, -columns)


def _columns(options: Options, width: int) -> int:
    return options.columns or next(columns for least, columns in COLUMNS if width >= least)


def _header_height(profile: Profile, width: int) -> float:
    # The gaps between them are three spaces wide.
    counts = f"@{profile.username}   {profile.media_count} posts   {profile.followers_count} followers"
    if width >= WIDE_HEADER:
        room = min(width - 320, WIDEST_TEXT)
        return 40 + max(88, 65 + LINE_HEIGHT * (_lines(profile.biography, room) + _lines(counts, room) - 1))
    name = max(PORTRAIT_HEIGHT, 27.5 * _lines(profile.name or profile.username, max(60, width - 76) * 0.7))
    return 101 + name + COUNTS_LINE_HEIGHT * _lines(counts, width) + LINE_HEIGHT * _lines(profile.biography, width)


def _lines(text: str | None, room: float) -> int:
    """How many lines the text takes in so many pixels."""
    return sum(max(1, ceil(len(line) * LETTER_WIDTH / room)) for line in (text or "").splitlines())
