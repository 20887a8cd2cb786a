"""Protects the owner's forms against requests that another site makes the owner's browser send (CSRF).

The browser adds the secret to such a request by itself. So each page has ``form_token()`` in a hidden field named
``FORM_TOKEN``, which another site cannot read. The view that gets the form has the decorator ``owner_form``.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlsplit

from flask import Response, redirect, request

from igfeed.clock import CLOCKS_DIFFER
from igfeed.errors import IgfeedError
from igfeed.owner.auth import Access, access
from igfeed.owner.pages.account_addresses import address_of
from igfeed.owner.pages.failure_reasons import reason_of
from igfeed.owner.pages.page import locked_page, refused_page
from igfeed.services import current

FORM_TOKEN = "form_token"  # noqa: S105  the name of a field
FORM_LIFETIME = timedelta(hours=12)
"""How long a page may stay open before its forms are refused."""

SIGNED_PURPOSE = b"igfeed form token"
"""The purpose of the derived key, so that no other signature of ours is accepted as a form token."""

Params = ParamSpec("Params")


def owner_form(view: Callable[Params, str | Response]) -> Callable[Params, Response]:
    """The view, for forms that the owner has sent from one of our pages. Anybody else gets a page that says why not.

    The view returns a response, or the name of its result: one of those under ``results`` in the translations. Then the
    browser is redirected to the studio, which shows the sentence. An IgfeedError becomes the result "failed" with the
    error's reason.
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
    """A 303 to the studio, which shows the sentences named ``result`` and ``because``.

    They are names under ``results`` and ``reasons`` in the translations. ``section`` is the id of the element that the
    browser scrolls to.
    """
    return to_studio_of(current().account, result, because=because, section=section)


def to_studio_of(
    account: str | None, result: str | None = None, *, because: str | None = None, section: str | None = None
) -> Response:
    """Like ``to_studio``, to the studio of another account than the request's. Without ``result`` it says nothing."""
    address = address_of(account, "studio.page", done=result, because=because, _anchor=section)
    response = redirect(address, 303)
    response.headers["Cache-Control"] = "no-store"
    # Flask's redirect is typed as Werkzeug's response, but returns Flask's.
    assert isinstance(response, Response)  # noqa: S101  as above
    return response


def form_token() -> str:
    """The value of a form's hidden field. Empty if no secret is set, because then nobody sees a form."""
    secrets = current().settings.secrets
    issued = f"{int(current().clock().timestamp()):x}"
    return f"{issued}.{_signature(secrets[0], issued)}" if secrets else ""


def _age_of_form() -> timedelta | None:
    """How long ago the form's token was made, at least a second. None if we have not signed it."""
    issued, _, signature = request.form.get(FORM_TOKEN, "").partition(".")
    given = signature.encode()
    # Any secret is accepted, because the owner may be replacing one by another.
    secrets = current().settings.secrets
    if sum(hmac.compare_digest(given, _signature(secret, issued).encode()) for secret in secrets) == 0:
        return None
    age = timedelta(seconds=current().clock().timestamp() - int(issued, 16))
    return max(age, timedelta(seconds=1)) if age > -CLOCKS_DIFFER else None


def _signature(secret: str, issued: str) -> str:
    key = hmac.digest(secret.encode(), SIGNED_PURPOSE, hashlib.sha256)
    return hmac.new(key, issued.encode(), hashlib.sha256).hexdigest()


def _is_from_our_pages() -> bool:
    """Whether the request's headers say so. True without such headers, as in old browsers: the form token decides."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    # Schemes are not compared, because a proxy may have ended TLS without telling us. A proxy may also change the host.
    # Then BASE_URL has the host that browsers see.
    ours = {request.host, urlsplit(current().settings.base_url or "").netloc}
    try:
        return urlsplit(origin).netloc in ours - {""}
    except ValueError:  # A bracket is not closed. No browser sends that.
        return False
