"""The connection to Instagram: whose app, which addresses to paste at Meta, and why the last login failed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from igfeed.errors import StoreError
from igfeed.owner.connect import app_credentials, outcome
from igfeed.owner.connect.addresses import app_addresses
from igfeed.owner.connect.app_credentials import CredentialsSource
from igfeed.owner.connect.outcome import ConnectFailure
from igfeed.services import Services

CONNECTION_KEYS = (outcome.OUTCOME_KEY, app_credentials.DOCUMENT.key)
"""The store's keys that ``connection`` reads."""


@dataclass(frozen=True)
class Connection:
    """``source`` is where the app's id and secret are from, None if they are missing. No secret is in here.

    ``is_possible``: whether Connect has all that it needs. ``addresses`` are by the
    names of the fields at Meta that they belong into. ``failure`` says why the last login gave no token.
    """

    source: CredentialsSource | None
    app_id: str
    addresses: Mapping[str, str]
    failure: ConnectFailure | None
    is_demo: bool

    @property
    def is_possible(self) -> bool:
        return self.source is not None and not self.is_demo


def connection(services: Services) -> Connection:
    """While the store does not answer, what is kept there counts as missing."""
    try:
        app = app_credentials.credentials(services)
    except StoreError:
        app = None
    source = _source(services) if app else None
    app_id, failure = app.id if app else "", outcome.last_failure(services)
    return Connection(source, app_id, asdict(app_addresses()), failure, services.settings.demo)


def _source(services: Services) -> CredentialsSource:
    # Not `app_credentials.source`, which would read the store once more.
    return "environment" if services.settings.app else "store"
