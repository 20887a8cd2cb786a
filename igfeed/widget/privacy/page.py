"""The privacy page, and the page about a deletion."""

from datetime import datetime

from igfeed.models import FeedSnapshot
from igfeed.services import current
from igfeed.widget.page_cache import Page
from igfeed.widget.privacy.wording import wording_of
from igfeed.widget.render import notice_page
from igfeed.widget.translations import language_of


def privacy_page(snapshot: FeedSnapshot | None) -> Page:
    """The privacy page. It has the account's name if there is a snapshot."""
    said, profile = wording_of(current().settings.language).privacy, snapshot.profile if snapshot else None
    return notice_page(
        "widget/privacy.html",
        said=said,
        name=(profile.name or f"@{profile.username}") if profile else said.somebody,
        profile=profile,
        is_long=True,
    )


def deletion_page(code: str, at: datetime | None, *, had_data: bool) -> Page:
    """The page about the deletion with this code. ``at`` is its time, None if there was no such deletion.

    ``had_data`` is False if nothing of that account was stored.
    """
    wording = wording_of(current().settings.language)
    said, title = wording.deletion, wording.privacy.title
    if at is None:
        return notice_page("widget/deletion.html", heading=said.unknown_heading, text=said.unknown, privacy=title)
    heading, text = said.nothing_heading, said.nothing
    if had_data:
        heading, text = said.deleted_heading, said.deleted.format(date=_date(at))
    return notice_page("widget/deletion.html", heading=heading, text=text, code=code, said=said, privacy=title)


def deletion_not_readable_page() -> Page:
    """The page for somebody who asks about a deletion while the store does not answer."""
    wording = wording_of(current().settings.language)
    said, title = wording.deletion, wording.privacy.title
    return notice_page("widget/deletion.html", heading=said.not_readable_heading, text=said.not_readable, privacy=title)


def _date(moment: datetime) -> str:
    return language_of(current().settings.language).date(moment)
