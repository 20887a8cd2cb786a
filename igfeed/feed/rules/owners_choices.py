"""The document with the owner's choices, and how a change of it reaches the feed that is shown."""

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
"""How often a change is tried while others change the choices too: an owner with two open pages, at most."""

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
        """The latest choices that are known. Never raises: if the store cannot say, those of the snapshot."""
        with suppress(StoreError):
            self._document.read()
        return _latest(self._document.last.value, self._local.snapshot)

    def change(self, change: Change) -> Choices:
        """Store what ``change`` makes of the choices, and show the feed by it from now on.

        Raises StoreError if the store could not keep it; nothing has changed then. Raises what ``change`` raises.
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
        """Forget all choices. The snapshot, which has a copy, must have been removed before. Raises StoreError."""
        self._document.delete()

    def _show(self, choices: Choices) -> None:
        try:
            self._local.choose(choices)
        except StoreError as error:  # They are kept. The next fetch of any process, or a sync of this one, shows them.
            log.warning("The feed is not shown by the new choices yet: %s", error)


def _latest(stored: Choices | None, snapshot: FeedSnapshot | None) -> Choices:
    """The snapshot's are later if the document was lost or cannot be read."""
    known = (stored or NO_CHOICES, snapshot.choices if snapshot else NO_CHOICES)
    return max(known, key=lambda each: each.revision)
