"""The services of each account, by its name."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from threading import Lock

from flask import Flask, current_app

from igfeed.accounts.account_list import AccountList, Entry
from igfeed.accounts.known_list import KnownList
from igfeed.accounts.names import checked_name, own_first_parts
from igfeed.errors import StoreError, UnknownAccount
from igfeed.services import Services, build_account

REMOVAL_WAIT = 2.0
"""Seconds between the two deletions of a removal. It is longer than MAX_AGE_FOR_WRITES, so that no process that has not
learned of the removal yet still writes."""

ACCOUNTS = "igfeed accounts"
"""The key of the app's ``Accounts`` in ``app.extensions``."""

Listener = Callable[[Services], None]


class Accounts:
    """``default`` has no name. Threads may share it.

    A process builds the services of another account when they are first asked for, and keeps them until it learns that
    the account was removed. ``list`` is what the process knows of the list of accounts. ``own_parts`` returns the names
    that no account may have.
    """

    def __init__(self, default: Services, own_parts: Callable[[], Collection[str]]) -> None:
        self.default = default
        self._own_parts = own_parts
        self.list = KnownList(default.store, default.clock, default.settings.check_ttl)
        self._built: dict[Entry, Services] = {}
        self._being_set_up: set[Entry] = set()
        self._listeners: list[Listener] = []
        self._lock = Lock()

    def for_each_built(self, listener: Listener) -> None:
        """Call it with the default account's services now, and with those of another account when they are built."""
        self._listeners.append(listener)
        for services in (self.default, *self._built.values()):
            listener(services)

    def names(self) -> tuple[str, ...]:
        """The names, in the order of addition. Raises StoreError if the list was never known."""
        return tuple(entry.name for entry in self.list.current().accounts)

    def find(self, name: str) -> Services | None:
        """The services of the account with this name, None if there is none.

        Asks the store at most once in IGFEED_CHECK_TTL. Raises StoreError if the list was never known.
        """
        entry = self.list.current().entry(name)
        if entry is None:
            self._drop_removed()
            return None
        return self._services(entry)

    def get(self, name: str | None) -> Services:
        """The services of the account with this name, None for the default one. Raises UnknownAccount, StoreError."""
        found = self.find(name) if name else self.default
        if found is None:
            raise UnknownAccount(f"There is no account {name!r}.")
        return found

    def others(self) -> list[Services]:
        """The services of all accounts that have a name. Raises StoreError if the list was never known."""
        return [self._services(entry) for entry in self.list.current().accounts]

    def reachable(self) -> list[Services]:
        """The services of all accounts, the default one first. Only the default one if the list was never known."""
        try:
            return [self.default, *self.others()]
        except StoreError:
            return [self.default]

    def unreachable(self, name: str, error: StoreError) -> Services:
        """Services that can only show the error: without the list it is not known whether there is such an account."""
        return replace(self._build(Entry(name, 0)), startup_error=error)

    def check_name(self, name: str) -> None:
        """Raises AccountNameRefused if no account can have this name."""
        checked_name(name, self._own_parts())

    @contextmanager
    def setting_up(self, name: str | None) -> Iterator[Services]:
        """The services of an account that gets its token in the block. None: the default account.

        A new account is added to the list after the block. If the block raises, nothing is left of a new account.
        Raises AccountNameRefused and StoreError.
        """
        if name is None:
            yield self.default
            return
        self.check_name(name)
        listed = self._newest().entry(name)
        entry = listed or self.list.change(AccountList.with_next_number).last_entry(name)
        self._being_set_up.add(entry)
        try:
            yield self._services(entry)
            self.list.change(partial(_added, entry=entry))
        except BaseException:
            if entry != listed:
                self._undo(entry)
            raise
        finally:
            self._being_set_up.discard(entry)

    def remove(self, name: str) -> None:
        """Forget the account, then delete all of its keys. Raises UnknownAccount, and StoreError if some are left.

        Another process may still write within the next second, so all is deleted twice, which takes two seconds. What
        a process that hung has written even later is deleted by ``cron_notes``.
        """
        entry = self._newest().entry(name)
        if entry is None:
            raise UnknownAccount(f"There is no account {name!r}.")
        now = self.default.clock()
        self.list.change(lambda known: known.without(entry, now))
        self._built.pop(entry, None)
        try:
            self.default.store.delete_prefix(entry.prefix)
            self.default.sleep(REMOVAL_WAIT)
            self.default.store.delete_prefix(entry.prefix)
        except StoreError as error:
            raise StoreError(
                f"{name} is removed from the list, but some of its data could not be deleted: {error}",
                "Nothing to do: a later run of the cron deletes the rest.",
            ) from None

    def _newest(self) -> AccountList:
        """The list as the store has it now."""
        return self.list.change(lambda known: known)

    def _services(self, entry: Entry) -> Services:
        with self._lock:
            if entry not in self._built:
                self._built[entry] = services = self._build(entry)
                for listener in self._listeners:
                    listener(services)
            return self._built[entry]

    def _build(self, entry: Entry) -> Services:
        return build_account(self.default, entry.name, entry.prefix, partial(self.check_write, entry))

    def check_write(self, entry: Entry) -> None:
        """Raises StoreError if the account was removed. A process that still works for it must store nothing."""
        if entry in self._being_set_up:
            return
        if entry not in self.list.current(for_write=True).accounts:
            raise StoreError("The account was removed.", "Nothing to do: nothing of it is stored any more.")

    def _drop_removed(self) -> None:
        """Forget the services of accounts that were removed."""
        with self._lock:
            listed = self.list.known.accounts
            self._built = {entry: services for entry, services in self._built.items() if entry in listed}

    def _undo(self, entry: Entry) -> None:
        self._built.pop(entry, None)
        with suppress(StoreError):
            # The list may have taken the account though the store's answer was lost.
            if entry not in self._newest().accounts:
                self.default.store.delete_prefix(entry.prefix)


def _added(known: AccountList, entry: Entry) -> AccountList:
    """The list with the account. Raises StoreError if another process has added one with this name meanwhile."""
    found = known.entry(entry.name)
    if found and found != entry:
        raise StoreError("Another process has set up the same account meanwhile.", "Try again.")
    return known if found else known.with_entry(entry)


def init_app(app: Flask, default: Services) -> None:
    app.extensions[ACCOUNTS] = Accounts(default, partial(own_first_parts, app))


def accounts_of(app: Flask) -> Accounts:
    accounts: Accounts = app.extensions[ACCOUNTS]
    return accounts


def current_accounts() -> Accounts:
    """The accounts of the app that handles the current request or command."""
    return accounts_of(current_app)
