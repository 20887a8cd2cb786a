"""What this process knows of the list of accounts.

The store is asked again at most once in IGFEED_CHECK_TTL, and at most once in a second before something is stored.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Lock

from igfeed.accounts.account_list import ACCOUNTS_KEY, AccountList
from igfeed.clock import Beginning, Clock
from igfeed.errors import StoreError
from igfeed.stores import Store
from igfeed.stores.document import Document

MAX_SWAP_ATTEMPTS = 5

MAX_AGE_FOR_WRITES = timedelta(seconds=1)
"""How old the known list may be when something is stored for an account."""

Change = Callable[[AccountList], AccountList]


class KnownList:
    """Threads may share it. The document is never deleted, so a store without it has lost it or never had it."""

    def __init__(self, store: Store, clock: Clock, check_ttl: timedelta) -> None:
        self._document = Document(store, ACCOUNTS_KEY, AccountList.from_text)
        self._clock = clock
        self._check_ttl = check_ttl
        self._known: AccountList | None = None
        self._read_at: Beginning | None = None
        self._lock = Lock()

    def current(self, *, for_write: bool = False) -> AccountList:
        """The list, not older than IGFEED_CHECK_TTL. With ``for_write``: not older than a second.

        While the store is away: the last known one. Raises StoreError if none was ever known.
        """
        with self._lock:  # Requests that come at the same time wait for one answer.
            max_age = MAX_AGE_FOR_WRITES if for_write else self._check_ttl
            if self._known is None or self._read_at is None or self._read_at.elapsed >= max_age:
                self._read()
            assert self._known is not None  # noqa: S101  for mypy: _read has raised otherwise
            return self._known

    @property
    def known(self) -> AccountList:
        """The list as this process knows it. Asks no store. Empty if it was never known."""
        return self._known or AccountList()

    def change(self, change: Change) -> AccountList:
        """Change the stored list by compare-and-swap, and return it. Raises StoreError, and what ``change`` raises."""
        with self._lock:
            for _ in range(MAX_SWAP_ATTEMPTS):
                text, stored = self._document.read()
                before = self._newer(stored)
                after = change(before)
                if after == before:
                    return self._know(before)
                after = replace(after, revision=before.revision + 1)
                if self._document.swap(text, after):
                    return self._know(after)
        raise StoreError("Other processes have kept changing the list of accounts.", "Try again.")

    def _read(self) -> None:
        try:
            stored = self._document.read_if_changed()
            if stored is None and self._known and self._known.revision:
                self._document.swap(None, self._known)  # The store has lost it: it gets this process's copy.
        except StoreError:
            if self._known is None:
                raise
            stored = None
        self._know(self._newer(stored))

    def _newer(self, stored: AccountList | None) -> AccountList:
        """The stored list, or the known one if that is newer: a replica may lag, and a store may lose things."""
        return stored if stored and stored.revision >= self.known.revision else self.known

    def _know(self, accounts: AccountList) -> AccountList:
        self._known, self._read_at = accounts, Beginning(self._clock)
        return accounts
