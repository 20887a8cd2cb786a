"""The routes for visitors: the page, the embed, the script for host pages, and the pictures."""

import hashlib
import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, Flask, Response, abort, current_app, request

from igfeed import cache_lifetimes
from igfeed.background import Work
from igfeed.clock import RateLimit
from igfeed.errors import FeedUnavailable, IgfeedError, NoPicture, PictureUnavailable
from igfeed.feed.picture_files import WIDTHS, Format, media_type
from igfeed.models import FeedSnapshot, Picture
from igfeed.models.record import fingerprint
from igfeed.services import Services, current
from igfeed.web.headers import CROSS_ORIGIN_HEADERS, CSP_HEADER, FRAME_HEADERS, PageResponse
from igfeed.widget import render, scripts
from igfeed.widget.finished_pages import allow_reuse
from igfeed.widget.options import requested_options
from igfeed.widget.page_addresses import static_hash
from igfeed.widget.translations import language_of
from igfeed.widget.views import View

PICTURE_NAME = re.compile(rf"(\d+(?:_\d+)?)-({'|'.join(map(str, WIDTHS))})", re.ASCII)

PLACEHOLDER_CACHING = "public, max-age=3600"
IMMUTABLE_CACHING = "public, max-age=31536000, immutable"
SUBSTITUTE_CACHING = "public, max-age=3600"
"""For WebP where AVIF was asked for: the next cron may make the AVIF."""

RETRY_AFTER = 60
"""Seconds until a visitor should ask again, if nothing better is known."""

LOG_REPEAT_INTERVAL = 600.0
"""Seconds between two equal lines in the log, however many visitors meet the same problem."""

bp = Blueprint("widget", __name__)

LOG_LIMIT = "igfeed.log_limit"
"""The key of the log's ``RateLimit`` in ``app.extensions``."""


def init_app(app: Flask) -> None:
    render.init_app(app)
    app.extensions[LOG_LIMIT] = RateLimit(LOG_REPEAT_INTERVAL)
    app.register_blueprint(bp)
    if app.debug:
        app.before_request(_forget_files)


def _forget_files() -> None:
    """Read scripts, static files and translations again, so that a saved one shows at the next reload."""
    for read_once in (scripts.script_body, static_hash, language_of):
        read_once.cache_clear()


@bp.get(View.PAGE.path)
def index() -> Response:
    """The feed page."""
    return _feed_response(View.PAGE)


@bp.get(View.EMBED.path)
def embed() -> Response:
    """The same grid with nothing around it, for frames. Scripts of any page may read it too."""
    response = _feed_response(View.EMBED)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@bp.get(View.FRAGMENT.path)
def fragment() -> Response:
    """The same grid as one element with declarative shadow DOM, for pages that are rendered on a server."""
    response = _feed_response(View.FRAGMENT)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@bp.get("/embed.js")
def embed_script() -> Response:
    """The script for host pages: it puts the feed beside its tag."""
    snapshot = current().feed.current().snapshot
    body = scripts.embed_script(snapshot)
    response = Response(body, mimetype="text/javascript")
    response.set_etag(fingerprint(body))
    response.headers["Cache-Control"] = "no-cache" if current_app.debug else cache_lifetimes.SCRIPT
    response.headers["Access-Control-Allow-Origin"] = "*"  # Module scripts and tags with `crossorigin` need it.
    response.headers.update(CROSS_ORIGIN_HEADERS)
    response.make_conditional(request)
    return response


@bp.get("/widget.js")
def inline_module() -> Response:
    """The module that ``embed.js`` and fragments load. Its address has a hash of its content."""
    body = scripts.inline_module()
    response = Response(body, mimetype="text/javascript")
    response.set_etag(fingerprint(body))
    # A script of an older version asks with another hash, and nobody may keep this answer for that.
    is_asked_for = request.args.get("v") == scripts.module_version()
    response.headers["Cache-Control"] = IMMUTABLE_CACHING if is_asked_for else cache_lifetimes.SCRIPT
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers.update(CROSS_ORIGIN_HEADERS)
    response.make_conditional(request)
    return response


@bp.get("/media/<name>.<any(webp, avif):format_>")
def media(name: str, format_: Format) -> Response:
    """A post's picture in one of the widths, as ``<id>-<width>``.

    Where there is no AVIF, the answer is WebP. A browser that can show AVIF chooses the ``<source>`` by its type. It
    would not try another address after an error, but it shows any format that it gets.
    """
    services = _services()
    match = PICTURE_NAME.fullmatch(name)
    picture = services.feed.picture(match[1]) if match else None
    if match is None:
        abort(404)  # No placeholder: no page of ours has such an address.
    if picture is None:
        return _unknown_picture()
    try:
        content = services.pictures.get(picture, int(match[2]), format_)
    except NoPicture:
        return _absent_picture(picture, services.feed.cached)
    response = Response(content, mimetype=media_type(content))
    response.set_etag(hashlib.sha256(content).hexdigest()[:16])
    is_substitute = response.mimetype != f"image/{format_}"
    response.headers["Cache-Control"] = SUBSTITUTE_CACHING if is_substitute else IMMUTABLE_CACHING
    response.headers.update(CROSS_ORIGIN_HEADERS)
    response.make_conditional(request)
    return response


