"""Our addresses that the owner copies into the app's page at Meta. The studio shows them."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import abort, request

from igfeed.owner.pages.account_addresses import address_of
from igfeed.services import current
from igfeed.web.addresses import own_origin


@dataclass(frozen=True)
class AppAddresses:
    """Each is for the field of the same name in Meta's form. Meta compares every letter of ``redirect``."""

    redirect: str
    deauthorize: str
    data_deletion: str
    privacy_policy: str


def app_addresses() -> AppAddresses:
    """The same for all accounts, because one app at Meta serves them all."""
    return AppAddresses(
        redirect=redirect_address(),
        deauthorize=absolute(address_of(None, "withdrawal.deauthorize")),
        data_deletion=absolute(address_of(None, "withdrawal.delete")),
        privacy_policy=absolute(address_of(None, "privacy.privacy")),
    )


def redirect_address() -> str:
    """Where Instagram sends the owner's browser back to. The exchange of the code must name the same address.

    It is the same for all accounts: the owner has to register each address at Meta.
    """
    return absolute(address_of(None, "connect.callback"))


def absolute(path: str) -> str:
    """The path with our origin in front, from ``BASE_URL`` or the request. 400 if the request has no usable host."""
    origin = own_origin(current().settings, request.environ)
    if origin is None:
        abort(400)
    return f"{origin}{path}"


def is_at_own_host() -> bool:
    """Whether the browser is at the host that Instagram sends it back to. Another host would not get our cookie."""
    base_url = current().settings.base_url
    return base_url is None or urlsplit(base_url).netloc.lower() == request.host.lower()
