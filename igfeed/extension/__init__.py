"""igfeed in somebody's own Flask app: ``IgFeed(app, url_prefix="/instagram")``."""

from igfeed.extension.ig_feed import IgFeed

__all__ = ["IgFeed"]
