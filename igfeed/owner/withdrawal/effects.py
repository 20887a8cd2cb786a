"""Deletes what belongs to an account, when its owner removes the app at Instagram or has the data deleted.

The token in the variable INSTAGRAM_ACCESS_TOKEN cannot be deleted from here. It counts as forgotten: it is not used
again until the server's owner gives the variable another value.
"""

import hmac
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from igfeed.errors import InstagramError, StoreError, TokenRejected
from igfeed.models.record import Moment, Record
from igfeed.owner.connect import login_failure, pending
from igfeed.owner.connect.accounts import KnownAccount, known_account
from igfeed.owner.hooks.deliveries import hooks_document
from igfeed.owner.withdrawal.signed_request import UNKNOWN_USER_ID
from igfeed.services import Services
from igfeed.stores.document import Document

log = logging.getLogger(__name__)

CODE_LENGTH = 24
"""Hex digits of a confirmation code."""


@dataclass(frozen=True)
class Deletion(Record):
    """A request that was carried out. ``had_data`` is False if igfeed had stored nothing of that account."""

    at: Moment
    had_data: bool


def deauthorize(accounts: Iterable[Services], user_id: str) -> None:
    """Delete the token of each of ``accounts`` that belongs to that user. The posts stay. Raises StoreError."""
    _for_each(accounts, lambda services: _deauthorize(services, user_id))


def delete(main: Services, others: Iterable[Services], user_id: str, app_secret: str) -> str:
    """Delete the token, the posts and the pictures of each account of ours that belongs to that user.

    ``main`` are the services of the default account: its store keeps what became of the request. Returns the
    confirmation code, which is always the same for one user. Raises StoreError; then the request can be repeated.
    """
    code = _code(user_id, app_secret)
    deleted: list[bool] = []
    try:
        _for_each((main, *others), lambda services: deleted.append(_delete(services, user_id)))
    finally:
        # Also when an account has failed: the repeated request would find nothing of what is deleted now.
        if any(deleted):
            log.warning("The account has asked for the deletion of its data: it is deleted")
            _document(main, code).write(Deletion(main.clock(), had_data=True))
    if not any(deleted) and deletion(main, code) is None:
        _document(main, code).write(Deletion(main.clock(), had_data=False))
    return code


def _for_each(accounts: Iterable[Services], change: Callable[[Services], object]) -> None:
    """Change each account. One that fails does not stop the others; then the first StoreError is raised at the end."""
    errors: list[StoreError] = []
    for services in accounts:
        try:
            change(services)
        except StoreError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _deauthorize(services: Services, user_id: str) -> None:
    known = known_account(services)
    _drop_waiting(services, user_id)
    if user_id in known.token_ids:
        log.warning("The account has removed the app at Instagram: its token is deleted, its posts stay")
        services.tokens.forget()
    elif _may_be_ours(known, user_id):
        _forget_if_rejected(services)


def _delete(services: Services, user_id: str) -> bool:
    """Whether the account had anything of that user."""
    known, was_waiting = known_account(services), _drop_waiting(services, user_id)
    if user_id in known.token_ids:
        services.tokens.forget()
        login_failure.forget(services)
    elif _may_be_ours(known, user_id):
        _forget_if_rejected(services)
    if user_id in known.feed_ids:
        services.feed.remove()
        hooks_document(services.store).delete()  # It has the ids of the posts.
    return was_waiting or user_id in known.token_ids | known.feed_ids


def _drop_waiting(services: Services, user_id: str) -> bool:
    """Delete the user's login that waits for an answer of ours. Whether there was one. Raises StoreError."""
    try:
        login = pending.waiting(services)
    except StoreError:
        pending.drop(services)  # One that cannot be read any more is of no use. If the store is away, this fails too.
        return False
    if login is None or user_id not in login.ids:
        return False
    pending.drop(services)
    return True


def deletion(services: Services, code: str) -> Deletion | None:
    """The deletion with this confirmation code, None if there was none. Raises StoreError."""
    return _document(services, code).read().value


def _may_be_ours(known: KnownAccount, user_id: str) -> bool:
    """Whether the request may be about our account: it names none, or we do not know our own ids."""
    return user_id == UNKNOWN_USER_ID or not known.token_ids


def _forget_if_rejected(services: Services) -> None:
    """Ask Instagram whether the token still works, and delete it if not. It works if another account has withdrawn."""
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
    """The confirmation code: always the same for one account. Nobody can guess it or learn the account from it."""
    # JSON can name characters that are none (``\ud800``).
    text = f"confirmation code of {user_id}".encode(errors="replace")
    return hmac.digest(app_secret.encode(), text, "sha256").hex()[:CODE_LENGTH]


def _document(services: Services, code: str) -> Document[Deletion]:
    return Document(services.store, f"deletion:v1:{code}", Deletion.from_text)
