"""The login of another account than the one that is shown. It waits for the owner's answer."""

from datetime import timedelta

from igfeed.clock import CLOCKS_DIFFER
from igfeed.owner.connect.sealed import SealedDocument
from igfeed.owner.connect.trip import NewLogin
from igfeed.services import Services

DOCUMENT = SealedDocument("connect-pending:v1", NewLogin)

ANSWER_TIME = timedelta(minutes=10)
"""How long the owner may think about it. After that the token counts as thrown away."""


def keep(services: Services, login: NewLogin) -> None:
    """Raises StoreError."""
    DOCUMENT.write(services, login)


def waiting(services: Services) -> NewLogin | None:
    """The login that waits, None if there is none any more. Raises StoreError if the store does not answer."""
    login = DOCUMENT.read(services)
    if login is None:
        return None
    age = services.clock() - login.at
    return login if -CLOCKS_DIFFER < age < ANSWER_TIME else None


def take(services: Services) -> NewLogin | None:
    """The same, for an answer: it waits no longer. Raises StoreError."""
    try:
        return waiting(services)
    finally:
        drop(services)


def drop(services: Services) -> None:
    """Forget it. Raises StoreError."""
    DOCUMENT.delete(services)
