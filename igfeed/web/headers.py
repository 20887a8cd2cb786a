"""Headers that every response carries unless its view has set its own."""

from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.datastructures import Headers
from werkzeug.http import quote_etag

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CSP_HEADER = "Content-Security-Policy"
DEFAULT_HEADERS = {
    CSP_HEADER: "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
CROSS_ORIGIN_HEADERS = {"Cross-Origin-Resource-Policy": "cross-origin"}
"""For files that pages of other sites load: pictures, scripts, drawings."""

FRAME_HEADERS = {"Cross-Origin-Embedder-Policy": "credentialless", **CROSS_ORIGIN_HEADERS}
"""For pages inside frames. A host page that is cross-origin isolated accepts only frames with these headers.

The value is not "require-corp", because Instagram's hosts do not send the header that a video would then need.
Browsers that do not know "credentialless" (Safari) ignore it.
"""

PAGE_HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    *((name, value) for name, value in DEFAULT_HEADERS.items() if name != CSP_HEADER),
    *FRAME_HEADERS.items(),
]


class SecureResponse(Response):
    """A response with the default headers. An ``after_request`` hook could add them too, but would slow every view."""

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        headers = super().get_wsgi_headers(environ)
        given = {name.lower() for name, _ in headers}  # `in headers` is slow for a missing name.
        headers.extend({name: value for name, value in DEFAULT_HEADERS.items() if name.lower() not in given})
        return headers


class PageResponse(SecureResponse):
    """A page with all its headers. Werkzeug's checks of them would take as long as the rest of a view."""

    def __init__(self, body: bytes, *, etag: str, policy: str, cache_control: str, cache_status: str) -> None:
        own = [
            ("Content-Length", str(len(body))),
            (CSP_HEADER, policy),
            ("ETag", quote_etag(etag)),
            ("Cache-Control", cache_control),
            ("Cache-Status", cache_status),
        ]
        super().__init__([body], headers=PAGE_HEADERS + own)

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        return self.headers if self.status_code == 200 else super().get_wsgi_headers(environ)  # noqa: PLR2004


def init_app(app: Flask) -> None:
    app.response_class = SecureResponse

    def static(filename: str) -> Response:
        response = app.send_static_file(filename)
        response.cache_control.immutable = True  # Its address holds a hash of its content.
        response.headers.update(CROSS_ORIGIN_HEADERS)
        return response

    app.view_functions["static"] = static
