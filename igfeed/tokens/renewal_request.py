"""The request that renews a token. It is repeated only after a check, because its reply may have been lost."""

from dataclasses import replace

from igfeed.clock import Clock, Deadline
from igfeed.errors import InstagramError, InstagramUnreachable, PermissionRefused, TokenRejected, UnexpectedAnswer
from igfeed.instagram import RENEWAL_TIME_LIMIT, Instagram
from igfeed.models import Renewal, Token
from igfeed.models.lineage import successor
from igfeed.models.record import fingerprint
from igfeed.models.token import TOKEN_LIFETIME

MAX_RENEWAL_TRIES = 3

RENEWAL_RETRY_MIN_SECONDS = 25.0
"""Time for a read with the old value and another request. If less is left, there is no retry now."""

LOST_REPLY = "Instagram took a renewal, its answer never came, and the old token does not work any more."


def renewed(instagram: Instagram, value: str, deadline: Deadline, last: Renewal | None = None) -> Token:
    """The token that Instagram returns for ``value``. ``last`` is the last attempt, perhaps another process's.

    Raises an InstagramError. It is a TokenRejected with its own message if the reply to an earlier request was lost and
    ``value`` does not work any more.
    """
    # A request whose reply was lost may have ended the old value. So before it is sent again, a read shows whether the
    # old value still works: the owner then learns what has happened, instead of an unexplained rejection.
    if last and last.may_have_taken_effect and last.token == fingerprint(value):
        _check_still_works(instagram, value)
    for _ in range(MAX_RENEWAL_TRIES - 1):
        try:
            return instagram.renew(value, deadline.left())
        except InstagramUnreachable as error:
            if not error.may_have_taken_effect or deadline.left() < RENEWAL_RETRY_MIN_SECONDS:
                raise
        _check_still_works(instagram, value)
    return instagram.renew(value, deadline.left())


def renewed_to_learn_expiry(instagram: Instagram, clock: Clock, value: str) -> tuple[Token, InstagramError | None]:
    """Renew a token that Instagram has just accepted, because only a renewal tells its expiry.

    Returns the renewed token and None, or the token as it was and why it was not renewed. If Instagram refuses the
    renewal, the token is too young and counts as new. Without a reply its expiry stays unknown, so it stays due.
    Raises TokenRejected if the token stopped working in a renewal whose reply was lost.
    """
    given = Token(value)
    try:
        return successor(given, renewed(instagram, value, Deadline(RENEWAL_TIME_LIMIT))), None
    except TokenRejected as refusal:
        # Instagram accepted it for a read and rejects it for the renewal. Either it is too young, which the next read
        # shows by its success, or it has stopped working.
        _check_still_works(instagram, value)
        return replace(given, expires_at=clock() + TOKEN_LIFETIME), refusal
    except (PermissionRefused, UnexpectedAnswer) as refusal:
        return replace(given, expires_at=clock() + TOKEN_LIFETIME), refusal
    except InstagramError as failure:
        return given, failure


def _check_still_works(instagram: Instagram, value: str) -> None:
    """Raises TokenRejected if it does not."""
    try:
        instagram.profile(value)
    except TokenRejected as error:
        raise TokenRejected(LOST_REPLY, code=error.code) from None
