"""The health of the feed, as the studio shows it: a sentence, the buttons that may help, a card for each part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from igfeed.config import Settings
from igfeed.history import Event
from igfeed.owner.findings import Finding
from igfeed.owner.pages.words import words_of
from igfeed.owner.status import Examination, Status
from igfeed.owner.studio.cards import LEVELS, Card, Level, cards
from igfeed.owner.studio.sentences import Sentences
from igfeed.widget.translations import language_of

Action = Literal["connect", "connect_again", "renew", "fetch", "test_alert"]

FEW_DAYS = 14
"""If the token has fewer days left, a failed renewal gets a more urgent sentence."""

ACTIONS: dict[str, tuple[Action, ...]] = {
    "well": ("fetch", "renew"),
    "not_fetched": ("fetch",),
    "first_start": ("connect",),
    "no_store": (),
    "no_token": ("connect_again",),
    "expired": ("connect_again",),
    "rejected": ("connect_again", "fetch"),
    "refused": ("fetch", "renew", "connect_again"),
    "store_away": (),
    "expiring": ("renew", "connect_again"),
    "renewal_failed": ("renew",),
    "fetch_failed": ("fetch",),
    "degraded": ("fetch", "renew"),
}
"""The buttons under each sentence. The first one is the most likely to help."""


@dataclass(frozen=True)
class Health:
    """``title`` and ``text`` are the sentence at the top of the page.

    ``findings`` say what is wrong. They are in English, in the words of igfeed and Instagram.
    """

    level: Level
    title: str
    text: str
    actions: tuple[Action, ...]
    findings: tuple[Finding, ...]
    cards: tuple[Card, ...]

    @property
    def is_well(self) -> bool:
        return self.level == "good"


def health_of(found: Examination, events: Sequence[Event], settings: Settings) -> Health:
    """The health now. ``events`` are those of the history, newest first."""
    words = words_of(settings.language)
    say = Sentences(words, language_of(settings.language), found.seen.at)
    name = sentence_name(found)
    sentence = words.health[name]
    return Health(
        "none" if name == "first_start" else LEVELS[found.status.status],
        sentence.title,
        sentence.text,
        (*ACTIONS[name], *_test_alert(found)),
        () if name == "first_start" else tuple(_problems(found)),
        tuple(cards(found, events, say)),
    )


def _test_alert(found: Examination) -> Iterator[Action]:
    """The button for a test alert, where alerts are set up."""
    if found.status.alerts.configured:
        yield "test_alert"


def _problems(found: Examination) -> Iterator[Finding]:
    """What is wrong, each problem once: a rejected token is also the problem of the failed fetch."""
    said: set[str | None] = set()
    for finding in found.findings:
        if finding.status != "ok" and finding.problem not in said:
            said.add(finding.problem)
            yield finding


def sentence_name(found: Examination) -> str:
    """The name of the sentence that fits the state: a key of ``ACTIONS``."""
    status = found.status
    if found.seen.startup_error:
        # Of an account with a name: nobody knows whether there is such an account while the store is away.
        return "store_away" if found.seen.account else "no_store"
    if status.token.state in ("expired", "rejected"):
        return str(status.token.state)
    if not status.store.reachable:
        return "store_away"
    if not status.token.present:
        return "no_token" if found.seen.snapshot else "first_start"
    if status.status == "action_required":
        return "refused"
    return _sentence_if_degraded(status) if status.status == "degraded" else _sentence_if_ok(found)


def _sentence_if_degraded(status: Status) -> str:
    if status.last_renewal.error:
        is_urgent = status.token.days_left is not None and status.token.days_left < FEW_DAYS
        return "expiring" if is_urgent else "renewal_failed"
    return "fetch_failed" if status.feed.last_error else "degraded"


def _sentence_if_ok(found: Examination) -> str:
    return "well" if found.seen.snapshot else "not_fetched"
