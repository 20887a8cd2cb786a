"""The owner's forms. A browser sends the secret by itself, so a form must show that one of our pages was its source.

A page has ``form_token()`` in a hidden field named ``FORM_TOKEN``. The view that the form is sent to has the decorator
``owner_form``. Another site can make the owner's browser send a form, but cannot read the token on our page.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlsplit

from flask import Response, redirect, request, url_for

from igfeed.clock import CLOCKS_DIFFER
from igfeed.errors import IgfeedError
from igfeed.owner.auth import Access, access
from igfeed.owner.pages.frame import locked_page, refused_page
from igfeed.owner.pages.results import reason_of
from igfeed.services import current

FORM_TOKEN = "form_token"  # noqa: S105  the name of a field
FORM_LIFETIME = timedelta(hours=12)
"""How long a page may stay open until its forms are refused."""

SIGNED_PURPOSE = b"igfeed form token"
"""What the key is derived for, so that no other signature of ours is a form token."""

Params = ParamSpec("Params")


def owner_form(view: Callable[Params, str | Response]) -> Callable[Params, Response]:
    """The view, for forms that the owner has sent from one of our pages. Others get a page that says why not.

    The view returns the name of its result, one of those in ``results``: the browser is sent to the studio, which says
    it in words. Or it returns a response. An IgfeedError becomes the result "failed" with the error's reason.
    """

    @wraps(view)
    def guarded(*args: Params.args, **kwargs: Params.kwargs) -> Response:
        granted = access()
        if granted is not Access.ALLOWED:
            return locked_page(granted)
        if not _is_from_our_pages() or not (age := _age_of_form()):
            return refused_page()
        if age > FORM_LIFETIME:
            return to_studio("too_late")
        try:
            result = view(*args, **kwargs)
        except IgfeedError as error:
            return to_studio("failed", because=reason_of(error))
        return to_studio(result) if isinstance(result, str) else result

    return guarded


def to_studio(result: str, *, because: str | None = None, section: str | None = None) -> Response:
    """A 303 to the studio, which says what ``result`` and ``because`` stand for: see ``results``.

    ``section`` is the id of the element that the browser scrolls to.
    """
    response = redirect(url_for("studio.page", done=result, because=because, _anchor=section), 303)
    response.headers["Cache-Control"] = "no-store"
    # Flask's redirect is typed as Werkzeug's response, and makes ours.
    assert isinstance(response, Response)  # noqa: S101  as above
    return response


def form_token() -> str:
    """For the hidden field of a form. Empty if no secret is set, as then nobody sees a form."""
    secrets = current().settings.secrets
    issued = f"{int(current().clock().timestamp()):x}"
    return f"{issued}.{_signature(secrets[0], issued)}" if secrets else ""


def _age_of_form() -> timedelta | None:
    """How long ago the form's token was made, at least a second. None if it is none of ours."""
    issued, _, signature = request.form.get(FORM_TOKEN, "").partition(".")
    given = signature.encode()
    # The owner may be changing one secret for another: a token signed with any of them counts.
    secrets = current().settings.secrets
    if sum(hmac.compare_digest(given, _signature(secret, issued).encode()) for secret in secrets) == 0:
        return None
    age = timedelta(seconds=current().clock().timestamp() - int(issued, 16))
    return max(age, timedelta(seconds=1)) if age > -CLOCKS_DIFFER else None


def _signature(secret: str, issued: str) -> str:
    key = hmac.digest(secret.encode(), SIGNED_PURPOSE, hashlib.sha256)
    return hmac.new(key, issued.encode(), hashlib.sha256).hexdigest()


def _is_from_our_pages() -> bool:
    """Whether the browser says so. A client that says nothing is no browser of today: its form token decides."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    # Without the scheme: a proxy may have ended TLS and said nothing of it. A proxy may also change the host, but then
    # BASE_URL has what browsers see.
    ours = {request.host, urlsplit(current().settings.base_url or "").netloc}
    return urlsplit(origin).netloc in ours - {""}
