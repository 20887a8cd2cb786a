"""What is done when the account's owner removes the app at Instagram, or asks Meta to have the data deleted.

The token of the variable INSTAGRAM_ACCESS_TOKEN cannot be deleted from here. It counts as forgotten and is not used
again, until the owner of the server gives the variable another value.
"""

import hmac
import logging
from dataclasses import dataclass

from igfeed.errors import InstagramError, TokenRejected
from igfeed.models.record import Moment, Record
from igfeed.owner.connect import outcome, pending
from igfeed.owner.connect.accounts import KnownAccount, known_account
from igfeed.services import Services
from igfeed.stores.document import Document

log = logging.getLogger(__name__)

NOBODY = "0"
"""The id in recorded requests that do not say whom they are about."""

CODE_LENGTH = 24
"""Hex digits of a confirmation code."""


@dataclass(frozen=True)
class Deletion(Record):
    """What became of a request: ``had_data`` is False if igfeed had nothing of that account."""

    at: Moment
    had_data: bool


def deauthorize(services: Services, user_id: str) -> None:
    """Forget the token if it is that account's. The posts stay. Raises StoreError."""
    known = known_account(services)
    if user_id in known.token_ids:
        log.warning("The account has removed the app at Instagram: its token is deleted, its posts stay")
        services.tokens.forget()
    elif _may_be_ours(known, user_id):
        _forget_if_rejected(services)


def delete(services: Services, user_id: str, app_secret: str) -> str:
    """Forget the token, the posts and the pictures of that account. Gives the confirmation code, always the same one.

    Raises StoreError; then the request can be repeated.
    """
    known, code = known_account(services), _code(user_id, app_secret)
    had_data = user_id in known.token_ids | known.feed_ids
    if user_id in known.token_ids:
        services.tokens.forget()
        pending.drop(services)
        outcome.forget(services)
    elif _may_be_ours(known, user_id):
        _forget_if_rejected(services)
    if user_id in known.feed_ids:
        services.feed.remove()
    if had_data:
        log.warning("The account has asked for the deletion of its data: it is deleted")
    if had_data or deletion(services, code) is None:
        _document(services, code).write(Deletion(services.clock(), had_data))
    return code


def deletion(services: Services, code: str) -> Deletion | None:
    """What became of the request with this confirmation code. None if there was none. Raises StoreError."""
    return _document(services, code).read().value


def _may_be_ours(known: KnownAccount, user_id: str) -> bool:
    """Whether nothing says that it is not ours."""
    return user_id == NOBODY or not known.token_ids


def _forget_if_rejected(services: Services) -> None:
    """Ask Instagram once whether the token still works: if somebody else has removed the app, it does."""
    token = services.tokens.report().token
    if token is None:
        return
    try:
        services.instagram.profile(token.value)
    except TokenRejected:
        log.warning("An account has removed the app at Instagram, and the token is rejected: it is deleted")
        services.tokens.forget()
    except InstagramError as error:
        log.info("Whether the token still works is not known: %s", error)


def _code(user_id: str, app_secret: str) -> str:
    """Always the same for one account. Nobody can guess it, and it does not say whose it is."""
    return hmac.digest(app_secret.encode(), f"confirmation code of {user_id}".encode(), "sha256").hex()[:CODE_LENGTH]


def _document(services: Services, code: str) -> Document[Deletion]:
    return Document(services.store, f"deletion:v1:{code}", Deletion.from_text)
