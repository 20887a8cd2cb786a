"""Headers that every answer carries unless its view has set its own."""

from flask import Flask, Response, request

DEFAULTS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def init_app(app: Flask) -> None:
    app.after_request(complete)


def complete(response: Response) -> Response:
    given = {name.lower() for name, _ in response.headers}  # Werkzeug's own look-up raises for each that is not there.
    response.headers.extend({name: value for name, value in DEFAULTS.items() if name.lower() not in given})
    if request.endpoint == "static" and response.status_code < 400:  # noqa: PLR2004  an error is not kept for a year
        response.cache_control.immutable = True  # Its address holds a hash of its content.
    return response
