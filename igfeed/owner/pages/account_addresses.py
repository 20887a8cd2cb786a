"""The addresses of one account's pages, for a page or a message that may be about another one.

The default account's studio is at ``/studio``, that of the account "prints" at ``/prints/studio``. A proxy may mount
the app below a prefix, which comes first.
"""

import re
from dataclasses import dataclass
from typing import Any

from flask import Flask, has_request_context, request, url_for

from igfeed.services import Services
from igfeed.web.account_paths import ACCOUNT_PART
from igfeed.web.addresses import own_origin

EXAMPLE_ORIGIN = "https://feed.example.com"
"""Stands for our origin where neither BASE_URL nor the request tells it."""

MOUNT = "igfeed mount"
"""The key of the app's ``Mount`` in ``app.extensions``."""

COMMAND_OF_ONE_ACCOUNT = re.compile(
    r"`flask igfeed (?!(?:accounts|new-key|remove-account|test-alert)\b|[^`]*--account )"
)
"""The start of a command in a hint. Not of one that is for all accounts, or that names an account already."""


@dataclass
class Mount:
    """The prefix under which a proxy mounts the app, as the last request had it. No work after an answer knows it.

    Before the first request it is empty, or what the extension has said.
    """

    prefix: str = ""

    def note(self) -> None:
        self.prefix = mount_prefix()


def mount_of(app: Flask) -> Mount:
    """The app's mount. From the first call on it notes each request."""
    if MOUNT not in app.extensions:
        app.extensions[MOUNT] = mount = Mount()
        app.before_request(mount.note)
    found: Mount = app.extensions[MOUNT]
    return found


def feed_path(account: str | None) -> str:
    """How people know the account: ``/`` or ``/prints/``, without the prefix of a proxy."""
    return f"/{account}/" if account else "/"


def shown_origin(services: Services) -> str:
    """Our origin, for addresses that the owner reads or copies."""
    return own_origin(services.settings, request.environ) or EXAMPLE_ORIGIN


def address_of(account: str | None, endpoint: str, **values: Any) -> str:
    """``url_for`` for another account than the request's."""
    path = url_for(endpoint, **values).removeprefix(request.root_path)
    return f"{mount_prefix()}{feed_path(account)[:-1]}{path}"


def mount_prefix() -> str:
    """The prefix under which a proxy mounts the app, without the part for the request's own account."""
    return request.root_path.removesuffix(request.environ.get(ACCOUNT_PART, ""))


def studio_path(account: str | None, prefix: str = "") -> str:
    """The path of the account's studio. Outside of a request ``prefix`` is that of a proxy."""
    if has_request_context():
        return address_of(account, "studio.page")
    return f"{prefix}{feed_path(account)}studio"


def studio_link(services: Services, prefix: str = "") -> str:
    """Where the account's studio is, for a message: its address with BASE_URL, else how to find it."""
    path, base_url = studio_path(services.account, prefix), services.settings.base_url
    # Never by the request's host: anybody may send any, and the owner would follow the link.
    return f"{base_url}{path}" if base_url else f"open {path} at your feed's address (set BASE_URL to get a link here)"


def hint_for(account: str | None, hint: str) -> str:
    """The hint with that account's studio and commands in it."""
    hint = hint.replace("(/studio)", f"({studio_path(account)})")
    return COMMAND_OF_ONE_ACCOUNT.sub(f"`flask igfeed --account {account} ", hint) if account else hint
