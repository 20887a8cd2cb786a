"""A login with another account than the one whose posts are shown. It waits until the owner has agreed."""

from datetime import timedelta

from igfeed.clock import CLOCKS_DIFFER
from igfeed.owner.connect.code_exchange import NewLogin
from igfeed.owner.connect.encrypted_document import EncryptedDocument
from igfeed.services import Services

DOCUMENT = EncryptedDocument("connect-pending:v1", NewLogin)

ANSWER_TIME = timedelta(minutes=10)
"""How long the login waits for the owner's answer. After that its token is not used any more."""


def keep(services: Services, login: NewLogin) -> None:
    """Store the login until the owner answers. Raises StoreError."""
    DOCUMENT.write(services, login)


def waiting(services: Services) -> NewLogin | None:
    """The login that waits, None if there is none or it has waited too long. Raises StoreError."""
    login = DOCUMENT.read(services)
    if login is None:
        return None
    age = services.clock() - login.at
    if -CLOCKS_DIFFER < age < ANSWER_TIME:
        return login
    drop(services)  # Its token is good for sixty days, and nobody wants it.
    return None


def take(services: Services) -> NewLogin | None:
    """Return what ``waiting`` returns, and delete it, because the owner has answered. Raises StoreError."""
    try:
        return waiting(services)
    finally:
        drop(services)


def drop(services: Services) -> None:
    """Delete the login. Raises StoreError."""
    DOCUMENT.delete(services)
