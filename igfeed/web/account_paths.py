"""Finds the account that a request is about: it is the first part of the path, as in ``/prints/embed``.

That part is moved to the prefix of the request (``SCRIPT_NAME``). A proxy that mounts an app does the same. So every
view answers for any account, and its links stay below the account's name.
"""

import re
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from igfeed.accounts.directory import Accounts
from igfeed.accounts.names import NAME
from igfeed.errors import StoreError
from igfeed.services import Services, acting_for
from igfeed.web.final_slash import to_final_slash

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SHARED_PATHS = re.compile(r"/(api|healthz|static)(/.*)?|/connect/(callback|deauthorize|delete|deletion)(/.*)?")
"""Paths that all accounts share. They do not exist below a name."""

ACCOUNT_PART = "igfeed.account_part"
"""The WSGI environment has the part that was moved under this key, such as ``/prints``. Absent for the default one."""


class AccountPaths:
    """WSGI middleware. All accounts use ``app``. ``finished`` wraps it with the finished pages of one account.

    ``own_parts`` are the first parts of the app's own paths. None of them is an account's name, so a request for such a
    path does not ask the store.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        accounts: Accounts,
        own_parts: Collection[str],
        finished: "Callable[[WSGIApplication], WSGIApplication]",
    ) -> None:
        self.app = app
        self._accounts = accounts
        self._own_parts = own_parts
        self._with_finished_pages = finished
        self._apps: dict[str, tuple[Services, WSGIApplication]] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        name, slash, rest = environ["PATH_INFO"].removeprefix("/").partition("/")
        path = f"{slash}{rest}"
        is_name = name not in self._own_parts and NAME.fullmatch(name) and not SHARED_PATHS.fullmatch(path)
        services = self._find(name) if is_name else None
        if services is None:
            with acting_for(None):
                return self.app(environ, start_response)
        if not path and not services.startup_error:
            return to_final_slash(name, environ)(environ, start_response)
        prefix, part = environ.get("SCRIPT_NAME", ""), f"/{name}"
        environ.update({"SCRIPT_NAME": f"{prefix}{part}", "PATH_INFO": path or "/", ACCOUNT_PART: part})
        with acting_for(services):
            return self._app_of(services)(environ, start_response)

    def _find(self, name: str) -> Services | None:
        try:
            found = self._accounts.find(name)
        except StoreError as error:
            return self._accounts.unreachable(name, error)
        if found is None:
            self._apps.pop(name, None)  # It may have been removed.
        return found

    def _app_of(self, services: Services) -> "WSGIApplication":
        """The app with the finished pages of this account. New services get new finished pages."""
        name = services.account or ""
        if services.startup_error:
            return self.app
        known = self._apps.get(name)
        if known is None or known[0] is not services:
            known = self._apps[name] = services, self._with_finished_pages(self.app)
        return known[1]


def without_account(environ: "WSGIEnvironment", address: str) -> str:
    """The same path for the default account. ``address`` is a path of ours with the prefix."""
    part = environ.get(ACCOUNT_PART)
    if part is None:
        return address
    prefix = environ["SCRIPT_NAME"].removesuffix(part)
    return f"{prefix}{address.removeprefix(f'{prefix}{part}')}"
