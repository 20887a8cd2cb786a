"""The route of the privacy page, for visitors and for Meta's form."""

from flask import Blueprint, Flask, Response, request

from igfeed.models.record import fingerprint
from igfeed.services import current
from igfeed.web.headers import CSP_HEADER

PRIVACY_CACHING = "public, max-age=300"

bp = Blueprint("privacy", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get("/privacy")
def privacy() -> Response:
    """What is stored, where it comes from, and how to have it removed. Like all pages for visitors, without cookies."""
    from igfeed.widget.privacy.page import privacy_page  # noqa: PLC0415  most processes are never asked for it

    services = current()
    snapshot = services.feed.cached or (None if services.startup_error else services.feed.current().snapshot)
    page = privacy_page(snapshot)
    response = Response(page.body, headers={CSP_HEADER: page.policy, "Cache-Control": PRIVACY_CACHING})
    response.set_etag(fingerprint(page.etag))
    response.make_conditional(request)
    return response
