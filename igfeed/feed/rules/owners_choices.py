"""Stores the owner's choices, and lets the feed follow them."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from igfeed.errors import StoreError
from igfeed.feed.local_copy import LocalCopy
from igfeed.models import Choices, FeedSnapshot
from igfeed.models.choices import NO_CHOICES
from igfeed.stores import Store
from igfeed.stores.document import Document

log = logging.getLogger(__name__)

CHOICES_KEY = "choices:v1"

CHANGE_TRIES = 5
"""How often a change is tried if somebody else writes first. That is rare: an owner with two open pages."""

Change = Callable[[Choices, FeedSnapshot | None], Choices]
"""Makes the next choices from those before and the kept posts. May raise ChoiceRefused."""


class OwnersChoices:
    """The snapshot has a copy of the choices, so that a view reads no second document."""

    keys = (CHOICES_KEY,)
    """The store's keys that ``load`` reads."""

    def __init__(self, store: Store, local: LocalCopy) -> None:
        self._document = Document(store, CHOICES_KEY, Choices.from_text)
        self._local = local

    def load(self) -> Choices:
        """The latest known choices. Never raises: if the store does not answer, they are those of the snapshot."""
        with suppress(StoreError):
            self._document.read()
        return _latest(self._document.last.value, self._local.snapshot)

    def change(self, change: Change) -> Choices:
        """Store the choices that ``change`` makes, and show the feed by them from now on.

        Raises StoreError if they could not be stored; nothing has changed then. Raises what ``change`` raises.
        """
        for _ in range(CHANGE_TRIES):
            text, stored = self._document.read()
            snapshot = self._local.newest_whole()
            before = _latest(stored, snapshot)
            after = change(before, snapshot)
            if after == before:
                return before
            after = replace(after, revision=before.revision + 1)
            if self._document.swap(text, after):
                self._show(after)
                return after
        raise StoreError("The choices change too often to keep one.", "Try it again.")

    def remove(self) -> None:
        """Delete all choices. Remove the snapshot first, because it has a copy of them. Raises StoreError."""
        self._document.delete()

    def _show(self, choices: Choices) -> None:
        try:
            self._local.choose(choices)
        except StoreError as error:  # They are stored. The next fetch of any process or sync of this one shows them.
            log.warning("The feed is not shown by the new choices yet: %s", error)


def _latest(stored: Choices | None, snapshot: FeedSnapshot | None) -> Choices:
    """The later ones of the two. The snapshot has later choices if the document was lost or cannot be read."""
    known = (stored or NO_CHOICES, snapshot.choices if snapshot else NO_CHOICES)
    return max(known, key=lambda each: each.revision)
