"""What a visitor can ask of the grid in a query string."""

from igfeed.widget.options.table import (
    CAROUSEL_PEEK,
    DEFAULT_LIMIT,
    MAX_LIMIT,
    ORIGINAL,
    RATIOS,
    TRANSPARENT,
    UNKNOWN_TAG,
    Options,
    default_options,
    requested_options,
)

__all__ = [
    "CAROUSEL_PEEK",
    "DEFAULT_LIMIT",
    "MAX_LIMIT",
    "ORIGINAL",
    "RATIOS",
    "TRANSPARENT",
    "UNKNOWN_TAG",
    "Options",
    "default_options",
    "requested_options",
]
