"""What templates need to know of a layout in which tiles are not all alike."""

from msgspec import Struct

from igfeed.models import FeedSnapshot, Picture
from igfeed.widget.layouts.highlight import EACH, Step, steps
from igfeed.widget.layouts.shapes import SQUARE, Shape, average_width, shape_of
from igfeed.widget.options import Options

COLUMNS = ((2, 0.0), (3, 22.5), (4, 45.0), (6, 80.0))
"""How many columns fit, each with the least width of the feed in ``rem``, as in ``style.css``."""

CAPTION_ROWS = 29
"""Rows of a masonry for two lines of a caption, in a column of 200 pixels."""


class Layout(Struct, frozen=True):
    """``shapes`` are those of all posts that the options choose, because a script adds later pages to the first one.

    ``average_width`` is that of their pictures at a height of 1. ``steps`` are the rules of the layout ``highlight``.
    """

    options: Options
    shapes: tuple[Shape, ...] = ()
    average_width: float = 1
    steps: tuple[Step, ...] = ()
    caption_rows: int = CAPTION_ROWS

    @property
    def is_usual(self) -> bool:
        """Whether all tiles are alike."""
        return not self.shapes and self.options.layout != "highlight"

    @property
    def has_growing_rows(self) -> bool:
        """Whether the pictures of a row share out what is left of it."""
        return bool(self.shapes) and self.options.layout == "grid"

    def shape(self, picture: Picture) -> Shape | None:
        """The shape in which the picture is shown, None if that is the same for all."""
        return shape_of(picture, self.options.gap) if self.shapes else None

    def is_large(self, place: int) -> bool:
        """Whether the tile at this place of the page (from 0) may be large."""
        return bool(self.steps) and place % EACH == 0


def layout_of(snapshot: FeedSnapshot, options: Options) -> Layout:
    chosen = options.chosen(snapshot.kept_posts)
    if options.layout == "highlight":
        left = len(chosen) - (options.page - 1) * options.limit
        columns = ((options.columns, 0.0),) if options.columns else COLUMNS
        return Layout(options, steps=tuple(steps(left, options.limit, columns)))
    if not options.keeps_shapes:
        return Layout(options)
    pictures = [snapshot.posts[place].picture for place in chosen]
    shapes = {shape_of(picture, options.gap) for picture in pictures} or {Shape.of(SQUARE, options.gap)}
    return Layout(options, tuple(sorted(shapes)), average_width(pictures))
