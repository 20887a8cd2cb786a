"""The owner's tasks: set a token up, renew it, fetch the feed and mirror its pictures.

The command line and the pages for the owner call them; the cron has a module of its own (``all_accounts.cron``).
Nothing here knows a terminal or a request.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta

from igfeed.clock import Deadline
from igfeed.errors import IgfeedError, TokenRejected, WrongToken
from igfeed.feed.mirror import MirrorReport
from igfeed.history import asked_by
from igfeed.models import FeedSnapshot, Picture, Token
from igfeed.models.pasted import other_kind
from igfeed.models.token import TOKEN_LIFETIME
from igfeed.services import Services
from igfeed.tokens.renewal import RenewalOutcome
from igfeed.tokens.renewal_request import renewed_to_learn_expiry

NO_TIME_LIMIT = float("inf")

Progress = Callable[[Sequence[Picture]], AbstractContextManager[Iterable[Picture]]]
"""Gives the pictures back one by one as they are mirrored, and can so show how many are done."""


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
    snapshot, not_fetched = _first_posts(services)
    # If it was stored unverified and is rejected, the fetch has taken up the token before it again.
    after = services.tokens.report().token or token
    if before and after.lineage == before.lineage != token.lineage:
        raise TokenRejected("Instagram rejects this token; the one before it works and stays.")
    return SetUp(after, account, snapshot, not_renewed, not_fetched)


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
    with progress(list(snapshot.pictures())) as pictures:
        return Fetched(snapshot, services.feed.mirror(pictures, Deadline(time_limit)))


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


def _first_posts(services: Services) -> tuple[FeedSnapshot | None, IgfeedError | None]:
    """The feed that the new token fetches, or why it cannot be fetched yet."""
    try:
        return services.feed.fetch(), None
    except IgfeedError as error:
        return None, error


def _check_store(services: Services) -> None:
    """Raises StoreError if the store takes no writes or the stored token cannot be read.

    A command's process ends at once. A token that it has renewed and could not store would end with it, and Instagram
    may have ended the old one.
    """
    services.check_startup()
    services.store.check_writable()
    if error := services.tokens.report().store_error:
        raise error
