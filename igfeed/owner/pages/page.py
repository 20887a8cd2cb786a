"""A page for the owner: who may see it, and how it is made from a template."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response, render_template
from markupsafe import Markup, escape

from igfeed.owner.auth import CHALLENGE, Access, access
from igfeed.owner.pages.words import words_of
from igfeed.services import current
from igfeed.web.headers import CSP_HEADER
from igfeed.widget.translations import language_of

PRIVATE_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}

Params = ParamSpec("Params")


def owner_page(view: Callable[Params, Response]) -> Callable[Params, Response]:
    """The view, for the owner only. Anybody else gets a page that asks for the secret, or says how to set one."""

    @wraps(view)
    def guarded(*args: Params.args, **kwargs: Params.kwargs) -> Response:
        granted = access()
        return view(*args, **kwargs) if granted is Access.ALLOWED else locked_page(granted)

    return guarded


def locked_page(granted: Access) -> Response:
    """A 401, which makes a browser ask for the secret. A 503 if no secret is set."""
    if granted is Access.NO_SECRET_SET:
        return page_response("studio/notice.html", 503, notice="no_secret")
    response = page_response("studio/notice.html", 401, notice="locked")
    response.headers.update(CHALLENGE)
    return response


def refused_page() -> Response:
    """A 403, for a form that another site may have made the owner's browser send."""
    return page_response("studio/notice.html", 403, notice="refused")


def page_response(template: str, status_code: int = 200, *, script: str = "", **context: object) -> Response:
    """A page for the owner. No cache keeps it, and no other page can show it in a frame.

    The template extends ``studio/base.html``. It gets what ``render_part`` gives it, and ``context``.
    """
    style = render_template("studio/style.css")
    ours = {"style": Markup(style), "script": Markup(script)}  # noqa: S704  both are ours
    body = render_part(template, **ours, **context)
    return Response(body, status_code, {CSP_HEADER: _policy(style, script), **PRIVATE_HEADERS})


def render_part(template: str, **context: object) -> str:
    """A page or a part of one as HTML.

    The template gets ``words``, ``language`` (for dates and numbers), ``language_code`` and ``with_code``.
    """
    code = current().settings.language
    return render_template(
        template,
        words=words_of(code),
        language=language_of(code),
        language_code=code,
        with_code=with_code,
        **context,
    )


def with_code(text: str) -> Markup:
    """The text, escaped, with each part between backticks as ``<code>``."""
    parts = (escape(part) for part in text.split("`"))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def _policy(style: str, script: str) -> str:
    scripts = f"script-src {_hash(script)}; connect-src 'self'; " if script else ""
    return (
        f"default-src 'none'; img-src 'self'; style-src {_hash(style)}; {scripts}frame-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
