"""What the cron notes in the list of accounts for its next run: who had to wait, and what is still to be deleted."""

from dataclasses import replace
from datetime import timedelta

from igfeed.accounts.directory import Accounts
from igfeed.services import Services

MIN_CLEANING_PAUSE = timedelta(hours=1)
"""From a removal to the second deletion of the account's keys. By then every process knows of the removal, and work
that began before it has ended."""


def in_order_of_waiting(accounts: Accounts, services: list[Services]) -> list[Services]:
    """The services of those accounts that the last cron had no time for, then the others. Asks no store."""
    order = {name: place for place, name in enumerate(accounts.list.known.waiting)}
    return sorted(services, key=lambda each: order.get(each.account, len(order)))


def note_waiting(accounts: Accounts, names: list[str | None]) -> None:
    """Make the next cron begin with these accounts. None is the default one. Raises StoreError.

    Costs no store command if these accounts are noted already.
    """
    waiting = tuple(names)
    if waiting != accounts.list.known.waiting:
        accounts.list.change(lambda known: replace(known, waiting=waiting))


def clean_up(accounts: Accounts) -> None:
    """Delete what other processes have written for removed accounts after their removal. Raises StoreError."""
    pause = max(MIN_CLEANING_PAUSE, 2 * accounts.default.settings.check_ttl)
    now = accounts.default.clock()
    due = [each for each in accounts.list.current().removed if now - each.at >= pause]
    for each in due:
        accounts.default.store.delete_prefix(each.entry.prefix)
    if due:
        accounts.list.change(lambda known: known.without_removed(due))
