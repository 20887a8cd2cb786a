"""Responses to HTTP errors: JSON below ``/api/``, a page for visitors."""

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from igfeed.owner import api
from igfeed.web.headers import CSP_HEADER, FRAME_HEADERS
from igfeed.widget.page_cache import Page
from igfeed.widget.render import feed_not_ready_page, page_not_found
from igfeed.widget.views import View


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, error_response)


def error_response(error: HTTPException) -> Response | HTTPException:
    """JSON or a page. For pictures and static files Werkzeug's short text is enough: no page shows it."""
    status_code = error.code or 500
    if request.path.startswith("/api/"):
        return _json(error, status_code)
    is_for_people = request.url_rule is None or request.endpoint == "oembed.go"
    if status_code == 404 and is_for_people:  # noqa: PLR2004
        return _page(page_not_found(), status_code)
    if status_code >= 500 and (View.at(request.path) or is_for_people):  # noqa: PLR2004
        return _page(feed_not_ready_page(), status_code)
    return error


def _json(error: HTTPException, status_code: int) -> Response:
    response = api.error(status_code, error.name.lower().replace(" ", "_"), error.description or error.name, "")
    response.headers.extend(header for header in error.get_headers() if header[0] in ("Allow", "Retry-After"))
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(page: Page, status_code: int) -> Response:
    """The page may be in a frame, where a page that the policy refuses would be an empty box."""
    headers = {CSP_HEADER: page.policy, "Cache-Control": "no-store", **FRAME_HEADERS}
    return Response(page.body, status_code, headers)
