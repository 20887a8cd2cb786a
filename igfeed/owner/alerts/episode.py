"""What the owner has been told: one document in the store, so that all processes together send each alert once.

An episode begins with its first alert and ends with the message that all is well again.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from igfeed.models.record import Count, Moment, Name, Record
from igfeed.stores import Store
from igfeed.stores.document import Document

EPISODE_KEY = "alerts:v1"

RETRY_PAUSES = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""The pauses after the first, second, third and fourth failed try. The fifth try is the last one."""
MAX_TRIES = len(RETRY_PAUSES) + 1

MAX_TOLD = 40
"""How many names of alerts the document keeps. Usually there are a few; each new token may add some."""


@dataclass(frozen=True)
class Unsent(Record):
    """The alert that is being sent, or that some addresses have not accepted.

    ``addresses`` are the places of those addresses in IGFEED_ALERTS, counted from 1. No process tries before
    ``next_try``. So one process can send while the others wait.
    """

    name: Name
    tries: Count
    next_try: Moment
    addresses: tuple[Count, ...]

    def is_paused(self, now: datetime) -> bool:
        # A time further ahead than the longest pause was written by a wrong clock.
        return now < self.next_try <= now + RETRY_PAUSES[-1]


@dataclass(frozen=True)
class Episode(Record):
    """``number`` counts the episodes. ``told`` are the names of the alerts that were sent, or given up after all tries.

    ``has_reached_owner`` is True once any address has accepted any alert of this episode. ``last_error`` is about the
    last alert or test: None if every address accepted it.
    """

    number: Count = 1
    told: tuple[str, ...] = ()
    unsent: Unsent | None = None
    has_reached_owner: bool = False
    last_error: str | None = None

    @property
    def is_open(self) -> bool:
        return bool(self.told or self.unsent)

    def is_done(self, name: str) -> bool:
        return name in self.told

    def is_paused(self, name: str, now: datetime) -> bool:
        """Whether this alert was tried a moment ago, or is being sent by another process."""
        return self.unsent is not None and self.unsent.name == name and self.unsent.is_paused(now)

    def trying(self, name: str, addresses: Collection[int], now: datetime) -> "Episode":
        """The episode while the alert is being sent to those of ``addresses`` that have not accepted it."""
        before = self.unsent
        if before is None or before.name != name:  # Another unsent alert is out of date by now.
            return replace(self, unsent=Unsent(name, 1, now + RETRY_PAUSES[0], tuple(addresses)))
        pause = RETRY_PAUSES[min(before.tries, len(RETRY_PAUSES) - 1)]
        left = tuple(each for each in before.addresses if each in addresses)
        return replace(self, unsent=Unsent(name, before.tries + 1, now + pause, left))

    def tried(self, failed: Collection[int], last_error: str | None) -> "Episode":
        """The episode after a try that failed at the addresses ``failed``."""
        unsent = self.unsent
        if unsent is None:
            return self
        reached = self.has_reached_owner or len(failed) < len(unsent.addresses)
        if failed and unsent.tries < MAX_TRIES:
            left = replace(unsent, addresses=tuple(failed))
            return replace(self, unsent=left, has_reached_owner=reached, last_error=last_error)
        told = (*self.told, unsent.name)[-MAX_TOLD:]
        return replace(self, told=told, unsent=None, has_reached_owner=reached, last_error=last_error)

    def closed(self) -> "Episode":
        """The next episode, which has no alert yet."""
        return Episode(self.number + 1, last_error=self.last_error)


def episode_document(store: Store) -> Document[Episode]:
    return Document(store, EPISODE_KEY, Episode.from_text)
