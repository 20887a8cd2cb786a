"""The app's id and secret: from the variables, or typed into the studio and kept encrypted in the store.

For the studio's form: ``save`` what was typed, ``source`` says where the present ones are from, ``app_id`` is the only
part that a page may show. The variables win, so the form is of no use while they are set.
"""

from typing import Literal

from igfeed.errors import WrongAppId, WrongAppSecret
from igfeed.models.app_credentials import APP_ID, APP_SECRET, AppCredentials
from igfeed.models.pasted import pasted
from igfeed.owner.connect.sealed import SealedDocument
from igfeed.services import Services

DOCUMENT = SealedDocument("app:v1", AppCredentials)

CredentialsSource = Literal["environment", "store"]


def credentials(services: Services) -> AppCredentials | None:
    """Those to use, None if there are none. Raises StoreError if the stored ones cannot be read."""
    return services.settings.app or DOCUMENT.read(services)


def source(services: Services) -> CredentialsSource | None:
    """Where they are from, None if there are none. Raises StoreError as ``credentials`` does."""
    if services.settings.app:
        return "environment"
    return "store" if DOCUMENT.read(services) else None


def save(services: Services, app_id: str, secret: str) -> None:
    """Store what the owner has typed, in place of what was there.

    Raises WrongAppId or WrongAppSecret if it cannot be right, and StoreError.
    """
    app_id, secret = pasted(app_id), pasted(secret)
    if not APP_ID.fullmatch(app_id):
        raise WrongAppId("An app id has digits only.")
    if not APP_SECRET.fullmatch(secret):
        raise WrongAppSecret("An app secret has letters and digits only.")
    DOCUMENT.write(services, AppCredentials(app_id, secret))


def forget(services: Services) -> None:
    """Delete the stored ones. Raises StoreError."""
    DOCUMENT.delete(services)
