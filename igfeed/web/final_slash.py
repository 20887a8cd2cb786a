"""Redirects a path such as ``/prints`` to ``/prints/``, so that relative addresses in the page are below it."""

from typing import TYPE_CHECKING

from igfeed.web.headers import SecureResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def to_final_slash(last_part: str, environ: "WSGIEnvironment") -> SecureResponse:
    """A redirect for a path that ends with ``last_part``.

    Its address is relative, so it is also right behind a proxy that has cut a prefix off.
    """
    query = environ.get("QUERY_STRING")
    location = f"{last_part}/{f'?{query}' if query else ''}"
    # Otherwise a browser may keep it for ever, also after the account was removed.
    return SecureResponse(status=308, headers={"Location": location, "Cache-Control": "no-store"})
