"""The routes of the studio's page."""

from flask import Blueprint, Flask, Response, request

from igfeed.accounts.directory import current_accounts
from igfeed.owner.pages.forms import owner_form, to_studio
from igfeed.owner.pages.page import PRIVATE_HEADERS, owner_page, render_part
from igfeed.owner.studio import connection_routes, post_routes
from igfeed.services import current

STUDIO_MIRRORING_TIME_LIMIT = 20.0
"""Seconds after which a fetch begins no further picture. The owner waits, and some proxies end a request after 30."""

bp = Blueprint("studio", __name__, url_prefix="/studio")


def init_app(app: Flask) -> None:
    for each in (bp, post_routes.bp, connection_routes.bp):
        app.register_blueprint(each)


@bp.get("")
@owner_page
def page() -> Response:
    """The studio's page."""
    # Imported here, because processes for visitors need none of this and would start more slowly.
    from igfeed.owner.studio.contents import studio_page  # noqa: PLC0415  as above

    return studio_page()


@bp.get("/snippets")
@owner_page
def snippets() -> Response:
    """The snippets and warnings for the options in the query. The page's script asks for them."""
    from igfeed.owner.studio.contents import look  # noqa: PLC0415  as above

    services = current()
    part = render_part("studio/_snippets.html", **look(services, services.feed.current().snapshot))
    return Response(part, headers=PRIVATE_HEADERS)


@bp.get("/preview")
@owner_page
def preview() -> Response:
    """The embed with the options in the query, for the frame on the page."""
    from igfeed.owner.studio.preview import preview_response  # noqa: PLC0415  as above

    return preview_response()


@bp.post("/look")
@owner_form
def keep_look() -> Response:
    """Let embeds have the form's options where their own query names none, or restore the defaults."""
    from igfeed.owner import choosing  # noqa: PLC0415  as above
    from igfeed.owner.studio.look import Look  # noqa: PLC0415  as above

    look = "" if "reset" in request.form else Look.from_query(request.form).to_keep
    choosing.set_look(current(), look)
    return to_studio("look_saved" if look else "look_reset", section="look")


@bp.post("/renew")
@owner_form
def renew() -> str:
    """Renew the token now."""
    from igfeed.owner import upkeep  # noqa: PLC0415  as above

    return str(upkeep.refresh(current()))


@bp.post("/fetch")
@owner_form
def fetch() -> str:
    """Fetch the feed now, and the pictures as far as there is time."""
    from igfeed.owner import upkeep  # noqa: PLC0415  as above

    # The answer waits for the pictures, as Vercel would stop work that comes after it.
    done = upkeep.fetch(current(), time_limit=STUDIO_MIRRORING_TIME_LIMIT)
    return "pictures_missing" if done.pictures.failed else "fetched"


@bp.post("/test-alert")
@owner_form
def test_alert() -> str:
    """Send a test to every address of IGFEED_ALERTS."""
    from igfeed.owner.alerts.notifier import send_test  # noqa: PLC0415  as above

    deliveries = send_test(current(), current_accounts().reachable())
    return "alert_failed" if any(each.error for each in deliveries) else "alert_sent"
