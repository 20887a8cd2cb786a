"""The owner's tasks: set a token up, renew it, fetch the feed and mirror its pictures.

The cron, the command line and the pages for the owner call them. Nothing here knows a terminal or a request.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from igfeed.clock import Deadline
from igfeed.errors import IgfeedError, StoreError, TokenRejected, WrongToken
from igfeed.feed.mirror import MirrorReport
from igfeed.history import By, asked_by
from igfeed.models import FeedSnapshot, Picture, Token
from igfeed.models.pasted import other_kind
from igfeed.models.token import TOKEN_LIFETIME
from igfeed.owner.alerts.notifier import notify
from igfeed.owner.status import Status, TokenStatus, report, with_iso_times
from igfeed.services import Services
from igfeed.tokens.renewal import RenewalOutcome
from igfeed.tokens.renewal_request import renewed_to_learn_expiry

MIRRORING_TIME_LIMIT = 200.0
"""Seconds after which the cron begins no further picture.

Vercel ends a run after 300 seconds (``maxDuration`` in vercel.json). The rest is for the pictures that have begun, each
within the client's time limits, and for a store that answers slowly."""

NO_TIME_LIMIT = float("inf")

Progress = Callable[[Sequence[Picture]], AbstractContextManager[Iterable[Picture]]]
"""Gives the pictures back one by one as they are mirrored, and can so show how many are done."""


@dataclass(frozen=True)
class Run:
    """What one run of the cron did. ``to_json`` returns what the cron route answers."""

    ok: bool
    renewal: RenewalOutcome
    feed: Literal["fetched", "failed"]
    posts: int
    pictures: MirrorReport
    token: TokenStatus
    error: str | None
    hint: str | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self, dict_factory=with_iso_times)


@dataclass(frozen=True)
class SetUp:
    """The result of setting a token up. ``token`` is the stored one, renewed perhaps.

    ``account`` is the user name that the token belongs to, None if the token was not verified.
    ``not_renewed`` says why a renewal could not tell its expiry, ``not_fetched`` why the feed could not be fetched yet.
    """

    token: Token
    account: str | None
    snapshot: FeedSnapshot | None
    not_renewed: IgfeedError | None
    not_fetched: IgfeedError | None


@dataclass(frozen=True)
class Fetched:
    snapshot: FeedSnapshot
    pictures: MirrorReport


@asked_by("owner")
def set_up(
    services: Services, value: str, *, expires_in: timedelta | None = None, verify: bool = True, ids: Iterable[str] = ()
) -> SetUp:
    """Store the owner's token and fetch the feed with it.

    ``expires_in`` is its remaining life; without it a renewal is tried at once, which tells it. With ``verify`` False
    Instagram is not asked first, and the token before it is kept until this one has worked. ``ids`` are the known
    ids of its account.
    Raises the IgfeedError because of which it was not stored. Raises TokenRejected if it was stored unverified, did
    not work, and the token before it was taken up again.
    """
    if kind := other_kind(value):
        raise WrongToken(f"This is {kind}.")
    account = services.instagram.profile(value).username if verify else None
    services.check_startup()
    services.store.check_writable()  # A renewal may end the given token, so there must be room for the new one.
    before = services.tokens.report().token
    token, not_renewed = _with_expiry(services, value, expires_in, verify=verify)
    token = replace(token, account_ids=frozenset(ids))
    services.tokens.adopt(token, is_verified=verify)
    errors: list[IgfeedError] = []
    snapshot = _fetch(services, errors)
    # If it was stored unverified and is rejected, the fetch has taken up the token before it again.
    after = services.tokens.report().token or token
    if before and after.lineage == before.lineage != token.lineage:
        raise TokenRejected("Instagram rejects this token; the one before it works and stays.")
    return SetUp(after, account, snapshot, not_renewed, errors[0] if errors else None)


@asked_by("owner")
def refresh(services: Services) -> RenewalOutcome:
    """Renew the token now. Raises the IgfeedError because of which it was not renewed or could not have been kept."""
    _check_store(services)
    outcome = services.tokens.renew()
    if outcome in (RenewalOutcome.NOT_DUE, RenewalOutcome.TOO_YOUNG):
        # Nobody has been asked so far: one read tells the owner if the young token is rejected.
        services.tokens.use(services.instagram.profile)
    return outcome


