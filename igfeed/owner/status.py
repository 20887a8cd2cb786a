"""How it stands: one report for monitors, people and the command line, read from the store alone."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from igfeed.clock import SET_THE_CLOCK, clock_is_wrong, iso
from igfeed.errors import (
    InstagramError,
    NoPicture,
    PermissionRefused,
    StoreError,
    TokenError,
    TokenRejected,
    TooYoung,
    WrongToken,
)
from igfeed.models import Failure, FeedSnapshot, Renewal, Token
from igfeed.models.record import is_from_future
from igfeed.services import Services
from igfeed.stores import Kind
from igfeed.tokens.renewal import RenewalOutcome
from igfeed.tokens.report import TokenReport
from igfeed.tokens.vault import Source
from igfeed.version import VERSION

REJECTED = TokenRejected.__name__
NOT_PERMITTED = PermissionRefused.__name__
TOO_YOUNG = TooYoung.__name__

Verdict = Literal["ok", "degraded", "action_required"]
State = Literal["fresh", "due", "expired", "rejected"]


@dataclass(frozen=True)
class TokenStatus:
    present: bool = False
    source: Source | None = None
    state: State | None = None
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
class Finding:
    status: Verdict
    problem: str | None = None
    hint: str | None = None


@dataclass(frozen=True)
class Status:
    """How it stands; ``to_json`` is the status route's answer."""

    status: Verdict
    problem: str | None
    hint: str | None
    account: AccountStatus
    token: TokenStatus
    last_renewal: RenewalStatus
    feed: FeedStatus
    store: StoreStatus
    version: str = VERSION

    def to_json(self) -> dict[str, Any]:
        return asdict(self, dict_factory=with_texts)


def report(services: Services) -> Status:
    """How it stands, from the store alone: calls nobody, changes nothing.

    A process that has written nothing yet proves first that the store would take something: one command more.
    """
    services.store.recheck()
    keys = (*services.feed.report_keys, *services.tokens.report_keys, *services.pictures.report_keys)
    with services.store.read_ahead(*keys):
        return _found(services)


def _found(services: Services) -> Status:
    snapshot, store_error = _snapshot(services)
    failure, found = services.feed.failure(), services.tokens.report()
    token = _token_status(found, failure)
    findings = _findings(services, token, found, store_error, failure, snapshot=snapshot)
    worst = next(findings, Finding("ok"))
    return Status(
        status=worst.status,
        problem=worst.problem,
        hint=worst.hint,
        account=_account_status(snapshot),
        token=token,
        last_renewal=_renewal_status(found.last_renewal),
        feed=_feed_status(services, snapshot, failure, found.at),
        store=StoreStatus(services.store.kind, store_error is None),
    )


def _snapshot(services: Services) -> tuple[FeedSnapshot | None, StoreError | None]:
    try:
        return services.feed.peek(), None
    except StoreError as error:
        return services.feed.at_hand, error


def _findings(
    services: Services,
    token: TokenStatus,
    tokens: TokenReport,
    store_error: StoreError | None,
    failure: Failure | None,
    *,
    snapshot: FeedSnapshot | None,
) -> Iterator[Finding]:
    """What is wrong, the worst first."""
    if services.startup_error:
        yield Finding("action_required", str(services.startup_error), services.startup_error.hint)
    if token.state == "expired":
        yield Finding("action_required", f"The access token expired on {token.expires_at:%Y-%m-%d}.", TokenError.hint)
    yield from _refusals(token, tokens, failure)
    yield from _store_findings(token, tokens, store_error)
    yield from _missing(token, tokens)
    if refusal := services.store.refusal:
        yield Finding("degraded", str(refusal), refusal.hint)
    if token.source == "memory" and not token.saved:
        yield Finding("degraded", "The renewed token is not saved yet.", StoreError.hint)
    if snapshot and snapshot.clock_ahead:
        yield Finding("degraded", clock_is_wrong(snapshot.clock_ahead), SET_THE_CLOCK)
    yield from _failures(tokens, failure)
    yield from _feed_findings(snapshot)
    if snapshot:
        yield from _picture_findings(services, snapshot, tokens.at)


def _refusals(token: TokenStatus, tokens: TokenReport, failure: Failure | None) -> Iterator[Finding]:
    """What Instagram refuses until a person has done something."""
    if failure and (token.state == "rejected" or failure.kind == NOT_PERMITTED):
        yield Finding("action_required", failure.message, failure.hint)
    renewal = _renewal_failure(tokens)
    if renewal and renewal.kind == NOT_PERMITTED and token.issued_at:  # A young token is refused in ways of its own.
        yield Finding("action_required", f"The last renewal failed: {renewal.message}", renewal.hint)


def _missing(token: TokenStatus, tokens: TokenReport) -> Iterator[Finding]:
    if tokens.environment_problem:
        verdict: Verdict = "degraded" if token.present else "action_required"
        yield Finding(verdict, tokens.environment_problem, WrongToken.hint)
    if not token.present:
        yield Finding("action_required", "No access token is set up.", TokenError.hint)


