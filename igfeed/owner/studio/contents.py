"""Collects what the studio's page shows. Parts that cannot be read are left out; the health says why."""

from typing import Any

from flask import request, url_for

from igfeed.errors import StoreError
from igfeed.history import Event
from igfeed.models import FeedSnapshot
from igfeed.owner.pages.words import words_of
from igfeed.owner.status import examine
from igfeed.owner.studio.connection import CONNECTION_KEYS, connection
from igfeed.owner.studio.health import health_of
from igfeed.owner.studio.look import Look
from igfeed.owner.studio.posts import Selection, selection
from igfeed.owner.studio.sentences import Sentences
from igfeed.services import Services
from igfeed.web.addresses import own_origin
from igfeed.widget.translations import language_of

UNKNOWN_ORIGIN = "https://feed.example.com"
"""Our origin in the snippets if neither BASE_URL nor the request tells it."""

MAX_EVENTS_SHOWN = 12


def contents(services: Services) -> dict[str, Any]:
    """The variables of the page's template."""
    code = services.settings.language
    words, found = words_of(code), examine(services)
    with services.store.read_ahead(*services.history.keys, *CONNECTION_KEYS):
        events, connected = _events(services), connection(services)
    return {
        "health": health_of(found, events, services.settings),
        "account": found.status.account,
        "say": Sentences(words, language_of(code), found.seen.at),
        "result": words.results.get(request.args.get("done")),
        "reason": words.reasons.get(request.args.get("because")),
        "selection": _selection(services, found.seen.snapshot),
        "events": events[:MAX_EVENTS_SHOWN],
        "connection": connected,
        **look(services, found.seen.snapshot),
    }


def look(services: Services, snapshot: FeedSnapshot | None) -> dict[str, Any]:
    """The variables of the templates for the builder and its snippets."""
    chosen = Look.from_query(request.args, snapshot.choices.look if snapshot else "")
    origin = own_origin(services.settings, request.environ) or UNKNOWN_ORIGIN
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
