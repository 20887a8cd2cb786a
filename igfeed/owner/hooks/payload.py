"""What an address gets: a JSON Feed of the new posts, and its signature."""

import hmac
import json
from collections.abc import Collection

from flask import Flask

from igfeed.models import FeedSnapshot
from igfeed.owner.pages.account_addresses import feed_path, mount_of
from igfeed.services import Services
from igfeed.widget.options import default_options
from igfeed.widget.page_addresses import feed_address
from igfeed.widget.syndication import json_feed
from igfeed.widget.syndication.feed import Feed
from igfeed.widget.tiles import tile
from igfeed.widget.translations import language_of
from igfeed.widget.views import FeedFormat

CONTENT_TYPE = "application/json"
SIGNATURE = "Igfeed-Signature"
"""The header with the hex HMAC-SHA256 of the body."""

UNKNOWN_ORIGIN = "http://localhost"
"""Flask needs an origin to make an address. This one is in no body."""


def body_of(app: Flask, services: Services, snapshot: FeedSnapshot, posts: Collection[str]) -> bytes | None:
    """The new posts, as ``/feed.json`` has them. ``snapshot`` is as visitors see it. None if it has none of them.

    Addresses of ours begin with BASE_URL, or with a slash if that is not set. The host of a request is not used:
    anybody can send any host, and the site may fetch the pictures from it.
    """
    settings = services.settings
    new = [post for post in snapshot.posts if post.id in posts]
    if not new:
        return None
    origin, number = settings.base_url or "", len(snapshot.posts)
    options = default_options(FeedFormat.JSON_FEED).within(number)
    prefix = f"{mount_of(app).prefix}{feed_path(services.account)}"
    with app.test_request_context(base_url=f"{origin or UNKNOWN_ORIGIN}{prefix}"):
        feed = Feed(
            origin=origin,
            snapshot=snapshot,
            tiles=tuple(tile(post, snapshot, settings) for post in new),
            options=options,
            address=feed_address(origin, FeedFormat.JSON_FEED, options, number),
            language=language_of(settings.language),
        )
        fields = {**json_feed.fields(feed), "_igfeed": {"account": services.account}}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(body: bytes, secret: str | None) -> dict[str, str]:
    """The headers to send with the body. Without a ``secret`` there is no signature."""
    headers = {"Content-Type": CONTENT_TYPE}
    return {**headers, SIGNATURE: hmac.digest(secret.encode(), body, "sha256").hex()} if secret else headers
