"""The preview of the studio: what ``/embed`` shows with the options, for a frame on our own page only."""

from flask import Response, request

from igfeed.services import current
from igfeed.web.headers import CSP_HEADER
from igfeed.widget.options import requested_options
from igfeed.widget.page_cache import Page
from igfeed.widget.render import feed_not_ready_page, feed_page
from igfeed.widget.views import View


def preview_response() -> Response:
    """The embed. IGFEED_FRAME_ANCESTORS need not name our own origin for it, as only the owner can load it."""
    page = _embed()
    policy = f"{page.policy.partition('frame-ancestors')[0]}frame-ancestors 'self'"
    return Response(page.body, headers={CSP_HEADER: policy, "Cache-Control": "no-store"})


def _embed() -> Page:
    snapshot = current().feed.current().snapshot
    if snapshot is None:
        return feed_not_ready_page()
    options = requested_options(
        request.environ.get("QUERY_STRING", ""), View.EMBED, snapshot.kept_posts, snapshot.choices.look
    )
    return feed_page(View.EMBED, snapshot, options, None)
