"""The app's id and secret: from the variables, or typed into the studio and kept encrypted in the store.

The studio's form calls ``save`` with what was typed. ``source`` says where the credentials in use come from. A page may
show the id, and never the secret. The variables win, so the form has no effect while they are set.

One app serves all accounts. So ``services`` are those of the default account here, whose store keeps the credentials.
"""

from typing import Literal

from igfeed.errors import WrongAppId, WrongAppSecret
from igfeed.models.app_credentials import APP_ID, APP_SECRET, AppCredentials
from igfeed.models.pasted import pasted
from igfeed.owner.connect.encrypted_document import EncryptedDocument
from igfeed.services import Services

DOCUMENT = EncryptedDocument("app:v1", AppCredentials)

CredentialsSource = Literal["environment", "store"]


def credentials(services: Services) -> AppCredentials | None:
    """The credentials to use, None if there are none. Raises StoreError if the stored ones cannot be read."""
    return services.settings.app or DOCUMENT.read(services)


def source(services: Services) -> CredentialsSource:
    """Where the credentials to use come from, if there are any. Does not ask the store."""
    return "environment" if services.settings.app else "store"


def save(services: Services, app_id: str, secret: str) -> None:
    """Store what the owner has typed, in place of the stored credentials.

    Raises WrongAppId or WrongAppSecret if one of them cannot be right, and StoreError.
    """
    app_id, secret = pasted(app_id), pasted(secret)
    if not APP_ID.fullmatch(app_id):
        raise WrongAppId("An app id has digits only.")
    if not APP_SECRET.fullmatch(secret):
        raise WrongAppSecret("An app secret has letters and digits only.")
    DOCUMENT.write(services, AppCredentials(app_id, secret))


def forget(services: Services) -> None:
    """Delete the stored credentials. Raises StoreError."""
    DOCUMENT.delete(services)