@asked_by("owner")
def fetch(services: Services, progress: Progress = nullcontext, *, time_limit: float = NO_TIME_LIMIT) -> Fetched:
    """Fetch the feed and mirror its pictures. After ``time_limit`` seconds no further picture is begun.

    Raises the IgfeedError because of which the feed was not fetched. A picture that fails raises nothing: it is
    counted.
    """
    _check_store(services)
    snapshot = services.feed.fetch()
    return Fetched(snapshot, _mirror(services, snapshot, Deadline(time_limit), progress))


def run(services: Services, by: By = "cron") -> Run:
    """Renew the token if it is old enough, fetch the feed, mirror its pictures. If one of them fails, the others run.

    ``by`` is who asked for it. Raises nothing: the first error is in the result.
    """
    with asked_by(by):
        return _run(services)


def _run(services: Services) -> Run:
    services.store.recheck()
    deadline = Deadline(MIRRORING_TIME_LIMIT)
    errors: list[IgfeedError] = []
    renewal = _renew(services, errors)
    snapshot = _fetch(services, errors)
    pictures = _mirror(services, snapshot, deadline) if snapshot else MirrorReport()
    shown = snapshot or services.feed.cached
    refusal = services.store.refusal  # Before the report, which finds out whether the store takes writes again.
    status = report(services)
    notify(services)
    error = errors[0] if errors else refusal or _store_error(status) or _picture_error(pictures)
    return Run(
        ok=error is None,
        renewal=renewal,
        feed="fetched" if snapshot else "failed",
        posts=len(shown.posts) if shown else 0,
        pictures=pictures,
        token=status.token,
        error=str(error) if error else None,
        hint=error.hint if error else None,
    )


def _with_expiry(
    services: Services, value: str, expires_in: timedelta | None, *, verify: bool
) -> tuple[Token, IgfeedError | None]:
    """The token with what is known of its expiry, and why a renewal could not tell it."""
    now = services.clock()
    if expires_in:
        return Token(value, issued_at=now + expires_in - TOKEN_LIFETIME, expires_at=now + expires_in), None
    if verify:
        return renewed_to_learn_expiry(services.instagram, services.clock, value)
    # It counts as new. It is renewed as soon as it must be 24 hours old, which tells its real expiry.
    return Token(value, expires_at=now + TOKEN_LIFETIME), None


def _renew(services: Services, errors: list[IgfeedError]) -> RenewalOutcome:
    try:
        services.check_startup()
        _check_renewal_can_be_stored(services)
        return services.tokens.renew()
    except IgfeedError as error:
        errors.append(error)
        return RenewalOutcome.FAILED


def _fetch(services: Services, errors: list[IgfeedError]) -> FeedSnapshot | None:
    try:
        services.check_startup()
        return services.feed.fetch()
    except IgfeedError as error:
        errors.append(error)
        return None


def _mirror(
    services: Services, snapshot: FeedSnapshot, deadline: Deadline, progress: Progress = nullcontext
) -> MirrorReport:
    with progress(list(snapshot.pictures())) as pictures:
        return services.feed.mirror(pictures, deadline)


def _check_store(services: Services) -> None:
    """Raises StoreError if the store takes no writes or the stored token cannot be read.

    A command's process ends at once. A token that it has renewed and could not store would end with it, and Instagram
    may have ended the old one.
    """
    services.check_startup()
    services.store.check_writable()
    if error := services.tokens.report().store_error:
        raise error


def _check_renewal_can_be_stored(services: Services) -> None:
    """Raises WriteRefused if the store refuses writes and the token is not due: it has time, so it is not risked."""
    refusal = services.store.refusal
    if refusal is None:
        return
    found = services.tokens.report()
    if found.token and not found.is_due and found.token.is_renewable(services.clock()):
        raise refusal


def _store_error(status: Status) -> IgfeedError | None:
    """An error if something was done that only this process remembers, None if the store has it all."""
    is_kept = status.store.reachable and (status.token.saved or status.token.source != "memory")
    return None if is_kept else StoreError("The store did not take everything.", status.hint)


def _picture_error(pictures: MirrorReport) -> IgfeedError | None:
    if not pictures.failed:
        return None
    return IgfeedError(
        f"{pictures.failed} picture files could not be mirrored.",
        "The log names them; they are tried again with the next run and when somebody looks at them.",
    )
