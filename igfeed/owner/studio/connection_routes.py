"""The routes that get the studio's form for the app's id and secret. Owners who set the variables do not need it."""

from flask import Blueprint, Response, request

from igfeed.accounts.directory import current_accounts
from igfeed.errors import WrongAppId, WrongAppSecret
from igfeed.owner.pages.forms import owner_form, to_studio
from igfeed.services import current

bp = Blueprint("studio_connection", __name__, url_prefix="/studio/connection")

SECTION = "connection"


@bp.post("/app")
@owner_form
def save_app() -> Response:
    """Store the app's id and secret, encrypted."""
    # Imported here, because processes for visitors need none of this and would start more slowly.
    from igfeed.owner.connect import app_credentials  # noqa: PLC0415  as above

    try:
        current().check_startup()
        form, keeper = request.form, current_accounts().default
        app_credentials.save(keeper, form.get("app_id", ""), form.get("app_secret", ""))
    except WrongAppId:
        return to_studio("bad_app_id", section=SECTION)
    except WrongAppSecret:
        return to_studio("bad_app_secret", section=SECTION)
    return to_studio("app_saved", section=SECTION)


@bp.post("/forget-app")
@owner_form
def forget_app() -> Response:
    """Delete the stored id and secret."""
    from igfeed.owner.connect import app_credentials  # noqa: PLC0415  as above

    current().check_startup()
    app_credentials.forget(current_accounts().default)
    return to_studio("app_forgotten", section=SECTION)