def _renewal_failure(tokens: TokenReport) -> Failure | None:
    """Of the token in use. That it is too young is none."""
    renewal = tokens.last_renewal.failure if tokens.last_renewal else None
    if renewal is None or tokens.token is None or renewal.kind == TOO_YOUNG:
        return None
    return renewal if renewal.token == tokens.token.fingerprint else None


def _failures(tokens: TokenReport, failure: Failure | None) -> Iterator[Finding]:
    if renewal := _renewal_failure(tokens):
        yield Finding("degraded", f"The last renewal failed: {renewal.message}", renewal.hint)
    if failure:
        yield Finding("degraded", failure.message, failure.hint)


def _picture_findings(services: Services, snapshot: FeedSnapshot, now: datetime) -> Iterator[Finding]:
    overdue = len(services.pictures.overdue(snapshot.pictures(), now))
    if overdue:
        problem = f"{overdue} pictures could not be had for more than an hour: visitors see placeholders."
        yield Finding("degraded", problem, "The log says why; `flask igfeed fetch` asks for them again at once.")
    bare = sum(post.picture.is_absent for post in snapshot.posts)
    if bare:
        problem = f"Instagram has no picture of {bare} of the posts: visitors see a tile with a sign in its place."
        yield Finding("ok", problem, NoPicture.hint)


def _store_findings(token: TokenStatus, tokens: TokenReport, store_error: StoreError | None) -> Iterator[Finding]:
    if store_error:
        yield Finding("degraded", str(store_error), store_error.hint)
    elif tokens.store_error:
        verdict: Verdict = "degraded" if token.present else "action_required"
        yield Finding(verdict, str(tokens.store_error), tokens.store_error.hint)


def _feed_findings(snapshot: FeedSnapshot | None) -> Iterator[Finding]:
    """What the last fetch did not bring, so that it is as it was before."""
    if snapshot is None:
        return
    if snapshot.doubted:
        missing = f"Posts that are missing in Instagram's last list without a reason: {len(snapshot.doubted)}."
        yield Finding("degraded", missing, "Nothing to do: they stay until another fetch says that they are gone.")
    if snapshot.unread:
        unread = f"Posts of Instagram's last list that could not be read: {snapshot.unread}."
        hint = "Those that the feed had stay as they were. If this stays: a newer igfeed may be able to read them."
        yield Finding("degraded", unread, hint)
    if not snapshot.is_whole:
        broken = "Instagram's last list broke off; the feed has the older posts as they were."
        yield Finding("degraded", broken, InstagramError.hint)


def _token_status(tokens: TokenReport, failure: Failure | None) -> TokenStatus:
    if tokens.token is None:
        return TokenStatus()
    now = tokens.at
    token = tokens.token.without_wrong_times(now)
    life = None if token.expires_at is None else max(token.expires_at - now, timedelta())
    return TokenStatus(
        present=True,
        source=tokens.source,
        state=_state(token, tokens, failure, now),
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        expires_in=None if life is None else int(life.total_seconds()),
        days_left=None if life is None else round(life / timedelta(days=1), 1),
        renewable_at=token.renewable_at,
        saved=tokens.is_saved,
    )


def _state(token: Token, tokens: TokenReport, failure: Failure | None, now: datetime) -> State:
    if token.is_expired(now):
        return "expired"
    if failure and failure.kind == REJECTED and failure.token == tokens.fingerprint_of_next_call:
        return "rejected"
    return "due" if tokens.is_due else "fresh"


def _renewal_status(renewal: Renewal | None) -> RenewalStatus:
    if renewal is None:
        return RenewalStatus()
    failure = renewal.failure
    if failure is None:
        return RenewalStatus(renewal.at, RenewalOutcome.RENEWED)
    if failure.kind == TOO_YOUNG:
        return RenewalStatus(renewal.at, RenewalOutcome.TOO_YOUNG)
    return RenewalStatus(renewal.at, RenewalOutcome.FAILED, failure.message)


def _account_status(snapshot: FeedSnapshot | None) -> AccountStatus:
    if snapshot is None:
        return AccountStatus()
    return AccountStatus(snapshot.profile.username, snapshot.profile.name, snapshot.profile.media_count)


def _feed_status(
    services: Services, snapshot: FeedSnapshot | None, failure: Failure | None, now: datetime
) -> FeedStatus:
    last_error = failure.message if failure else None
    if snapshot is None:
        return FeedStatus(last_error=last_error)
    is_dated = not is_from_future(snapshot.fetched_at, now)
    age = now - snapshot.fetched_at
    return FeedStatus(
        posts=len(snapshot.posts),
        fetched_at=snapshot.fetched_at if is_dated else None,
        age=max(0, int(age.total_seconds())) if is_dated else None,
        fresh=services.feed.is_fresh(snapshot, now),
        last_error=last_error,
    )


def with_texts(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dict of dataclass fields whose moments are ISO 8601 texts."""
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in items}
