"""The ``state`` of a login (OAuth 2): it proves that the owner has begun the login in this browser, minutes ago.

Instagram sends it back with the code. Without it, another site could make the owner's browser connect another account.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_urlsafe

from itsdangerous import BadData, URLSafeSerializer

from igfeed.clock import CLOCKS_DIFFER
from igfeed.models.record import fingerprint
from igfeed.owner.connect.keys import derived_keys
from igfeed.services import Services

STATE_LIFETIME = timedelta(minutes=10)
STATE_PURPOSE = "connect state"

COOKIE = "igfeed_connect"
"""The cookie that a state is bound to. Only the owner's browser gets it, and only below ``/connect``."""

MAX_COOKIE_LENGTH = 64


class StateRefused(Exception):
    """The state is forged, too old, or from another browser. The login must not go on."""


@dataclass(frozen=True)
class BegunLogin:
    """``state`` goes into the address at Instagram, ``cookie`` into the browser."""

    state: str
    cookie: str


@dataclass(frozen=True)
class ReturnedLogin:
    """What a valid state says. ``nonce`` identifies the login, ``account`` is the account that it was begun for."""

    nonce: str
    account: str | None


def begin(services: Services, cookie: str | None, account: str | None) -> BegunLogin:
    """A new state. ``cookie`` is the browser's present one. It is used again, so that two tabs can log in.

    ``account`` is the account to connect: Instagram sends all of them back to the same address.
    """
    if not cookie or len(cookie) > MAX_COOKIE_LENGTH:
        cookie = token_urlsafe(24)
    # We add the time ourselves, because itsdangerous would read another clock.
    content = [token_urlsafe(16), int(services.clock().timestamp()), fingerprint(cookie), account]
    state = _serializer(services).dumps(content)
    assert isinstance(state, str)  # noqa: S101  the serializer is typed for bytes too
    return BegunLogin(state, cookie)


def checked(services: Services, state: str, cookie: str | None) -> ReturnedLogin:
    """Raises StateRefused."""
    try:
        nonce, issued, browser, account = _serializer(services).loads(state)
    except (BadData, ValueError):
        raise StateRefused from None
    age = timedelta(seconds=services.clock().timestamp() - issued)
    if not -CLOCKS_DIFFER < age < STATE_LIFETIME or browser != fingerprint(cookie or ""):
        raise StateRefused
    return ReturnedLogin(nonce, account)


def is_first_use(services: Services, nonce: str) -> bool:
    """True for one of several requests with the same state, False for all others. It never raises."""
    # Twice the lifetime of a state, because the clocks of two servers may differ.
    return services.store.claim(f"claim:connect:{nonce}", 2 * STATE_LIFETIME)


def _serializer(services: Services) -> URLSafeSerializer:
    """Signs with the first secret and accepts any of them, so that the owner can change the secret during a login."""
    keys = derived_keys(services.settings, STATE_PURPOSE)
    if not keys:
        raise StateRefused  # Nobody can have begun a login without a secret.
    # Reversed, because itsdangerous signs with the last key.
    return URLSafeSerializer(keys[::-1], salt=STATE_PURPOSE, signer_kwargs={"digest_method": hashlib.sha256})