@bp.errorhandler(PictureUnavailable)
def no_picture(error: IgfeedError) -> Response:
    """A placeholder with status 503. Browsers show a picture whatever its status is, and no cache keeps this one."""
    if current_app.extensions[LOG_LIMIT].allows(f"{current().account} {request.path} {error}"):
        current_app.logger.warning("%s cannot be shown: %s", request.path, error)
    services = current()
    response = _unavailable(_drawing_response("no-picture.svg"), RETRY_AFTER)
    response.call_on_close(lambda: services.background(services.feed.catch_up_pictures))
    return response


def _absent_picture(picture: Picture, snapshot: FeedSnapshot | None) -> Response:
    """A placeholder for a post without a picture. It is cached for an hour only: a later fetch may bring a picture."""
    kinds = {post.media_type for post in snapshot.posts if post.id == picture.id} if snapshot else set()
    response = _drawing_response("film.svg" if picture.video_url or kinds - {"IMAGE"} else "no-picture.svg")
    response.headers["Cache-Control"] = PLACEHOLDER_CACHING
    response.add_etag()
    response.make_conditional(request)
    return response


def _drawing_response(name: str) -> Response:
    drawing = Path(current_app.static_folder or "", name).read_bytes()
    return Response(drawing, mimetype="image/svg+xml", headers=CROSS_ORIGIN_HEADERS)


@bp.errorhandler(IgfeedError)
def nothing_to_show(error: IgfeedError) -> Response:
    """A page for visitors. The log and the status say what is missing and what the owner can do."""
    if request.endpoint == "widget.media":
        return no_picture(error)
    page = render.feed_not_ready_page()
    return not_ready(error, Response(page.body, headers={CSP_HEADER: page.policy, **FRAME_HEADERS}))


def not_ready(error: IgfeedError, response: Response) -> Response:
    """The response as a 503 that says when to ask again. The reason goes into the log."""
    services = current()
    # Without the account where it may be none: anybody can make names up, and each would have a line in the log.
    account = None if services.startup_error else services.account
    if current_app.extensions[LOG_LIMIT].allows(f"{account} {error}"):
        current_app.logger.warning("There is nothing to show yet, so visitors get 503. %s %s", error, error.hint)
    seconds = error.retry_after.total_seconds() if isinstance(error, FeedUnavailable) else RETRY_AFTER
    response = _unavailable(response, seconds)
    if services.feed.is_removed():
        # Not a 503: caches may show the removed posts for days in place of one (``stale-if-error``, RFC 5861).
        response.status_code = 410
    return response


class ShownFeed(NamedTuple):
    """What a view shows. ``cache_status`` is the header of that name, ``follow_up`` what should follow the response."""

    snapshot: FeedSnapshot
    cache_status: str
    follow_up: Work | None

    def send(self, response: Response) -> Response:
        """The response, with what follows it."""
        if self.follow_up:
            response.call_on_close(partial(current().background, self.follow_up))
        return response


def shown_feed() -> ShownFeed:
    """The current snapshot, and others may get what the view makes of it. A due refresh follows after the response.

    Without a snapshot the first fetch comes before the response. Raises FeedUnavailable if there is none then.
    """
    services = _services()
    feed = services.feed.current()
    if feed.snapshot is None:
        # The first fetch leaves out the renewal, so that the visitor waits less.
        shown = ShownFeed(services.feed.first(), "igfeed; fwd=miss", services.tokens.keep_alive)
    elif feed.is_due:
        shown = ShownFeed(feed.snapshot, "igfeed; fwd=stale", services.feed.refresh)
    else:
        shown = ShownFeed(feed.snapshot, "igfeed; hit", None)
    allow_reuse(request.environ, feed.begin_lifetime, shown.snapshot.kept_posts, shown.snapshot.choices.look)
    return shown


def _unknown_picture() -> Response:
    """A placeholder with status 404. It is not cached: another process may have fetched the post a moment ago."""
    response = _drawing_response("no-picture.svg")
    response.status_code = 404
    response.headers["Cache-Control"] = "no-store"
    return response


def _feed_response(view: View) -> Response:
    shown, environ = shown_feed(), request.environ
    kept, look = shown.snapshot.kept_posts, shown.snapshot.choices.look
    options = requested_options(environ.get("QUERY_STRING", ""), view, kept, look)
    page = render.feed_page(view, shown.snapshot, options, current().feed.old_since(shown.snapshot))
    response = PageResponse(
        page.body,
        etag=page.etag,
        policy=page.policy,
        cache_control=cache_lifetimes.PAGE,
        cache_status=shown.cache_status,
    )
    if "HTTP_IF_NONE_MATCH" in environ:  # It takes as long as the rest of this function.
        response.make_conditional(request)
    return shown.send(response)


def _services() -> Services:
    """The services. Raises the error that keeps any page from being shown. A hook for this would slow every view."""
    services = current()
    services.check_startup()
    return services


def _unavailable(response: Response, seconds: float) -> Response:
    response.status_code = 503
    # At least a second: with 0 a client would ask again at once.
    response.headers["Retry-After"] = str(max(1, round(seconds)))
    response.headers["Cache-Control"] = "no-store"
    return response
