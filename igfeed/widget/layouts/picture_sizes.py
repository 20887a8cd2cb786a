"""How wide the pictures of a page are shown, and which of them load at once."""

from igfeed.widget.options import CAROUSEL_PEEK, Options
from igfeed.widget.views import View

WIDEST_PAGE = 1140
"""Width of the grid on a wide screen in pixels, as in ``style.css``."""

EAGER_PICTURES = 4
"""How many pictures load with the page. The others load when they come near the screen."""

EAGER_PICTURES_IN_FRAME = 12
"""The same for each column of an embed, whose frame is itself loaded when it comes near the screen.

Inside a frame browsers load a lazy picture only when it is on the screen, and never for printing. It would be white on
paper.
"""
EAGER_PICTURES_LIMIT = 24


def picture_sizes(options: Options, view: View, larger: int = 1) -> str:
    """The ``sizes`` of a tile for the browser to choose a file by. The steps are those of ``style.css``."""
    more, widest = CAROUSEL_PEEK if options.layout == "carousel" else 0, WIDEST_PAGE if view is View.PAGE else None
    if options.columns:
        columns = (options.columns + more) / min(larger, options.columns)
        wide = f"(min-width: {widest}px) {widest / columns:.0f}px, " if widest else ""
        return f"{wide}{100 / columns:.0f}vw"
    shares = [f"{100 * larger / (columns + more):.0f}vw" for columns in (6, 4, 3, 2)]
    wide = f"(min-width: 1280px) {shares[0]}"
    if widest:
        wide = f"(min-width: {widest}px) {widest * larger / (4 + more):.0f}px"
    return f"{wide}, (min-width: 720px) {shares[1]}, (min-width: 360px) {shares[2]}, {shares[3]}"


def eager_pictures(view: View, options: Options) -> int:
    """How many pictures load at once. In one column posts are large and most of an embed's are off the screen."""
    if view is View.FRAGMENT:
        return 0  # Nobody knows where in a page it is.
    if view is View.PAGE:
        return EAGER_PICTURES
    return min(EAGER_PICTURES_LIMIT, EAGER_PICTURES_IN_FRAME * (options.columns or EAGER_PICTURES_LIMIT))
