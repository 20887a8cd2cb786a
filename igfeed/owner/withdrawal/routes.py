"""The routes that Meta calls, and the page about a deletion that it shows to the account's owner."""

import json
import logging
import re
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, current_app, request, url_for

from igfeed.accounts.directory import current_accounts
from igfeed.errors import StoreError
from igfeed.owner import api
from igfeed.owner.withdrawal.store_reads import StoreReads
from igfeed.web.headers import CSP_HEADER
from igfeed.widget.page_cache import Page

if TYPE_CHECKING:
    from igfeed.models.app_credentials import AppCredentials

log = logging.getLogger(__name__)

bp = Blueprint("withdrawal", __name__, url_prefix="/connect")

CODE = re.compile(r"[0-9a-f]{24}")

STORE_READS = "igfeed store reads"
"""The key of the app's ``StoreReads`` in ``app.extensions``."""


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.extensions[STORE_READS] = StoreReads()


@bp.post("/deauthorize")
def deauthorize() -> Response:
    """The account's owner has removed the app at Instagram. The token is deleted, the posts stay."""
    from igfeed.owner.withdrawal import effects  # noqa: PLC0415  a visitor's process needs none of this

    user_id, _ = _account_and_app()
    accounts = current_accounts()
    effects.deauthorize((accounts.default, *accounts.others()), user_id)
    return _json({"ok": True})


@bp.post("/delete")
def delete() -> Response:
    """The account's owner wants the data deleted. Token, posts and pictures are deleted."""
    from igfeed.owner.connect.addresses import absolute  # noqa: PLC0415  as above
    from igfeed.owner.withdrawal import effects  # noqa: PLC0415  as above

    user_id, app = _account_and_app()
    accounts = current_accounts()
    code = effects.delete(accounts.default, accounts.others(), user_id, app.secret)
    return _json({"url": absolute(url_for("withdrawal.deletion", code=code)), "confirmation_code": code})


@bp.get("/deletion/<code>")
def deletion(code: str) -> Response:
    """The page about a deletion, for anybody who has its code. 404 if there is no such deletion.

    503 if that cannot be told now: the store is away, or strangers have asked for too many codes.
    """
    from igfeed.owner.withdrawal import effects  # noqa: PLC0415  as above
    from igfeed.widget.privacy.page import deletion_not_readable_page, deletion_page  # noqa: PLC0415  as above

    if CODE.fullmatch(code) is None:
        return _page(deletion_page(code, None, had_data=False), 404)
    try:
        _store_reads().count_a_code()
        found = effects.deletion(current_accounts().default, code)
    except StoreError as error:
        log.warning("A question about a deletion was not answered: %s", error)
        return _page(deletion_not_readable_page(), 503)
    page = deletion_page(code, found.at if found else None, had_data=found is not None and found.had_data)
    return _page(page, 200 if found else 404)


class _RefusedError(Exception):
    """The request does not come from Meta."""


@bp.errorhandler(_RefusedError)
def refused(_: Exception) -> Response:
    return _uncached(api.error(400, "bad_request", "The signed_request is missing or wrong.", "Only Meta can sign it."))


@bp.errorhandler(StoreError)
def store_away(error: StoreError) -> Response:
    """503, because a 200 would tell Meta that the data is deleted. What has failed is for the log only."""
    log.warning("A request of Meta's was not answered: %s", error)
    return _uncached(api.error(503, "store_away", "The store does not answer.", "Send the request again later."))


def _account_and_app() -> tuple[str, "AppCredentials"]:
    """The id of the account that the request is about, and our app's credentials.

    Raises _RefusedError, and StoreError.
    """
    from igfeed.owner.withdrawal import signed_request  # noqa: PLC0415  as above

    app = _store_reads().app(current_accounts().default)
    try:
        if app is None:
            raise signed_request.BadSignature  # Without the secret nothing can be checked.
        return signed_request.user_id(request.form.get("signed_request", ""), app.secret), app
    except signed_request.BadSignature:
        raise _RefusedError from None


def _page(page: Page, status_code: int) -> Response:
    return _uncached(Response(page.body, status_code, {CSP_HEADER: page.policy}))


def _store_reads() -> StoreReads:
    reads: StoreReads = current_app.extensions[STORE_READS]
    return reads


def _json(data: dict[str, object]) -> Response:
    return _uncached(Response(json.dumps(data), mimetype="application/json"))


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
