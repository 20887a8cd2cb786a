"""Puts the parts together for one account. The only module that chooses an implementation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask, current_app

from igfeed.background import Background, Work, WorkerThread, in_place
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
from igfeed.stores.scoped import ScopedStore
from igfeed.tokens.encryption import FernetCipher, NoCipher
from igfeed.tokens.manager import TokenManager
from igfeed.version import VERSION

USER_AGENT = f"igfeed/{VERSION}"


@dataclass(frozen=True)
class Services:
    """What the routes and the commands work with: the parts of one account.

    ``account`` is the account's name, None for the default one. ``startup_error`` says why no page can be shown, None
    normally.
    """

    settings: Settings
    clock: CheckedClock
    store: Store
    instagram: Instagram
    tokens: TokenManager
    pictures: Pictures
    feed: FeedService
    history: History
    background: Background
    login: InstagramLogin
    sleep: Sleep
    startup_error: StoreError | None = None
    account: str | None = None

    def check_startup(self) -> None:
        """Raises ``startup_error``: no store is set up, so nothing could be kept, and no page can be shown."""
        if self.startup_error:
            raise self.startup_error


_acting: ContextVar[Services | None] = ContextVar("acting", default=None)


@contextmanager
def acting_for(services: Services | None) -> Iterator[None]:
    """Inside the block ``current`` gives these services, in this thread. None: those of the default account."""
    before = _acting.set(services)
    try:
        yield
    finally:
        _acting.reset(before)


def acting_account() -> str | None:
    """The name of the account that this thread works for, None for the default one or if it is not known."""
    acting = _acting.get()
    return acting.account if acting else None


def current() -> Services:
    """The services of the account that the current request or command is about."""
    return _acting.get() or services_of(current_app)


def services_of(app: Flask) -> Services:
    """The services of the default account."""
    services: Services = app.extensions["igfeed"]
    return services


def build(settings: Settings, clock: Clock, background: Background | None = None, *, sleep: Sleep) -> Services:
    """Creates the parts that the settings ask for. Opens no file and no connection.

    Without a ``background`` the settings choose: in place on Vercel, else one worker thread for views and store alike.
    """
    # The store uses the machine's clock: processes that share a file compare the ends of their claims.
    machine_clock, clock = clock, CheckedClock(clock)
    chosen = _store(settings, machine_clock)
    background = background or _background(settings)
    startup_error = chosen.error if isinstance(chosen, MissingStore) else None
    shared = Shared(settings, clock, background, _login(settings), sleep, startup_error)
    return _of_account(shared, None, ReadAhead(GuardedStore(chosen, clock, background)))


def build_account(default: Services, name: str, prefix: str, check_write: Callable[[], None]) -> Services:
    """Creates the parts of another account. Its keys in the store begin with ``prefix``.

    ``check_write`` is called before each text is stored, and raises StoreError if the account is no more.

    It shares the settings, the store and what is known of the store's health with the default account. It does not
    share the token of the environment. Its Instagram is its own, because the client remembers what was refused.
    """
    shared = Shared(
        default.settings, default.clock, default.background, default.login, default.sleep, default.startup_error
    )
    services = _of_account(shared, name, ScopedStore(default.store, prefix, check_write))

    def run_later(work: Work) -> None:
        default.background(acting_for(services)(work))

    return replace(services, background=run_later)


@dataclass(frozen=True)
class Shared:
    """What all accounts have in common, besides the store."""

    settings: Settings
    clock: CheckedClock
    background: Background
    login: InstagramLogin
    sleep: Sleep
    startup_error: StoreError | None


def _of_account(shared: Shared, account: str | None, store: Store) -> Services:
    settings, clock, sleep = shared.settings, shared.clock, shared.sleep
    instagram, from_environment = _instagram(settings, clock, sleep)
    history = History(store, clock, account)
    from_environment = from_environment if account is None else None
    tokens = _tokens(settings, instagram, store, clock, from_environment, history=history, sleep=sleep)
    pictures = Pictures(store, instagram, clock, settings.check_ttl)
    return Services(
        settings=settings,
        clock=clock,
        store=store,
        instagram=instagram,
        tokens=tokens,
        pictures=pictures,
        feed=_feed(shared, store, instagram, tokens=tokens, pictures=pictures, history=history),
        history=history,
        background=shared.background,
        login=shared.login,
        sleep=sleep,
        startup_error=shared.startup_error,
        account=account,
    )


def _feed(
    shared: Shared, store: Store, instagram: Instagram, *, tokens: TokenManager, pictures: Pictures, history: History
) -> FeedService:
    return FeedService(
        instagram,
        tokens,
        pictures,
        store,
        shared.clock,
        posts=shared.settings.posts,
        ttl=shared.settings.feed_ttl,
        check_ttl=shared.settings.check_ttl,
        history=history,
        sleep=shared.sleep,
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
