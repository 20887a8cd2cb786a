"""The studio's preview: what ``/embed`` shows, in a frame that only our own page may have."""

from flask import Response, request

from igfeed.services import current
from igfeed.web.headers import CSP_HEADER
from igfeed.widget.options import requested_options
from igfeed.widget.page_cache import Page
from igfeed.widget.render import feed_not_ready_page, feed_page
from igfeed.widget.views import View


def preview_response() -> Response:
    """The embed with the options in the query. Our page may frame it even if IGFEED_FRAME_ANCESTORS does not say so."""
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
