"""The feed as people see it: the page, the same for iframes, and its pictures."""

import hashlib
import re
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, request

from igfeed import cache_lifetimes
from igfeed.clock import RateLimit
from igfeed.errors import FeedUnavailable, IgfeedError, NoPicture, PictureUnavailable
from igfeed.feed.pictures import WIDTHS
from igfeed.models import FeedSnapshot, Picture
from igfeed.models.record import fingerprint
from igfeed.services import Services, current
from igfeed.web.headers import CSP_HEADER, FROM_ANYWHERE, IN_FRAMES, WholePage
from igfeed.widget import render, scripts
from igfeed.widget.finished_pages import allow_reuse
from igfeed.widget.options import requested_options
from igfeed.widget.translations import language_of
from igfeed.widget.views import View

PICTURE_NAME = re.compile(rf"(\d+(?:_\d+)?)-({'|'.join(map(str, WIDTHS))})", re.ASCII)

FOR_AN_HOUR = "public, max-age=3600"
FOR_GOOD = "public, max-age=31536000, immutable"

RETRY_AFTER = 60
"""Seconds after which to ask again where nothing better is known."""

SAME_LINE_AGAIN = 600.0
"""Seconds after which the log says the same thing about the same trouble again, however many visitors meet it."""

bp = Blueprint("widget", __name__)


LOG_LIMIT = "igfeed.log_limit"


def init_app(app: Flask) -> None:
    render.init_app(app)
    app.extensions[LOG_LIMIT] = RateLimit(SAME_LINE_AGAIN)
    app.register_blueprint(bp)
    if app.debug:
        app.before_request(_forget_files)


def _forget_files() -> None:
    """Read scripts, static files and translations again, so that a saved one shows at the next reload."""
    for read_once in (scripts.page_script, render.static_hash, language_of):
        read_once.cache_clear()


@bp.get(View.PAGE.path)
def index() -> Response:
    """The feed page."""
    return _answer(View.PAGE)


@bp.get(View.EMBED.path)
def embed() -> Response:
    """The same grid with nothing around it, for iframes. Scripts of any page may read it too."""
    response = _answer(View.EMBED)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@bp.get("/embed.js")
def embed_script() -> Response:
    """One script tag for host pages: it puts an iframe beside itself."""
    snapshot = current().feed.current().snapshot
    body = scripts.embed_script(snapshot)
    response = Response(body, mimetype="text/javascript")
    response.set_etag(fingerprint(body))
    response.headers["Cache-Control"] = "no-cache" if current_app.debug else cache_lifetimes.SCRIPT
    response.headers["Access-Control-Allow-Origin"] = "*"  # Modules and tags with `crossorigin` are asked for it.
    response.headers.update(FROM_ANYWHERE)
    response.make_conditional(request)
    return response


@bp.get("/media/<name>.webp")
def media(name: str) -> Response:
    """A post's picture in one of the widths."""
    services = _services()
    match = PICTURE_NAME.fullmatch(name)
    picture = services.feed.picture(match[1]) if match else None
    if match is None:
        abort(404)
    if picture is None:
        return _unknown_picture()
    try:
        content = services.pictures.get(picture, int(match[2]))
    except NoPicture:
        return _sign(picture, services.feed.cached)
    response = Response(content, mimetype="image/webp")
    response.set_etag(hashlib.sha256(content).hexdigest()[:16])
    response.headers["Cache-Control"] = FOR_GOOD
    response.headers.update(FROM_ANYWHERE)
    response.make_conditional(request)
    return response


@bp.errorhandler(PictureUnavailable)
def no_picture(error: IgfeedError) -> Response:
    """A calm placeholder for people, an honest status for machines: browsers show a picture whatever its status."""
    if current_app.extensions[LOG_LIMIT].allows(f"{request.path} {error}"):
        current_app.logger.warning("%s cannot be shown: %s", request.path, error)
    services = current()
    response = _not_now(_drawing("no-picture.svg"), RETRY_AFTER)
    response.call_on_close(lambda: services.background(services.pictures.catch_up))
    return response


def _sign(picture: Picture, snapshot: FeedSnapshot | None) -> Response:
    """For a post that has no picture. It may be kept, but not for long: a later fetch may bring one."""
    kinds = {post.media_type for post in snapshot.posts if post.id == picture.id} if snapshot else set()
    response = _drawing("film.svg" if picture.video_url or kinds - {"IMAGE"} else "blank.svg")
    response.headers["Cache-Control"] = FOR_AN_HOUR
    response.add_etag()
    response.make_conditional(request)
    return response


def _drawing(name: str) -> Response:
    drawing = Path(current_app.static_folder or "", name).read_bytes()
    return Response(drawing, mimetype="image/svg+xml", headers=FROM_ANYWHERE)


@bp.errorhandler(IgfeedError)
def nothing_to_show(error: IgfeedError) -> Response:
    """A page for visitors; what is missing and what the owner does next stands in the log and in the status."""
    if request.endpoint == "widget.media":
        return no_picture(error)
    if current_app.extensions[LOG_LIMIT].allows(str(error)):
        current_app.logger.warning("There is nothing to show yet, so visitors get 503. %s %s", error, error.hint)
    notice = render.notice_page()
    response = Response(notice.body, headers={CSP_HEADER: notice.policy, **IN_FRAMES})
    seconds = error.retry_after.total_seconds() if isinstance(error, FeedUnavailable) else RETRY_AFTER
    return _not_now(response, seconds)


def _unknown_picture() -> Response:
    """Kept by nobody, and calm where a page shows it: another process may have fetched it a moment ago."""
    response = _drawing("no-picture.svg")
    response.status_code = 404
    response.headers["Cache-Control"] = "no-store"
    return response


def _answer(view: View) -> Response:
    """The snapshot at hand, now; a refresh that is due comes after the answer, or before it if there is nothing."""
    services = _services()
    feed, environ = services.feed.current(), request.environ
    snapshot, is_due = feed.snapshot, feed.is_due
    cache_status = "fwd=stale" if is_due else "hit"
    if snapshot is None:
        snapshot, is_due, cache_status = services.feed.first(), False, "fwd=miss"
    posts = len(snapshot.posts)
    options = requested_options(environ.get("QUERY_STRING", ""), view, posts)
    shown = render.feed_page(view, snapshot, options, services.feed.old_since(snapshot))
    allow_reuse(environ, feed.lifetime, posts)
    response = WholePage(
        shown.body,
        etag=shown.etag,
        policy=shown.policy,
        cache_control=cache_lifetimes.PAGE,
        cache_status=f"igfeed; {cache_status}",
    )
    if "HTTP_IF_NONE_MATCH" in environ:  # It costs as much as all the rest of this function.
        response.make_conditional(request)
    if is_due:
        response.call_on_close(lambda: services.background(services.feed.refresh))
    elif cache_status == "fwd=miss":  # The first fetch did not keep this visitor waiting for a renewal.
        response.call_on_close(lambda: services.background(services.tokens.keep_alive))
    return response


def _services() -> Services:
    """Raises what keeps any page from being shown: not in a hook, as each of those costs every view."""
    services = current()
    if services.startup_error:
        raise services.startup_error
    return services


def _not_now(response: Response, seconds: float) -> Response:
    response.status_code = 503
    response.headers["Retry-After"] = str(max(1, round(seconds)))
    response.headers["Cache-Control"] = "no-store"
    return response
