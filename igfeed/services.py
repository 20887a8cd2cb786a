"""Puts the parts together for one account. The only module that chooses an implementation."""

from dataclasses import dataclass
from pathlib import Path

from flask import Flask, current_app

from igfeed.background import Background, WorkerThread, in_place
from igfeed.clock import CheckedClock, Clock, Sleep
from igfeed.config import Settings
from igfeed.errors import StoreError
from igfeed.feed.pictures import Pictures
from igfeed.feed.service import FeedService
from igfeed.history import History
from igfeed.http.transport import Transport
from igfeed.instagram import Instagram
from igfeed.instagram.client import InstagramClient
from igfeed.instagram.login import InstagramLogin
from igfeed.stores import Store
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.memory import MemoryStore
from igfeed.stores.missing import MissingStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.tokens.encryption import FernetCipher, NoCipher
from igfeed.tokens.manager import TokenManager
from igfeed.version import VERSION

USER_AGENT = f"igfeed/{VERSION}"


@dataclass(frozen=True)
class Services:
    """What the routes and the commands work with. ``startup_error`` says why no page can be shown, None normally."""

    settings: Settings
    clock: Clock
    store: Store
    instagram: Instagram
    tokens: TokenManager
    pictures: Pictures
    feed: FeedService
    history: History
    background: Background
    login: InstagramLogin
    startup_error: StoreError | None = None

    def check_startup(self) -> None:
        """Raises ``startup_error``: no store is set up, so nothing could be kept, and no page can be shown."""
        if self.startup_error:
            raise self.startup_error


def current() -> Services:
    """The services of the app that handles the current request."""
    return services_of(current_app)


def services_of(app: Flask) -> Services:
    services: Services = app.extensions["igfeed"]
    return services


def build(settings: Settings, clock: Clock, background: Background | None = None, *, sleep: Sleep) -> Services:
    """Creates the parts that the settings ask for. Opens no file and no connection.

    Without a ``background`` the settings choose: in place on Vercel, else one worker thread for views and store alike.
    """
    # The store uses the machine's clock: processes that share a file compare the ends of their claims.
    machine_clock, clock = clock, CheckedClock(clock)
    instagram, from_environment = _instagram(settings, clock, sleep)
    chosen = _store(settings, machine_clock)
    background = background or _background(settings)
    store = ReadAhead(GuardedStore(chosen, clock, background))
    history = History(store, clock)
    tokens = _tokens(settings, instagram, store, clock, from_environment, history=history, sleep=sleep)
    pictures = Pictures(store, instagram, clock, settings.check_ttl)
    feed = FeedService(
        instagram,
        tokens,
        pictures,
        store,
        clock,
        posts=settings.posts,
        ttl=settings.feed_ttl,
        check_ttl=settings.check_ttl,
        history=history,
        sleep=sleep,
    )
    startup_error = chosen.error if isinstance(chosen, MissingStore) else None
    return Services(
        settings, clock, store, instagram, tokens, pictures, feed, history, background, _login(settings), startup_error
    )


def _login(settings: Settings) -> InstagramLogin:
    transport = Transport(user_agent=USER_AGENT)
    return InstagramLogin(login_url=settings.login_url, oauth_url=settings.oauth_url, transport=transport)


def _background(settings: Settings) -> Background:
    return in_place if settings.on_vercel else WorkerThread()


def _instagram(settings: Settings, clock: CheckedClock, sleep: Sleep) -> tuple[Instagram, str | None]:
    """The ``Instagram`` to call, and the token for it from the environment."""
    if settings.demo:
        from igfeed.demo.account import DEMO_TOKEN, DemoInstagram  # noqa: PLC0415  only the demo needs it

        return DemoInstagram(clock), DEMO_TOKEN
    client = InstagramClient(
        url=settings.api_url,
        version=settings.api_version,
        media_origins=settings.media_origins,
        transport=Transport(user_agent=USER_AGENT),
        clock=clock,
        sleep=sleep,
    )
    return client, settings.access_token


def _tokens(
    settings: Settings,
    instagram: Instagram,
    store: Store,
    clock: Clock,
    from_environment: str | None,
    *,
    history: History,
    sleep: Sleep,
) -> TokenManager:
    return TokenManager(
        instagram,
        store,
        clock,
        renew_within=settings.renew_within,
        cipher=FernetCipher(settings.encryption_keys) if settings.encryption_keys else NoCipher(),
        history=history,
        from_environment=from_environment,
        sleep=sleep,
    )


def _store(settings: Settings, clock: Clock) -> Store:
    if settings.demo:
        # Its own file, because the demo must never overwrite the owner's token and feed.
        path = settings.store_path.with_stem(f"{settings.store_path.stem}-demo")
        return MemoryStore(clock) if settings.on_vercel else _embedded_store(path, clock)
    if settings.redis:
        # Importing asyncio takes a twelfth of a cold start, so it is imported only for an Upstash database.
        from igfeed.stores.upstash import UpstashStore  # noqa: PLC0415

        return UpstashStore(settings.redis.url, settings.redis.token)
    if settings.on_vercel:
        return MissingStore(settings.redis_elsewhere)
    return _embedded_store(settings.store_path, clock)


def _embedded_store(path: Path, clock: Clock) -> Store:
    from igfeed.stores.sqlite import SqliteStore  # noqa: PLC0415  not needed with an Upstash database

    return SqliteStore(path, clock)
