"""The text of an alert: which account, what happened, what to do, and what visitors see meanwhile.

It is in English, like the status. It holds no secret, because it is made of the status's sentences.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Literal

from igfeed.errors import TokenError
from igfeed.owner.alerts.due_alert import DAY, Alert
from igfeed.owner.findings import renewal_failure
from igfeed.owner.observation import Observation
from igfeed.owner.pages.account_addresses import feed_path, hint_for


@dataclass(frozen=True)
class Message:
    """``tone`` is one of Apprise's notification types. Some services show it as a colour or a symbol."""

    title: str
    body: str
    tone: Literal["failure", "warning", "success", "info"]


def message_of(alert: Alert, seen: Observation, studio: str) -> Message:
    """The text of the alert. ``studio`` says where the account's studio is: its address, or how to find it."""
    # Owners of several accounts see in the title which one it is about.
    feed = f"Instagram feed {feed_path(seen.account)}" if seen.account else "Instagram feed"
    if alert.kind == "well":
        return Message(f"All is well again with your {feed}", _joined(_recovery(seen)), "success")
    if alert.kind == "expiring":
        return Message(f"Your {feed} needs you soon", _joined(_expiry(seen, studio)), "warning")
    return Message(f"Your {feed} needs you", _joined(_requirement(alert, seen, studio)), "failure")


def message_of_test(studio: str) -> Message:
    """The message that ``test-alert`` sends."""
    lines = ("This is a test: alerts of igfeed arrive here.", f"The studio: {studio}")
    return Message("Your Instagram feed can reach you", _joined(lines), "info")


def _requirement(alert: Alert, seen: Observation, studio: str) -> Iterator[str]:
    finding, account = alert.finding, _account(seen)
    if seen.is_token_expired:
        yield f"The access token of {account} has expired."
    elif seen.is_token_rejected:
        yield f"The access token of {account} was rejected."
    else:
        yield f"The feed of {account} cannot be kept up to date."
    if finding.problem:
        yield finding.problem
    if finding.hint and not _asks_to_connect(alert, seen):
        yield finding.hint
    yield f"{_advice(alert, seen)}: {studio}"
    yield _what_visitors_see(seen)


def _advice(alert: Alert, seen: Observation) -> str:
    if seen.token is None:
        return "Connect"
    return "Connect again" if _asks_to_connect(alert, seen) else "The studio says more"


def _asks_to_connect(alert: Alert, seen: Observation) -> bool:
    return alert.finding.hint == hint_for(seen.account, TokenError.hint)


def _expiry(seen: Observation, studio: str) -> Iterator[str]:
    token, failure = seen.token, renewal_failure(seen)
    if token and token.expires_at:
        days = ceil((token.expires_at - seen.at) / DAY)
        left = "1 day" if days == 1 else f"{days} days"
        yield f"The access token of {_account(seen)} expires in {left}, on {_date(token.expires_at)}."
    if failure:
        yield f"It could not be renewed: {failure.message}"
        yield "igfeed goes on trying. If it does not succeed, you are needed before that day."
    yield f"Connect again: {studio}"
    yield "Visitors see new posts until that day, and the last ones after it."


def _recovery(seen: Observation) -> Iterator[str]:
    yield f"The feed of {_account(seen)} is up to date."
    if seen.token and seen.token.expires_at:
        yield f"Its access token lives until {_date(seen.token.expires_at)} and renews itself."
    yield "There is nothing to do."


def _account(seen: Observation) -> str:
    return f"@{seen.snapshot.profile.username}" if seen.snapshot else "your Instagram account"


def _what_visitors_see(seen: Observation) -> str:
    if seen.snapshot is None:
        return "Visitors see no posts yet."
    fetched_at = seen.snapshot.fetched_at
    date = f"{fetched_at.day} {fetched_at:%B}" if fetched_at.year == seen.at.year else _date(fetched_at)
    return f"Visitors still see the posts of {date}."


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _joined(lines: Iterator[str] | tuple[str, ...]) -> str:
    return "\n".join(lines)
