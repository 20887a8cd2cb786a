"""The studio's page, and the forms on it."""

from flask import Blueprint, Flask, Response, request

from igfeed.owner.pages.forms import form_token, owner_form
from igfeed.owner.pages.frame import owner_page, page_response
from igfeed.owner.pages.words import words_of
from igfeed.services import current

bp = Blueprint("studio", __name__, url_prefix="/studio")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get("")
@owner_page
def page() -> Response:
    """How everything is, and all that the owner can do about it."""
    # A visitor's process needs none of this, and it would make its start slower.
    from igfeed.owner.status import examine  # noqa: PLC0415  as above
    from igfeed.owner.studio.health import health_of  # noqa: PLC0415  as above

    services = current()
    words = words_of(services.settings.language)
    found = examine(services)
    return page_response(
        "studio/page.html",
        form_token=form_token(),
        health=health_of(found, services.settings),
        account=found.status.account,
        result=words.results.get(request.args.get("done")),
        reason=words.reasons.get(request.args.get("because")),
    )


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

    # The answer waits for the pictures, as long as the cron's: Vercel would stop work that comes after it.
    done = upkeep.fetch(current(), time_limit=upkeep.MIRRORING_TIME_LIMIT)
    return "pictures_missing" if done.pictures.failed else "fetched"
