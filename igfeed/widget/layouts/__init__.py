"""Where the tiles of a page stand, in the layouts in which they are not all alike."""

from igfeed.widget.layouts.heights import grid_height
from igfeed.widget.layouts.layout import Layout, layout_of

__all__ = ["Layout", "grid_height", "layout_of"]
