"""The routes for CMSs: the oEmbed document, and the way out of a frame that may not link to other hosts."""

import json
from collections.abc import Callable

from flask import Blueprint, Flask, Response, abort, redirect, request
from werkzeug.wrappers import Response as WerkzeugResponse

from igfeed import cache_lifetimes
from igfeed.errors import IgfeedError
from igfeed.models import FeedSnapshot
from igfeed.services import current
from igfeed.web.addresses import own_origin
from igfeed.widget.oembed.addresses import query_of_our_page
from igfeed.widget.oembed.document import Document, document, to_xml
from igfeed.widget.oembed.frame_size import frame_within
from igfeed.widget.oembed.thumbnail import thumbnail
from igfeed.widget.options import requested_options
from igfeed.widget.routes import nothing_to_show
from igfeed.widget.translations import language_of
from igfeed.widget.views import View

FORMATS: dict[str, tuple[str, Callable[[Document], str]]] = {
    "json": ("application/json", json.dumps),
    "xml": ("text/xml", to_xml),
}

PROFILE = "profile"
"""Stands for the account in the place of a post's id, which has digits only."""

bp = Blueprint("oembed", __name__)
bp.register_error_handler(IgfeedError, nothing_to_show)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.after_request
def allow_any_reader(response: Response) -> Response:
    """Scripts of any page may read the document, and the error that says why there is none."""
    if request.endpoint == "oembed.oembed":
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers.setdefault("Cache-Control", "no-store")
    return response


@bp.get("/oembed")
def oembed() -> Response:
    """The document of one of our pages. 501 for an unknown format, 404 for an address that is not ours."""
    if request.args.get("format", "json") not in FORMATS:
        abort(501)
    mimetype, text_of = FORMATS[request.args.get("format", "json")]
    origin = own_origin(current().settings, request.environ)
    query = query_of_our_page(request.args.get("url", ""), origin, request.root_path) if origin else None
    if origin is None or query is None:
        abort(404, "This is not the address of a page here.")
    response = Response(text_of(_document(query, origin)), mimetype=mimetype)
    response.headers["Cache-Control"] = cache_lifetimes.SCRIPT
    response.add_etag()
    response.make_conditional(request)
    return response


@bp.get("/go/<target>")
def go(target: str) -> WerkzeugResponse:
    """Leads to a post on Instagram, to the owner's link for it (``<post id>-link``), or to the account.

    It is no open redirect: the addresses are in our snapshot.
    """
    snapshot = _snapshot()
    links = {post.id: post.permalink for post in snapshot.posts} | {PROFILE: snapshot.profile.address}
    own_links = {f"{each.id}-link": each.url for each in snapshot.choices.links if each.id in links}
    link = (links | own_links).get(target)
    if link is None:
        abort(404)
    response = redirect(link)
    response.headers["Cache-Control"] = f"public, max-age={cache_lifetimes.FRESH}"
    return response


def _document(query: str, origin: str) -> Document:
    snapshot, services = _snapshot(), current()
    # Not limited to the posts of today: a CMS keeps the frame's address, and there will be more of them.
    options = requested_options(query, View.EMBED, None, snapshot.choices.look)
    room = _pixels("maxwidth"), _pixels("maxheight")
    name = snapshot.profile.name or f"@{snapshot.profile.username}"
    title = language_of(services.settings.language).words.page_title.format(name=name)
    posts = (snapshot.posts[place] for place in options.chosen(snapshot.kept_posts))
    return {
        **document(frame_within(options, snapshot, *room), snapshot, origin, title),
        **thumbnail(posts, services.pictures.files, origin, *room),
    }


def _pixels(name: str) -> int | None:
    """A size in the query string, None if it is missing or makes no sense."""
    asked = request.args.get(name, type=int)
    return asked if asked and asked > 0 else None


def _snapshot() -> FeedSnapshot:
    services = current()
    services.check_startup()
    return services.feed.current().snapshot or services.feed.first()
