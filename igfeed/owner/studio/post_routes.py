"""The routes that get the studio's forms about posts."""

import re
from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, request

from igfeed.errors import ChoiceRefused, UnknownPost
from igfeed.models.kept_posts import PostType
from igfeed.owner.pages.forms import owner_form, to_studio
from igfeed.services import current

bp = Blueprint("studio_posts", __name__, url_prefix="/studio/posts")

CHANGES = {
    "hide": "post_hidden",
    "show": "post_shown",
    "approve": "post_approved",
    "pin": "post_pinned",
    "unpin": "post_unpinned",
}
"""The names of the buttons, each with its result. The value of a button is the post's id."""

HASHTAG_SEPARATOR = re.compile(r"[\s,]+")
TYPES: tuple[PostType, ...] = ("photo", "video", "album")

SECTION = "posts"
"""The part of the page that the forms are in."""


@bp.post("/choose")
@owner_form
def choose() -> Response:
    """Hide, show, approve, pin or unpin one post, by the button that was pressed."""
    # Imported here, because processes for visitors need none of this and would start more slowly.
    from igfeed.owner import choosing  # noqa: PLC0415  as above

    pressed = next((name for name in CHANGES if name in request.form), None)
    if pressed is None:
        return to_studio("nothing_chosen", section=SECTION)
    post_id, change = request.form[pressed], getattr(choosing, pressed)
    return _change_and_answer(
        partial(change, current(), [post_id]), CHANGES[pressed], "too_many_pins", f"post-{post_id}"
    )


@bp.post("/link")
@owner_form
def link() -> Response:
    """Save the owner's link for one post. An empty address removes it."""
    from igfeed.owner import choosing  # noqa: PLC0415  as above

    form = request.form
    post_id, url = form.get("post", ""), form.get("url", "")
    result = "link_saved" if url.strip() else "link_removed"
    change = partial(choosing.set_link, current(), post_id, url, form.get("label", ""))
    return _change_and_answer(change, result, "bad_link", f"post-{post_id}")


@bp.post("/rules")
@owner_form
def rules() -> Response:
    """Save the rules for all posts, in place of the rules before."""
    from igfeed.owner import choosing  # noqa: PLC0415  as above

    form = request.form
    types = [each for each in TYPES if each in form.getlist("type")]

    def change() -> object:
        return choosing.set_rules(
            current(),
            types=types if len(types) < len(TYPES) else (),
            with_hashtags=HASHTAG_SEPARATOR.split(form.get("with", "")),
            without_hashtags=HASHTAG_SEPARATOR.split(form.get("without", "")),
            approve_new="approve_new" in form,
        )

    return _change_and_answer(change, "rules_saved", "bad_hashtag", SECTION)


def _change_and_answer(change: Callable[[], object], result: str, refusal: str, section: str) -> Response:
    """Make the change and say so. A shorter feed is filled after the answer."""
    from igfeed.owner import choosing  # noqa: PLC0415  as above

    try:
        change()
    except UnknownPost:
        return to_studio("unknown_post", section=SECTION)  # The page has no tile to scroll to.
    except ChoiceRefused:
        return to_studio(refusal, section=section)
    services = current()
    response = to_studio(result, section=section)
    response.call_on_close(lambda: services.background(lambda: choosing.fill(services)))
    return response
