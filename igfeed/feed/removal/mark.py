"""A mark in the store that the feed was removed on request.

Without it, a process that still has the posts in memory would think that the store has lost the document, and write it
again.
"""

from dataclasses import dataclass
from datetime import datetime

from igfeed.errors import StoreError
from igfeed.models import FeedSnapshot
from igfeed.models.record import Moment, Record
from igfeed.stores import Store
from igfeed.stores.document import Document

REMOVAL_KEY = "feed-removed:v1"


@dataclass(frozen=True)
class Removal(Record):
    """When the feed was removed: at least the time of the newest fetch, whose clock may be ahead of ours."""

    at: Moment

    def covers(self, snapshot: FeedSnapshot) -> bool:
        """Whether the snapshot was fetched before the removal, so that no process may write it again."""
        return snapshot.fetched_at <= self.at


class RemovalMark:
    def __init__(self, store: Store) -> None:
        self._document = Document(store, REMOVAL_KEY, Removal.from_text)

    @property
    def last(self) -> Removal | None:
        """The removal that the store had when it was last asked, None if it had none."""
        return self._document.last.value

    def load(self) -> Removal | None:
        """The removal. Asks the store, so it is for the rare case that the feed's document is missing. Never raises."""
        try:
            return self._document.read().value
        except StoreError:
            return self.last

    def set(self, now: datetime, newest: FeedSnapshot | None) -> None:
        """From now on no snapshot that was fetched before may be written again. Raises StoreError."""
        self._document.write(Removal(max(now, newest.fetched_at) if newest else now))
