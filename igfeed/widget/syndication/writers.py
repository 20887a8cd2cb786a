"""The feed as text, in each of its formats."""

from igfeed.models import FeedSnapshot
from igfeed.widget.options import Options
from igfeed.widget.syndication import atom, behold, json_feed
from igfeed.widget.syndication.feed import Feed
from igfeed.widget.views import FeedFormat

WRITERS = {
    FeedFormat.JSON_FEED: json_feed.document,
    FeedFormat.ATOM: atom.document,
    FeedFormat.BEHOLD: behold.document,
}


def document(format_: FeedFormat, snapshot: FeedSnapshot, options: Options, origin: str) -> str:
    """The whole document. Its addresses begin with ``origin``."""
    return WRITERS[format_](Feed.of(snapshot, format_, options, origin))
