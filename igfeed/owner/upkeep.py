"""What the cron, the status route and the command line share: renew, fetch, mirror."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

from igfeed.clock import Deadline
from igfeed.errors import IgfeedError, StoreError, TokenRejected, WrongToken
from igfeed.feed.pictures import MirrorReport
from igfeed.models import FeedSnapshot, Token
from igfeed.models.pasted import other_kind
from igfeed.models.token import TOKEN_LIFETIME
from igfeed.owner.status import Status, TokenStatus, report, with_texts
from igfeed.services import Services
from igfeed.tokens.renewal import RenewalOutcome
from igfeed.tokens.renewal_request import renewed_to_learn_expiry

TIME_LIMIT = 40.0
"""Seconds after which no further picture is begun: one may take some more, and Vercel ends it all at sixty."""


@dataclass(frozen=True)
class Run:
    """What one upkeep did; ``to_json`` is the cron route's answer."""

    ok: bool
    renewal: RenewalOutcome
    feed: Literal["fetched", "failed"]
    posts: int
    pictures: MirrorReport
    token: TokenStatus
    error: str | None
    hint: str | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self, dict_factory=with_texts)


@dataclass(frozen=True)
class SetUp:
    """What became of a token that the owner has brought.

    ``account`` is None where nobody asked whose it is, ``not_renewed`` says why its life could not be learned from a
    renewal, and ``not_fetched`` why the feed could not be fetched with it yet.
    """

    token: Token
    account: str | None
    snapshot: FeedSnapshot | None
    not_renewed: IgfeedError | None
    not_fetched: IgfeedError | None


def set_up(services: Services, value: str, *, life: timedelta | None = None, is_checked: bool = True) -> SetUp:
    """Store the owner's token and fetch the feed with it.

    Without ``life`` a renewal is tried at once, which tells it. ``is_checked`` False: it is stored unseen, and the one
    before it is kept until this one has worked. Raises the IgfeedError that keeps it from being stored, and
    TokenRejected where it was stored unseen and the one before it had to go on.
    """
    if kind := other_kind(value):
        raise WrongToken(f"This is {kind}.")
    account = services.instagram.profile(value).username if is_checked else None
    _check(services)
    services.store.check_writable()  # A renewal may end the given token, so there must be room for the new one.
    before = services.tokens.report().token
    token, not_renewed = _with_its_life(services, value, life, is_checked=is_checked)
    services.tokens.adopt(token, is_verified=is_checked)
    errors: list[IgfeedError] = []
    snapshot = _fetch(services, errors)
    after = services.tokens.report().token or token
    if before and after.lineage == before.lineage != token.lineage:
        raise TokenRejected("Instagram rejects this token; the one before it works and stays.")
    return SetUp(after, account, snapshot, not_renewed, errors[0] if errors else None)


def _with_its_life(
    services: Services, value: str, life: timedelta | None, *, is_checked: bool
) -> tuple[Token, IgfeedError | None]:
    now = services.clock()
    if life:
        return Token(value, issued_at=now + life - TOKEN_LIFETIME, expires_at=now + life), None
    if is_checked:
        return renewed_to_learn_expiry(services.instagram, services.clock, value)
    return Token(value, expires_at=now + TOKEN_LIFETIME), None


def refresh(services: Services) -> RenewalOutcome:
    """Renew the token for a person, who hears so if it is rejected, although it is too young for a renewal.

    Raises the IgfeedError that stood in the way, also where a renewed token could not be kept.
    """
    _check(services)
    services.store.check_writable()
    if error := services.tokens.report().store_error:
        raise error
    outcome = services.tokens.renew()
    if outcome in (RenewalOutcome.NOT_DUE, RenewalOutcome.TOO_YOUNG):
        services.tokens.use(services.instagram.profile)
    return outcome


def run(services: Services) -> Run:
    """Renew the token if it is old enough, fetch the feed, mirror its pictures; each whatever became of the others."""
    services.store.recheck()
    deadline = Deadline(TIME_LIMIT)
    errors: list[IgfeedError] = []
    renewal = _renew(services, errors)
    snapshot = _fetch(services, errors)
    pictures = services.pictures.mirror(snapshot.pictures(), deadline) if snapshot else MirrorReport()
    if snapshot:
        services.feed.paint()
    shown = snapshot or services.feed.at_hand
    refusal = services.store.refusal  # Before the report, which looks whether that is over.
    found = report(services)
    error = errors[0] if errors else refusal or _store_error(found) or _picture_error(pictures)
    return Run(
        ok=error is None,
        renewal=renewal,
        feed="fetched" if snapshot else "failed",
        posts=len(shown.posts) if shown else 0,
        pictures=pictures,
        token=found.token,
        error=str(error) if error else None,
        hint=error.hint if error else None,
    )


def _renew(services: Services, errors: list[IgfeedError]) -> RenewalOutcome:
    try:
        _check(services)
        _check_for_renewal(services)
        return services.tokens.renew()
    except IgfeedError as error:
        errors.append(error)
        return RenewalOutcome.FAILED


def _fetch(services: Services, errors: list[IgfeedError]) -> FeedSnapshot | None:
    try:
        _check(services)
        return services.feed.fetch()
    except IgfeedError as error:
        errors.append(error)
        return None


def _check(services: Services) -> None:
    """Without a store a renewed token could not be kept."""
    if services.startup_error:
        raise services.startup_error


def _check_for_renewal(services: Services) -> None:
    """A store that refuses writes could not keep a renewed token either, so one that has time is not risked."""
    refusal = services.store.refusal
    if refusal is None:
        return
    found = services.tokens.report()
    if found.token and not found.is_due and found.token.is_renewable(services.clock()):
        raise refusal


def _store_error(found: Status) -> IgfeedError | None:
    """What was done is in this process only, which is no good news for an owner."""
    is_kept = found.store.reachable and (found.token.saved or found.token.source != "memory")
    return None if is_kept else StoreError("The store did not take everything.", found.hint)


def _picture_error(pictures: MirrorReport) -> IgfeedError | None:
    if not pictures.failed:
        return None
    return IgfeedError(
        f"{pictures.failed} picture files could not be mirrored.",
        "The log names them; they are tried again with the next run and when somebody looks at them.",
    )
