"""The routes that get the studio's forms about several accounts."""

from flask import Blueprint, Flask, Response, abort, request

from igfeed.accounts.directory import current_accounts
from igfeed.accounts.names import NAME
from igfeed.errors import AccountNameRefused
from igfeed.owner.pages.account_addresses import address_of, feed_path
from igfeed.owner.pages.forms import form_token, owner_form, to_studio_of
from igfeed.owner.pages.page import owner_page, page_response
from igfeed.services import current

bp = Blueprint("studio_accounts", __name__, url_prefix="/studio/accounts")

UNPROCESSABLE = 422


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.post("/add")
@owner_form
def add() -> Response:
    """The page that says how to add an account with this name. If no account can have it, the studio asks again.

    Nothing is stored. The login or the command that follows adds the account.
    """
    # Imported here, because processes for visitors need none of this and would start more slowly.
    from igfeed.owner.studio.connection import connection  # noqa: PLC0415  as above
    from igfeed.owner.studio.contents import studio_page  # noqa: PLC0415  as above

    current().check_startup()
    typed = request.form.get("name", "")
    # People write capitals without a thought, and some write the slashes too.
    name = typed.strip().strip("/").lower()
    if refusal := _refusal(name):
        return studio_page(UNPROCESSABLE, typed=typed, refusal=refusal)
    return page_response(
        "studio/add_account.html",
        name=name,
        here=feed_path(name),
        is_possible=connection(current()).is_possible,
        login=address_of(None, "connect.start", new=name),
    )


@bp.get("/remove")
@owner_page
def ask_removal() -> Response:
    """Asks whether to remove the account. The default account cannot be removed."""
    name, snapshot = _removable(), current().feed.cached
    username = snapshot.profile.username if snapshot else None
    return page_response("studio/remove_account.html", here=feed_path(name), username=username, form_token=form_token())


@bp.post("/remove")
@owner_form
def remove() -> Response:
    """Remove the account with all that is stored of it."""
    current_accounts().remove(_removable())
    return to_studio_of(None, "account_removed")


def _removable() -> str:
    name = current().account
    if name is None:
        abort(404)
    return name


def _refusal(name: str) -> str | None:
    """Why no account can be added under this name: a key of the translations. None if one can. Raises StoreError."""
    accounts = current_accounts()
    try:
        accounts.check_name(name)
    except AccountNameRefused:
        return "own" if NAME.fullmatch(name) else "bad"
    return "taken" if accounts.find(name) else None
