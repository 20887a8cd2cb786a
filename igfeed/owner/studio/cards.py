"""The cards of the studio. Each shows the state of one part of igfeed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from igfeed.history import Event
from igfeed.models.token import TOKEN_LIFETIME
from igfeed.owner.findings import Verdict
from igfeed.owner.status import Examination
from igfeed.owner.studio.sentences import Sentences

Level = Literal["good", "warn", "bad", "none"]

LEVELS: dict[Verdict, Level] = {"ok": "good", "degraded": "warn", "action_required": "bad"}
"""How the studio colours a status."""

LIFETIME_DAYS = TOKEN_LIFETIME.days


@dataclass(frozen=True)
class Card:
    """``value`` is the state in a few words, ``note`` a remark under it.

    ``days_left`` is for a bar that is full at ``most_days``. None means no bar.
    """

    name: str
    level: Level
    value: str
    note: str = ""
    days_left: float | None = None
    most_days: int = LIFETIME_DAYS


def cards(found: Examination, events: Sequence[Event], say: Sentences) -> Iterator[Card]:
    """One card for each part, and one for the addresses that are told of new posts if there are any.

    ``events`` are those of the history, newest first.
    """
    yield _token(found, say)
    yield _feed(found, say)
    yield _pictures(found, say)
    yield _store(found, say)
    yield _renewal(found, say)
    yield _cron(events, say)
    yield _alerts(found, say)
    if found.seen.hooks().addresses:
        yield _hooks(found, say)


def _token(found: Examination, say: Sentences) -> Card:
    words, token = say.words.cards.token, found.status.token
    if not token.present:
        return Card(words.name, "none", words.none)
    if token.state == "expired" and token.expires_at:
        return Card(words.name, "bad", words.expired.format(date=say.date(token.expires_at)), days_left=0)
    if token.state == "rejected":
        return Card(words.name, "bad", words.rejected)
    is_failing = bool(found.status.last_renewal.error)
    value = words.unknown if token.days_left is None else say.counted(words.days, int(token.days_left))
    return Card(words.name, "warn" if is_failing else "good", value, _token_note(found, say), token.days_left)


def _token_note(found: Examination, say: Sentences) -> str:
    words, token = say.words.cards.token, found.status.token
    if token.source == "memory" and not token.saved:
        return str(words.not_saved)
    if token.source == "environment":
        return str(words.from_environment)
    return str(words.due if token.state == "due" else words.renews)


def _feed(found: Examination, say: Sentences) -> Card:
    words, feed = say.words.cards.feed, found.status.feed
    if found.seen.snapshot is None:
        return Card(
            words.name, "warn" if feed.last_error else "none", words.none, words.failed if feed.last_error else ""
        )
    posts = say.counted(words.posts, feed.posts)
    note = words.fetched.format(ago=say.ago(feed.fetched_at)) if feed.fetched_at else words.undated
    return Card(words.name, "warn" if feed.last_error else "good", posts, note)


def _pictures(found: Examination, say: Sentences) -> Card:
    words = say.words.cards.pictures
    if found.seen.snapshot is None:
        return Card(words.name, "none", words.none)
    if overdue := len(found.seen.overdue_pictures()):
        return Card(words.name, "warn", say.counted(words.missing, overdue), words.missing_note)
    return Card(words.name, "good", words.good, words.good_note)


def _store(found: Examination, say: Sentences) -> Card:
    words, store = say.words.cards.store, found.status.store
    if not store.reachable:
        return Card(words.name, "warn", words[store.kind], words.away)
    if found.seen.write_refusal:
        return Card(words.name, "warn", words[store.kind], words.refuses)
    return Card(words.name, "good", words[store.kind], words.good)


def _renewal(found: Examination, say: Sentences) -> Card:
    words, renewal = say.words.cards.renewal, found.status.last_renewal
    if renewal.at is None or renewal.outcome is None:
        return Card(words.name, "none", words.none)
    level: Level = "warn" if renewal.error else "good"
    return Card(words.name, level, words[str(renewal.outcome)], say.ago(renewal.at))


def _cron(events: Sequence[Event], say: Sentences) -> Card:
    """A run of the cron adds the event of its fetch, and before it that of a renewal if it tried one.

    The run has failed if either has failed.
    """
    words, runs = say.words.cards.cron, [event for event in events if event.by == "cron"]
    if not runs:
        return Card(words.name, "none", words.none, words.none_note)
    last = runs[:2] if len({event.what for event in runs[:2]}) > 1 else runs[:1]
    has_failed = any(event.error for event in last)
    return Card(
        words.name, "warn" if has_failed else "good", words.failed if has_failed else words.worked, say.ago(last[0].at)
    )


def _alerts(found: Examination, say: Sentences) -> Card:
    words, alerts = say.words.cards.alerts, found.status.alerts
    if not alerts.configured:
        return Card(words.name, "none", words.off, words.off_note)
    if alerts.last_error:
        return Card(words.name, "warn", words.good, words.failed)
    return Card(words.name, "good", words.good, words.good_note)


def _hooks(found: Examination, say: Sentences) -> Card:
    words, hooks = say.words.cards.hooks, found.seen.hooks()
    value = say.counted(words.addresses, hooks.addresses)
    if hooks.failed:
        return Card(words.name, "warn", value, words.failed)
    return Card(
        words.name, "good", value, words.told.format(ago=say.ago(hooks.told_at)) if hooks.told_at else words.none
    )
