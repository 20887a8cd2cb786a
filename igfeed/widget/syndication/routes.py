"""The routes for programs. Their documents are cached as pages are, and scripts of any page may read them."""

import json

from flask import Blueprint, Flask, Response, abort, request

from igfeed import cache_lifetimes
from igfeed.errors import IgfeedError
from igfeed.models import FeedSnapshot
from igfeed.models.record import fingerprint
from igfeed.services import current
from igfeed.web.headers import CROSS_ORIGIN_HEADERS, CSP_HEADER, DEFAULT_HEADERS
from igfeed.widget.options import Options, requested_options
from igfeed.widget.page_cache import Page
from igfeed.widget.render import cache_key, cached_page, for_own_origin
from igfeed.widget.routes import not_ready, shown_feed
from igfeed.widget.translations import language_of
from igfeed.widget.views import FeedFormat

bp = Blueprint("syndication", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get(FeedFormat.JSON_FEED.value)
def json_feed_document() -> Response:
    """The posts as a JSON Feed."""
    return _response(FeedFormat.JSON_FEED)


@bp.get(FeedFormat.ATOM.value)
def atom_document() -> Response:
    """The posts as an Atom feed."""
    return _response(FeedFormat.ATOM)


@bp.get(FeedFormat.BEHOLD.value)
def behold_document() -> Response:
    """The posts as Behold's users read them."""
    return _response(FeedFormat.BEHOLD)


@bp.after_request
def allow_any_reader(response: Response) -> Response:
    """Scripts of any page may read the documents, and the error that says why there is none."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers.update(CROSS_ORIGIN_HEADERS)
    return response


@bp.errorhandler(IgfeedError)
def nothing_to_show(error: IgfeedError) -> Response:
    """503, in the words that visitors read. The log and the status say what is missing."""
    words = language_of(current().settings.language).words
    text = {"error": "not_ready", "message": words.feed_not_ready, "hint": words.come_back_later}
    return not_ready(error, Response(json.dumps(text, ensure_ascii=False), mimetype="application/json"))


def _response(format_: FeedFormat) -> Response:
    shown = shown_feed()
    options = requested_options(request.environ.get("QUERY_STRING", ""), format_, shown.snapshot.kept_posts)
    page = for_own_origin(shown.snapshot, lambda origin: _page(format_, shown.snapshot, options, origin))
    response = Response(page.body, content_type=format_.content_type)
    # Of the bytes, not the page's own: that one changes with each snapshot, and most fetches bring nothing new.
    response.add_etag()
    response.headers["Cache-Control"] = cache_lifetimes.PAGE
    response.headers["Cache-Status"] = shown.cache_status
    response.make_conditional(request)
    return shown.send(response)


def _page(format_: FeedFormat, snapshot: FeedSnapshot, options: Options, origin: str | None) -> Page:
    """The document with this origin in its addresses. 400 if there is none."""
    if origin is None:
        abort(400, "The addresses in a feed are whole ones, and this request has no valid Host.")

    def write() -> Page:
        from igfeed.widget.syndication.writers import document  # noqa: PLC0415  most processes are asked for pages only

        text = document(format_, snapshot, options, origin)
        return Page(text.encode(), fingerprint(text), DEFAULT_HEADERS[CSP_HEADER])

    return cached_page(cache_key(format_, snapshot, options, origin), write)
