"""A run of the cron: every account gets a share of the time.

Tokens come first, because an expired one needs a person. A renewal takes a moment, so all of them come before the first
fetch, and all fetches come before the first picture.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any

from igfeed.accounts.cron_notes import clean_up, in_order_of_waiting, note_waiting
from igfeed.accounts.directory import Accounts
from igfeed.clock import Deadline
from igfeed.errors import StoreError
from igfeed.history import By, asked_by
from igfeed.owner.all_accounts.account_run import AccountRun, Run
from igfeed.services import Services

log = logging.getLogger(__name__)

RUN_TIME_LIMIT = 200.0
"""Seconds after which the cron begins nothing more.

Vercel ends a run after 300 seconds (``maxDuration`` in vercel.json). The rest is for calls that have begun, each of
which has a time limit, and for a slow store."""

ALERTS_TIME_LIMIT = 30.0
"""Seconds after which no more alerts are sent. The next run sends those that are left."""


@dataclass(frozen=True)
class WholeRun:
    """``default`` is the run of the default account. ``others`` has the runs of the other accounts, by name.

    ``unlisted`` says why the list of the others could not be read, None normally.
    """

    default: Run
    others: dict[str, Run]
    unlisted: StoreError | None = None

    @property
    def ok(self) -> bool:
        return self.unlisted is None and self.default.ok and all(run.ok for run in self.others.values())

    def to_json(self) -> dict[str, Any]:
        """What the cron route answers. Its top level has the first error and its hint, after the account's name."""
        return {
            **replace(self._with_first_error(), ok=self.ok).to_json(),
            "accounts": {name: run.to_json() for name, run in self.others.items()},
        }

    def _with_first_error(self) -> Run:
        if self.default.error:
            return self.default
        if self.unlisted:
            return replace(self.default, error=str(self.unlisted), hint=self.unlisted.hint)
        failed = ((name, run) for name, run in self.others.items() if run.error)
        name, run = next(failed, ("", self.default))
        if not name:
            return self.default
        return replace(self.default, error=f"{name}: {run.error}", hint=f"{name}: {run.hint}")


def run(accounts: Accounts, by: By = "cron") -> WholeRun:
    """Renew, fetch and mirror for every account. ``by`` is who asked for it. Raises nothing."""
    with asked_by(by):
        accounts.default.store.recheck()
        others, unlisted = _others(accounts)
        runs = [AccountRun(services) for services in in_order_of_waiting(accounts, [accounts.default, *others])]
        _take_steps(runs, Deadline(RUN_TIME_LIMIT))
        results = {run.services.account: run.result() for run in runs}
        _send_alerts(runs)
        if not unlisted:
            _prepare_next_run(accounts, [run.services.account for run in runs if run.has_to_wait])
    by_name = {name: results[name] for name in (each.account for each in others) if name}
    return WholeRun(results[None], by_name, unlisted)


def _others(accounts: Accounts) -> tuple[list[Services], StoreError | None]:
    try:
        return accounts.others(), None
    except StoreError as error:
        return [], error


def _take_steps(runs: list[AccountRun], deadline: Deadline) -> None:
    """The first account gets every step, however long it takes. The others get no more steps when the time is over."""
    for run in runs:
        if run is runs[0] or deadline.left():
            run.renew()
    for run in runs:
        if run is runs[0] or deadline.left():
            run.fetch()
    fetched = [run for run in runs if run.snapshot]
    for place, run in enumerate(fetched):
        run.mirror(Deadline(deadline.left() / (len(fetched) - place)))


def _send_alerts(runs: list[AccountRun]) -> None:
    deadline = Deadline(ALERTS_TIME_LIMIT)
    for run in runs:
        if deadline.left():
            run.notify()


def _prepare_next_run(accounts: Accounts, waiting: list[str | None]) -> None:
    try:
        note_waiting(accounts, waiting)
        clean_up(accounts)
    except StoreError as error:
        log.warning("What the next run should know could not be stored: %s", error)
