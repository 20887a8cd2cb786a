"""Why the last login failed, for the studio.

``last_failure`` is all that a page needs. Each start of Connect deletes the failure before it.
"""

import logging
from dataclasses import dataclass

from igfeed.errors import IgfeedError, InstagramUnreachable, RateLimited, StoreError, TokenRejected
from igfeed.models.record import Moment, Record
from igfeed.services import Services
from igfeed.stores.document import Document

log = logging.getLogger(__name__)

FAILURE_KEY = "connect:v1"

LATER_HINT = "Nothing has changed. Connect again in some minutes."
AGAIN_HINT = "Nothing has changed. Connect again."


@dataclass(frozen=True)
class ConnectFailure(Record):
    """Why a login gave no token. ``message`` says what happened and ``hint`` what to do. Neither holds a secret.

    ``kind`` is the error's class name. ``account`` is the name of the account that the login was to add, None if it was
    for one that exists.
    """

    at: Moment
    kind: str
    message: str
    hint: str
    account: str | None = None


def last_failure(services: Services) -> ConnectFailure | None:
    """Why the last login failed. None if it has succeeded, if there was none, or if the store does not answer."""
    try:
        return _document(services).read().value
    except StoreError:
        return None


def record(services: Services, error: IgfeedError, adds: str | None = None) -> None:
    """Keep the error for the studio. ``adds`` is the name of the account that is not added now. Never raises."""
    log.warning("Connect failed: %s", error)
    failure = ConnectFailure(services.clock(), type(error).__name__, str(error), _hint(error), adds)
    try:
        _document(services).write(failure)
    except StoreError as unwritten:
        log.warning("Why Connect failed could not be kept for the studio: %s", unwritten)


def forget(services: Services) -> None:
    """Delete the failure. Never raises."""
    try:
        _document(services).delete()
    except StoreError as error:
        log.warning("The last failure of Connect could not be deleted: %s", error)


def _hint(error: IgfeedError) -> str:
    """What the owner should do. Some errors have a hint for the feed, which tries again by itself. A login does not."""
    if isinstance(error, InstagramUnreachable | RateLimited):
        return LATER_HINT
    return AGAIN_HINT if isinstance(error, TokenRejected) else error.hint


def _document(services: Services) -> Document[ConnectFailure]:
    return Document(services.store, FAILURE_KEY, ConnectFailure.from_text)
