"""The status and the history of all accounts together."""

import logging
from dataclasses import replace

from igfeed.accounts.account_list import ACCOUNTS_KEY
from igfeed.accounts.directory import Accounts
from igfeed.errors import IgfeedError, StoreError
from igfeed.history import Event
from igfeed.owner.findings import SEVERITY, Verdict
from igfeed.owner.status import (
    AccountStatus,
    AlertsStatus,
    FeedStatus,
    RenewalStatus,
    Status,
    StoreStatus,
    TokenStatus,
    report,
    report_keys,
)
from igfeed.services import Services

log = logging.getLogger(__name__)


def report_all(accounts: Accounts) -> Status:
    """The status of the default account, with those of the others. Its own ``status`` is the worst of all.

    It costs what ``report`` costs, for each account. The list of accounts is read with the default account's keys.
    """
    default = accounts.default
    default.store.recheck()
    with default.store.read_ahead(ACCOUNTS_KEY, *report_keys(default)):
        status = report(default)
        try:
            accounts.names()
        except StoreError as error:
            return _worse(status, "degraded", str(error), error.hint)
    others = reports_of_others(accounts)
    for name, each in others.items():
        status = _worse(status, each.status, _named(name, each.problem), _named(name, each.hint))
        status = _with_alert_error(status, name, each.alerts.last_error)
    return replace(status, accounts={name: each.of_account for name, each in others.items()})


def reports_of_others(accounts: Accounts) -> dict[str, Status]:
    """The status of each account but the default one. Raises StoreError if it is not known which there are."""
    return {services.account or "": _report_of(services) for services in accounts.others()}


def events_of_all(accounts: Accounts) -> list[Event]:
    """The last events of each account, newest first. Raises StoreError if those of one account are not known."""
    histories = [services.history.events() for services in (accounts.default, *accounts.others())]
    return sorted((event for events in histories for event in events), key=lambda event: event.at, reverse=True)


def _report_of(services: Services) -> Status:
    """The account's status. An unexpected error must not hide the other accounts."""
    try:
        return report(services)
    except Exception as error:
        log.exception("The status of the account %s could not be told", services.account)
        problem = f"Its status could not be told ({type(error).__name__})."
        unknown = AccountStatus(), TokenStatus(), RenewalStatus(), FeedStatus()
        store = StoreStatus(services.store.kind, reachable=False)
        return Status("degraded", problem, IgfeedError.hint, *unknown, store, AlertsStatus())


def _worse(status: Status, verdict: Verdict, problem: str | None, hint: str | None) -> Status:
    """The status with this verdict at its top, if that is worse than its own."""
    if SEVERITY[verdict] <= SEVERITY[status.status]:
        return status
    return replace(status, status=verdict, problem=problem, hint=hint)


def _named(name: str, text: str | None) -> str | None:
    """With the account's name in front, as everything about a named account that stands at the top."""
    return f"{name}: {text}" if text else None


def _with_alert_error(status: Status, name: str, error: str | None) -> Status:
    if error is None or status.alerts.last_error:
        return status
    return replace(status, alerts=replace(status.alerts, last_error=_named(name, error)))
