"""The list of the accounts that have a name: one document in the store."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from igfeed.errors import StoreError
from igfeed.models.record import UNREADABLE, Count, Moment, Name, Record

ACCOUNTS_KEY = "accounts:v1"


@dataclass(frozen=True)
class Entry(Record):
    """No two entries ever have the same ``number``. So an account that is set up again has none of its old keys."""

    name: Name
    number: Count

    @property
    def prefix(self) -> str:
        """What all of the account's keys begin with."""
        return f"account:{self.name}:{self.number}:"


@dataclass(frozen=True)
class RemovedEntry(Record):
    entry: Entry
    at: Moment


@dataclass(frozen=True)
class AccountList(Record):
    """``accounts`` are in the order of their addition.

    ``removed`` are those whose keys have to be deleted once more: a process may have written some after the removal.
    ``waiting`` are the accounts that the last cron had no time for, in the order in which the next one takes them.
    None is the default account.
    ``revision`` grows with each change.
    """

    accounts: tuple[Entry, ...] = ()
    removed: tuple[RemovedEntry, ...] = ()
    waiting: tuple[Name | None, ...] = ()
    last_number: Count = 0
    revision: Count = 0

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Raises StoreError if it cannot be read. An empty list in its place would lose all accounts."""
        try:
            return super().from_text(text)
        except UNREADABLE:
            raise StoreError(
                "The list of accounts cannot be read.",
                f"A newer version of igfeed may have written it: deploy that one. Or delete the key {ACCOUNTS_KEY} in "
                "the database and set the accounts up again.",
            ) from None

    def entry(self, name: str) -> Entry | None:
        return next((entry for entry in self.accounts if entry.name == name), None)

    def with_next_number(self) -> "AccountList":
        """The list with the next number taken, for an account that is not listed yet."""
        return replace(self, last_number=self.last_number + 1)

    def last_entry(self, name: str) -> Entry:
        """The entry of an account with the last number."""
        return Entry(name, self.last_number)

    def with_entry(self, entry: Entry) -> "AccountList":
        return replace(self, accounts=(*self.accounts, entry))

    def without(self, entry: Entry, now: datetime) -> "AccountList":
        left = tuple(each for each in self.accounts if each != entry)
        waiting = tuple(name for name in self.waiting if name != entry.name)
        return replace(self, accounts=left, removed=(*self.removed, RemovedEntry(entry, now)), waiting=waiting)

    def without_removed(self, deleted: Iterable[RemovedEntry]) -> "AccountList":
        done = set(deleted)
        return replace(self, removed=tuple(each for each in self.removed if each not in done))
