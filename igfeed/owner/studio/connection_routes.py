"""The form of the studio for the app's id and secret, which is for those who cannot or will not set variables."""

from flask import Blueprint, Response, request

from igfeed.errors import WrongAppId, WrongAppSecret
from igfeed.owner.pages.forms import owner_form, to_studio
from igfeed.services import current

bp = Blueprint("studio_connection", __name__, url_prefix="/studio/connection")

SECTION = "connection"


@bp.post("/app")
@owner_form
def save_app() -> Response:
    """Keep the app's id and secret, encrypted."""
    # A visitor's process needs none of this, and it would make its start slower.
    from igfeed.owner.connect import app_credentials  # noqa: PLC0415  as above

    try:
        current().check_startup()
        app_credentials.save(current(), request.form.get("app_id", ""), request.form.get("app_secret", ""))
    except WrongAppId:
        return to_studio("bad_app_id", section=SECTION)
    except WrongAppSecret:
        return to_studio("bad_app_secret", section=SECTION)
    return to_studio("app_saved", section=SECTION)


@bp.post("/forget-app")
@owner_form
def forget_app() -> Response:
    """Delete the kept id and secret."""
    from igfeed.owner.connect import app_credentials  # noqa: PLC0415  as above

    current().check_startup()
    app_credentials.forget(current())
    return to_studio("app_forgotten", section=SECTION)
