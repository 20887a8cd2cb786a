"""Exchanges the code of a login for a token. If a step fails, the stored token and the feed stay as they are."""

from dataclasses import dataclass, field
from datetime import timedelta

from igfeed.errors import InstagramUnreachable, LoginRefused, PersonalAccount, RateLimited, TokenRejected
from igfeed.models import Profile, Token
from igfeed.models.app_credentials import AppCredentials
from igfeed.models.record import Count, MediaId, Moment, Name, Record
from igfeed.owner import upkeep
from igfeed.owner.upkeep import SetUp
from igfeed.services import Services

PERSONAL = "personal"


@dataclass(frozen=True)
class NewLogin(Record):
    """A long-lived token that is not in use yet, with the account that it belongs to.

    Instagram has accepted it for the profile and the posts. ``lifetime`` is in seconds, None if Instagram did not send
    it. ``adds`` is the name of our account that the login is to add, None if it is for one that exists.
    """

    at: Moment
    token: Name = field(repr=False)
    username: Name
    ids: frozenset[MediaId] = frozenset()
    lifetime: Count | None = None
    adds: Name | None = None


def new_login(
    services: Services, app: AppCredentials, code: str, redirect: str, *, adds: str | None = None
) -> NewLogin:
    """Exchange the code and try the token. Raises an InstagramError, or StoreError if the store takes no writes."""
    services.check_startup()
    services.store.check_writable()  # Before the exchange, because a code works only once.
    grant = services.login.grant(app, code, redirect)
    try:
        token = services.instagram.exchange(grant.token, app.secret)
        profile = services.instagram.profile(token.value)
        _check(services, token, profile)
    except TokenRejected as error:
        raise LoginRefused(str(error)) from None  # Its hint is about a token from the dashboard.
    ids = profile.ids | ({grant.account_id} if grant.account_id else frozenset())
    lifetime = token.expires_at - token.issued_at if token.expires_at and token.issued_at else None
    seconds = int(lifetime.total_seconds()) if lifetime else None
    return NewLogin(services.clock(), token.value, profile.username, ids, seconds, adds)


def adopt(services: Services, login: NewLogin) -> SetUp:
    """Store the login's token and use it from now on, as `setup-token` does. Raises an IgfeedError if that fails."""
    passed = services.clock() - login.at
    expires_in = timedelta(seconds=login.lifetime) - passed if login.lifetime else None
    return upkeep.set_up(services, login.token, expires_in=expires_in, ids=login.ids)


def _check(services: Services, token: Token, profile: Profile) -> None:
    """Raises an InstagramError if this token cannot read the posts."""
    if (profile.account_type or "").casefold() == PERSONAL:
        raise PersonalAccount(f"@{profile.username} is a personal account.")
    try:
        services.instagram.media(token.value, 1)
    except (InstagramUnreachable, RateLimited):
        return  # A temporary fault says nothing about the token, and the code cannot be used again.
