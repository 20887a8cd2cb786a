"""The feed as Atom (RFC 4287)."""

import re
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from flask import render_template

from igfeed.clock import iso
from igfeed.models import Post
from igfeed.models.record import LONG_AGO
from igfeed.version import VERSION
from igfeed.widget.syndication import contents
from igfeed.widget.syndication.feed import Feed

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that no XML 1.0 document may have, not even escaped."""

GRAPH = "https://graph.instagram.com/"
"""The address of a post in Instagram's API is this with its id. It never changes, as permalinks and our hosts may."""


def document(feed: Feed) -> str:
    text = render_template(
        "widget/atom.xml",
        feed=feed,
        feed_id=_urn(_what(feed)),
        updated=iso(_newest(feed)),
        version=VERSION,
        contents=contents,
        entry_id=entry_id,
        updated_at=updated_at,
    )
    return FORBIDDEN.sub("", text)


def entry_id(post: Post) -> str:
    """The same for the same post at every home of igfeed, for ever: a reader knows by it which posts are new."""
    return _urn(f"{GRAPH}{post.id}")


def updated_at(post: Post) -> str:
    """When the post was published, as Instagram does not say when it was changed. Atom demands a time of each post."""
    return iso(post.timestamp or LONG_AGO)


def _newest(feed: Feed) -> datetime:
    """The time of the newest post. That of the fetch changes every few minutes, though no post does."""
    times = [tile.post.timestamp for tile in feed.tiles if tile.post.timestamp]
    return max(times, default=feed.snapshot.fetched_at)


def _what(feed: Feed) -> str:
    """What the feed is of: the account, and the choice among its posts."""
    return f"{feed.profile.address}?type={feed.options.type}&tag={feed.options.tag}"


def _urn(address: str) -> str:
    return uuid5(NAMESPACE_URL, address).urn
