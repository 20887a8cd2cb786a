"""The account that a login is for: one that is listed, or one that the login is to add."""

from dataclasses import dataclass

from igfeed.accounts.directory import current_accounts
from igfeed.errors import StoreError
from igfeed.owner.connect import code_exchange
from igfeed.owner.connect.accounts import KnownAccount, known_account
from igfeed.owner.connect.code_exchange import NewLogin
from igfeed.services import Services


@dataclass(frozen=True)
class Target:
    """``name`` is None for the default account. ``adds`` is the name if the account is not listed yet.

    A login that is given up leaves nothing of a new account. So what the studio has to say about such a login is kept
    with the default account: ``home`` are the services that keep it.
    """

    name: str | None
    home: Services
    adds: str | None = None

    def known(self) -> KnownAccount:
        """Whose posts the account shows. Raises StoreError."""
        return KnownAccount.nobody() if self.adds else known_account(self.home)

    def adopt(self, login: NewLogin) -> None:
        """Store the login's token and use it from now on. A new account is then listed. Raises an IgfeedError."""
        with current_accounts().setting_up(self.name) as services:
            code_exchange.adopt(services, login)

    def shown_elsewhere(self, login: NewLogin) -> Services | None:
        """Another account of ours that shows the posts of the login's account, None if there is none.

        What the store does not tell counts as none: this is only for a question to the owner.
        """
        others = (each for each in current_accounts().reachable() if each.account != self.name)
        return next((each for each in others if _shows(each, login)), None)


def target_of(name: str | None) -> Target:
    """The target with this name. Raises an IgfeedError if no account can be called so, or if that is not known."""
    accounts = current_accounts()
    if name is None:
        return Target(None, accounts.default)
    accounts.check_name(name)
    listed = accounts.find(name)
    return Target(name, listed) if listed else Target(name, accounts.default, adds=name)


def _shows(services: Services, login: NewLogin) -> bool:
    try:
        return known_account(services).is_account_of(login.username, login.ids)
    except StoreError:
        return False
