"""The studio's page, and the forms on it."""

from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for

from igfeed.models import FeedSnapshot
from igfeed.owner.pages.forms import form_token, owner_form
from igfeed.owner.pages.frame import PRIVATE_HEADERS, owner_page, page_response, render_part
from igfeed.owner.pages.words import words_of
from igfeed.services import current
from igfeed.web.addresses import own_origin

bp = Blueprint("studio", __name__, url_prefix="/studio")

UNKNOWN_ORIGIN = "https://feed.example.com"
"""Our origin in the snippets, where neither BASE_URL nor the request gives it."""


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
        script=_script(),
        form_token=form_token(),
        health=health_of(found, services.settings),
        account=found.status.account,
        result=words.results.get(request.args.get("done")),
        reason=words.reasons.get(request.args.get("because")),
        **_look(found.seen.snapshot),
    )


@bp.get("/snippets")
@owner_page
def snippets() -> Response:
    """The snippets for the options in the query, and what is to be said of them: for the page's script."""
    part = render_part("studio/_snippets.html", **_look(current().feed.current().snapshot))
    return Response(part, headers=PRIVATE_HEADERS)


@bp.get("/preview")
@owner_page
def preview() -> Response:
    """The embed with the options in the query, for the frame on the page."""
    from igfeed.owner.studio.preview import preview_response  # noqa: PLC0415  as above

    return preview_response()


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


def _look(snapshot: FeedSnapshot | None) -> dict[str, Any]:
    from igfeed.owner.studio.look import Look  # noqa: PLC0415  as above

    look = Look.from_query(request.args)
    origin = own_origin(current().settings, request.environ) or UNKNOWN_ORIGIN
    return {
        "look": look,
        "most_posts": current().settings.posts,
        "snippets": look.snippets(f"{origin}{url_for('widget.index')}", snapshot.profile if snapshot else None),
    }


def _script() -> str:
    return Path(current_app.root_path, "templates/studio/studio.js").read_text("utf-8")
