"""What the studio shows about the connection to Instagram."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from igfeed.accounts.directory import current_accounts
from igfeed.errors import StoreError
from igfeed.owner.connect import app_credentials, login_failure
from igfeed.owner.connect.addresses import app_addresses
from igfeed.owner.connect.app_credentials import CredentialsSource
from igfeed.owner.connect.login_failure import ConnectFailure
from igfeed.services import Services


@dataclass(frozen=True)
class Connection:
    """``source`` is where the app's id and secret come from, None if they are missing. It holds no secret.

    ``addresses`` are to be pasted at Meta. Their keys are the fields of ``AppAddresses``. ``failure`` says why the last
    login gave no token.
    """

    source: CredentialsSource | None
    app_id: str
    addresses: Mapping[str, str]
    failure: ConnectFailure | None
    is_demo: bool

    @property
    def is_possible(self) -> bool:
        """Whether the owner can connect now."""
        return self.source is not None and not self.is_demo


def connection(services: Services) -> Connection:
    """The connection. While the store does not answer, what it holds counts as missing."""
    try:
        app = app_credentials.credentials(current_accounts().default)
    except StoreError:
        app = None
    source = app_credentials.source(services) if app else None
    app_id, failure = app.id if app else "", login_failure.last_failure(services)
    return Connection(source, app_id, asdict(app_addresses()), failure, services.settings.demo)
