"""Headers that every answer carries unless its view has set its own."""

from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.datastructures import Headers
from werkzeug.http import quote_etag

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CSP_HEADER = "Content-Security-Policy"
DEFAULTS = {
    CSP_HEADER: "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
FROM_ANYWHERE = {"Cross-Origin-Resource-Policy": "cross-origin"}
"""For what other sites' pages load."""

IN_FRAMES = {"Cross-Origin-Embedder-Policy": "credentialless", **FROM_ANYWHERE}
"""For pages that stand in frames: a host page that isolates itself lets no others in.

Not "require-corp": Instagram's hosts do not send what that would ask of a video. Browsers that do not know the word
(Safari) ignore it.
"""

OF_EVERY_PAGE = [
    ("Content-Type", "text/html; charset=utf-8"),
    *((name, value) for name, value in DEFAULTS.items() if name != CSP_HEADER),
    *IN_FRAMES.items(),
]


class SecureResponse(Response):
    """In place of a hook after each request, which costs every view."""

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        headers = super().get_wsgi_headers(environ)
        given = {name.lower() for name, _ in headers}  # Werkzeug's own look-up raises for each that is not there.
        headers.extend({name: value for name, value in DEFAULTS.items() if name.lower() not in given})
        return headers


class WholePage(SecureResponse):
    """HTML with all its headers: to look for missing ones and to check each twice takes as long as a page's view."""

    def __init__(self, body: bytes, *, etag: str, policy: str, cache_control: str, cache_status: str) -> None:
        own = [
            ("Content-Length", str(len(body))),
            (CSP_HEADER, policy),
            ("ETag", quote_etag(etag)),
            ("Cache-Control", cache_control),
            ("Cache-Status", cache_status),
        ]
        super().__init__([body], headers=OF_EVERY_PAGE + own)

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        return self.headers if self.status_code == 200 else super().get_wsgi_headers(environ)  # noqa: PLR2004


def init_app(app: Flask) -> None:
    app.response_class = SecureResponse

    def static(filename: str) -> Response:
        response = app.send_static_file(filename)
        response.cache_control.immutable = True  # Its address holds a hash of its content.
        response.headers.update(FROM_ANYWHERE)
        return response

    app.view_functions["static"] = static
