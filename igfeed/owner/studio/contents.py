"""The studio's page: collects what it shows. Parts that cannot be read are left out; the health says why."""

from pathlib import Path
from typing import Any

from flask import Response, current_app, request, url_for

from igfeed.accounts.account_list import ACCOUNTS_KEY
from igfeed.errors import StoreError
from igfeed.history import Event
from igfeed.models import FeedSnapshot
from igfeed.owner.account_pages.overview import overview
from igfeed.owner.connect import app_credentials, login_failure
from igfeed.owner.pages.account_addresses import shown_origin
from igfeed.owner.pages.forms import form_token
from igfeed.owner.pages.page import page_response
from igfeed.owner.pages.words import words_of
from igfeed.owner.status import examine
from igfeed.owner.studio.connection import connection
from igfeed.owner.studio.health import health_of
from igfeed.owner.studio.look import Look
from igfeed.owner.studio.posts import Selection, selection
from igfeed.owner.studio.sentences import Sentences
from igfeed.services import Services, current
from igfeed.widget.translations import language_of

MAX_EVENTS_SHOWN = 12


def studio_page(status_code: int = 200, **more: object) -> Response:
    """The page. ``more`` are variables for the template besides the usual ones."""
    script = Path(current_app.root_path, "templates/studio/studio.js").read_text("utf-8")
    shown = {**contents(current()), **more}
    return page_response("studio/page.html", status_code, script=script, form_token=form_token(), **shown)


def contents(services: Services) -> dict[str, Any]:
    """The variables of the page's template."""
    code = services.settings.language
    words, found = words_of(code), examine(services)
    with services.store.read_ahead(*services.history.keys, *_shared_keys(services), login_failure.FAILURE_KEY):
        events, connected, accounts = _events(services), connection(services), overview(services, found)
    return {
        "health": health_of(found, events, services.settings),
        "account": found.status.account,
        "say": Sentences(words, language_of(code), found.seen.at),
        "result": words.results.get(request.args.get("done")),
        "reason": words.reasons.get(request.args.get("because")),
        "selection": _selection(services, found.seen.snapshot),
        "events": events[:MAX_EVENTS_SHOWN],
        "connection": connected,
        "accounts": accounts,
        **look(services, found.seen.snapshot),
    }


def _shared_keys(services: Services) -> tuple[str, ...]:
    """The keys of what all accounts share, if they are in this account's store."""
    return (app_credentials.DOCUMENT.key, ACCOUNTS_KEY) if services.account is None else ()


def look(services: Services, snapshot: FeedSnapshot | None) -> dict[str, Any]:
    """The variables of the templates for the builder and its snippets."""
    chosen = Look.from_query(request.args, snapshot.choices.look if snapshot else "")
    origin = shown_origin(services)
    return {
        "look": chosen,
        "most_posts": services.settings.posts,
        "snippets": chosen.snippets(f"{origin}{url_for('widget.index')}", snapshot.profile if snapshot else None),
    }


def _selection(services: Services, snapshot: FeedSnapshot | None) -> Selection | None:
    try:
        return selection(services, snapshot.profile) if snapshot else None
    except StoreError:
        return None


def _events(services: Services) -> tuple[Event, ...]:
    try:
        return services.history.events()
    except StoreError:
        return ()
