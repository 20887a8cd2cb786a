"""The status JSON: how the token, the feed and the store are, for monitors, people and the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from igfeed.clock import iso
from igfeed.errors import StoreError
from igfeed.models import FeedSnapshot, Renewal
from igfeed.models.record import is_from_future
from igfeed.owner.alerts.addresses import alert_addresses
from igfeed.owner.alerts.episode import EPISODE_KEY, episode_document
from igfeed.owner.findings import TOO_YOUNG, Finding, Verdict, findings, worst_finding
from igfeed.owner.observation import Observation, TokenState, observe, observed_keys
from igfeed.services import Services
from igfeed.stores import Kind
from igfeed.tokens.renewal import RenewalOutcome
from igfeed.tokens.vault import Source
from igfeed.version import VERSION


@dataclass(frozen=True)
class TokenStatus:
    """``expires_in`` is in seconds, ``days_left`` in days; both are 0 once the token has expired."""

    present: bool = False
    source: Source | None = None
    state: TokenState | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    expires_in: int | None = None
    days_left: float | None = None
    renewable_at: datetime | None = None
    saved: bool = False


@dataclass(frozen=True)
class RenewalStatus:
    at: datetime | None = None
    outcome: RenewalOutcome | None = None
    error: str | None = None


@dataclass(frozen=True)
class AccountStatus:
    username: str | None = None
    name: str | None = None
    media_count: int | None = None


@dataclass(frozen=True)
class FeedStatus:
    """``age`` is in seconds. It and ``fetched_at`` are None if a wrong clock wrote the time of the fetch."""

    posts: int = 0
    fetched_at: datetime | None = None
    age: int | None = None
    fresh: bool = False
    last_error: str | None = None


@dataclass(frozen=True)
class StoreStatus:
    kind: Kind
    reachable: bool


@dataclass(frozen=True)
class AlertsStatus:
    """``last_error`` is about the last alert or test: None if every address took it."""

    configured: bool = False
    last_error: str | None = None


@dataclass(frozen=True)
class AccountReport:
    """How one account is. The order of the fields is that of the contract."""

    status: Verdict
    problem: str | None
    hint: str | None
    account: AccountStatus
    token: TokenStatus
    last_renewal: RenewalStatus
    feed: FeedStatus


@dataclass(frozen=True)
class Status(AccountReport):
    """``to_json`` returns what the status route answers. ``accounts`` has the other accounts by their names."""

    store: StoreStatus
    alerts: AlertsStatus
    accounts: dict[str, AccountReport] = field(default_factory=dict)
    version: str = VERSION

    @property
    def of_account(self) -> AccountReport:
        """Without what is the same for all accounts."""
        return AccountReport(**{each.name: getattr(self, each.name) for each in fields(AccountReport)})

    def to_json(self) -> dict[str, Any]:
        return asdict(self, dict_factory=with_iso_times)


@dataclass(frozen=True)
class Examination:
    """``findings`` are all findings, the worst first. The status shows only the worst one."""

    status: Status
    findings: tuple[Finding, ...]
    seen: Observation


def report(services: Services) -> Status:
    """The status of one account, from the store and this process's copies: makes no other call and changes nothing.

    It costs one store command, and one more in a process that has written nothing yet: that one finds out whether the
    store takes writes.
    """
    with _observed(services) as seen:
        return _status(services, seen)


def examine(services: Services) -> Examination:
    """The status with all findings, at the cost of ``report``."""
    with _observed(services) as seen:
        return Examination(_status(services, seen), tuple(findings(seen)), seen)


@contextmanager
def _observed(services: Services) -> Iterator[Observation]:
    """The present state. The keys that a status needs are read by one command and kept for the block."""
    services.store.recheck()
    with services.store.read_ahead(*report_keys(services)):
        yield observe(services)


def report_keys(services: Services) -> tuple[str, ...]:
    """The store's keys that a status reads, for a caller that reads them with others by one command."""
    alerts = [EPISODE_KEY] if alert_addresses(services.settings) else []
    return (*observed_keys(services), *alerts)


def _status(services: Services, seen: Observation) -> Status:
    worst = worst_finding(seen)
    return Status(
        status=worst.status,
        problem=worst.problem,
        hint=worst.hint,
        account=_account_status(seen.snapshot),
        token=_token_status(seen),
        last_renewal=_renewal_status(seen.tokens.last_renewal),
        feed=_feed_status(seen),
        store=StoreStatus(services.store.kind, seen.read_error is None),
        alerts=_alerts_status(services),
    )


def _token_status(seen: Observation) -> TokenStatus:
    token = seen.token
    if token is None:
        return TokenStatus()
    left = None if token.expires_at is None else max(token.expires_at - seen.at, timedelta())
    return TokenStatus(
        present=True,
        source=seen.tokens.source,
        state=seen.token_state,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        expires_in=None if left is None else int(left.total_seconds()),
        days_left=None if left is None else round(left / timedelta(days=1), 1),
        renewable_at=token.renewable_at,
        saved=seen.tokens.is_saved,
    )


def _renewal_status(renewal: Renewal | None) -> RenewalStatus:
    if renewal is None:
        return RenewalStatus()
    failure = renewal.failure
    # The stored attempt has no outcome of its own: the failure's kind tells it.
    if failure is None:
        return RenewalStatus(renewal.at, RenewalOutcome.RENEWED)
    if failure.kind == TOO_YOUNG:
        return RenewalStatus(renewal.at, RenewalOutcome.TOO_YOUNG)
    return RenewalStatus(renewal.at, RenewalOutcome.FAILED, failure.message)


def _alerts_status(services: Services) -> AlertsStatus:
    if not alert_addresses(services.settings):
        return AlertsStatus()
    try:
        episode = episode_document(services.store).read().value
    except StoreError:
        return AlertsStatus(configured=True)
    return AlertsStatus(configured=True, last_error=episode.last_error if episode else None)


def _account_status(snapshot: FeedSnapshot | None) -> AccountStatus:
    if snapshot is None:
        return AccountStatus()
    return AccountStatus(snapshot.profile.username, snapshot.profile.name, snapshot.profile.media_count)


def _feed_status(seen: Observation) -> FeedStatus:
    snapshot = seen.snapshot
    last_error = seen.fetch_failure.message if seen.fetch_failure else None
    if snapshot is None:
        return FeedStatus(last_error=last_error)
    has_right_time = not is_from_future(snapshot.fetched_at, seen.at)
    age = seen.at - snapshot.fetched_at
    return FeedStatus(
        posts=len(snapshot.posts),
        fetched_at=snapshot.fetched_at if has_right_time else None,
        # Another machine's clock may be a few minutes ahead of ours; a negative age would only confuse.
        age=max(0, int(age.total_seconds())) if has_right_time else None,
        fresh=seen.is_feed_fresh,
        last_error=last_error,
    )


def with_iso_times(named: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dict of a dataclass's fields, its times as ISO 8601 texts: a ``dict_factory`` for ``asdict``."""
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in named}
