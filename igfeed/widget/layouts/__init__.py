"""Where the tiles of a page stand, in the layouts in which they are not all alike."""

from igfeed.widget.layouts.layout import Layout, layout_of

__all__ = ["Layout", "layout_of"]
