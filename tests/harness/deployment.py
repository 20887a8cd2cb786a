"""The whole app in this process: over HTTP, with a store at Upstash, on a clock that tests move, with faults at will.

Its processes are put together by `igfeed.services.build` and answer behind a real HTTP server. Only the clock, the
sleep and what happens after an answer are the tests' own.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, ClassVar, Literal

from werkzeug.wsgi import ClosingIterator

from igfeed import create_app
from igfeed.background import Work, in_place
from igfeed.config import Settings
from igfeed.feed.local_copy import FEED_KEY
from igfeed.feed.picture_files import WIDTHS
from igfeed.models import Token
from igfeed.services import Services, build
from igfeed.stores.upstash import COMMAND_TIME_LIMIT, UpstashStore
from tests.harness.app_server import serving
from tests.harness.owner import Owner
from tests.harness.stores import innermost
from tests.harness.variables import variables
from tests.harness.visitor import PATIENCE, HttpVisitor
from tests.servers.faults import Exchange, Fault
from tests.servers.instagram import FakeInstagram, album, child_image, image
from tests.servers.upstash import FakeUpstash

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from tests.harness.clock import MovingClock
    from tests.servers.instagram import Post
    from tests.servers.instagram import Token as BookedToken

SHORT_LIMIT = 0.3
"""Seconds that a hanging store is given: enough for a healthy one, and little for a test to wait."""

LONG_LIMIT = 15
"""Seconds that the store is given in a test that must not reach the limit: far more than a busy machine needs."""

DAY = timedelta(days=1)


class RequestEnds:
    """Knows when the server is done with a request: its answer is sent, and what comes after that has happened."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._over: dict[str, Event] = defaultdict(Event)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        over = self._over[environ.get("HTTP_X_VISIT", "")]
        return ClosingIterator(self._app(environ, start_response), over.set)

    def wait(self, visit: str) -> bool:
        return self._over[visit].wait(PATIENCE)


class BackgroundWork:
    """When work that comes after an answer is done.

    At once, in the request's own thread ("in place"); in a thread of its own, where it may hang ("in a thread"); or
    not before `finish` is called ("late").
    """

    def __init__(self) -> None:
        self.mode: Literal["in place", "in a thread", "late"] = "in place"
        self._threads: list[Thread] = []

    def __call__(self, work: Work) -> None:
        if self.mode == "in place":
            in_place(work)
            return
        thread = Thread(target=in_place, args=(work,))
        self._threads.append(thread)
        if self.mode == "in a thread":
            thread.start()

    @property
    def is_busy(self) -> bool:
        """Whether something is being done in a thread."""
        return any(thread.is_alive() for thread in self._threads)

    def finish(self) -> None:
        """Returns when all is done. From then on work is done in place again."""
        self.mode = "in place"
        while self._threads:
            thread = self._threads.pop(0)
            if thread.ident is None:
                thread.start()
            thread.join()


class Stall:
    """Keeps requests waiting until `end`, and then lets them fail, as if the client had given up."""

    def __init__(self) -> None:
        self.begun = Event()
        self.ended = Event()

    def playing(self, fault: Fault) -> Fault:
        def play(exchange: Exchange) -> None:
            exchange.released = self.ended
            self.begun.set()
            fault(exchange)

        return play

    def end(self) -> None:
        self.ended.set()


@dataclass(frozen=True)
class ServedProcess:
    """One process of the app, and who asks it."""

    services: Services
    visitor: HttpVisitor
    owner: Owner


@dataclass(frozen=True)
class FilledOnce:
    """What `Deployment.fill` has left behind outside of its process."""

    address: str
    secret: bytes
    posts: list[Post]
    tokens: dict[str, BookedToken]
    at: datetime
    shown_pictures: list[str]


class Deployment:
    """An Instagram account with two posts, an empty store at Upstash, and the processes that are started."""

    _filled: ClassVar[dict[FakeUpstash, FilledOnce]] = {}

    def __init__(
        self,
        instagram: FakeInstagram,
        upstash: FakeUpstash,
        connection: UpstashStore,
        clock: MovingClock,
        stack: ExitStack,
    ) -> None:
        self.instagram = instagram
        self.upstash = upstash
        self.clock = clock
        self.background = BackgroundWork()
        self.stall = Stall()
        self.shown_posts: list[str] = []
        """The ids that `fill` has shown, newest first."""
        self.shown_pictures: list[str] = []
        """The addresses of all pictures, in one width and every format, that it has mirrored."""
        self._connection = connection
        self._stack = stack
        self._stores: list[UpstashStore] = []
        self._store_limit = COMMAND_TIME_LIMIT
        instagram.picture_size = (48, 60)
        instagram.posts[:] = [image(), album([child_image()])]
        stack.callback(self.heal)

    def start(self, **more: str) -> ServedProcess:
        """One more process, which has had no request yet. `more` are additional variables."""
        settings = Settings.from_env({**self._variables(), **more})
        services = build(settings, self.clock, self.background, sleep=lambda _: None)
        self._stores.append(self._store_of(services))
        app = RequestEnds(create_app(services=services))
        port = self._stack.enter_context(serving(app))
        visitor = HttpVisitor(port, app.wait)
        self._stack.callback(visitor.close)
        return ServedProcess(services, visitor, Owner(visitor.get))

    def fill(self, **more: str) -> ServedProcess:
        """Fill the store: a token, posts, pictures. Gives the process that has done it and has shown the posts."""
        process = self.start(**more)
        process.services.tokens.adopt(self._token(), is_verified=True)
        assert process.owner.cron().status_code == 200
        self.shown_posts = [post["id"] for post in self.instagram.posts]
        assert process.visitor.posts() == self.shown_posts
        kept = self._kept_pictures()
        assert len(kept) == (4 + 2) * len(WIDTHS), (
            "the account's, an album's child's; in two formats a post's, an album's"
        )
        self.shown_pictures = [path for path in kept if f"-{WIDTHS[0]}." in path]
        return process

    def fill_by_another(self) -> None:
        """Fill the store by a process that has ended since.

        It is done once: later tests get copies. Pictures and their hundred requests are half of what a test takes.
        """
        filled = self._filled.get(self.upstash)
        if filled is None:
            self.fill()
            self._filled[self.upstash] = self._keep_filled()
            return
        self.upstash.restore_copy()
        snapshot = self.upstash.raw("GET", FEED_KEY).replace(filled.address, self.instagram.url)
        self.upstash.raw("SET", FEED_KEY, snapshot)
        self.instagram._secret = filled.secret
        self.instagram.posts[:] = deepcopy(filled.posts)
        self.instagram._tokens.update(deepcopy(filled.tokens))
        self.clock.now = filled.at
        self.shown_posts = [post["id"] for post in filled.posts]
        self.shown_pictures = [*filled.shown_pictures]

    def warm_up(self) -> ServedProcess:
        """A process on a store that another one has filled. It has fetched, and has shown the posts and pictures."""
        self.fill_by_another()
        process = self.start()
        assert process.owner.cron().status_code == 200
        assert process.visitor.posts() == self.shown_posts
        assert len(process.visitor.load(self.shown_pictures)) > 0
        return process

    def _keep_filled(self) -> FilledOnce:
        instagram = self.instagram
        self.upstash.save_copy()
        return FilledOnce(
            instagram.url,
            instagram._secret,
            deepcopy(instagram.posts),
            deepcopy(instagram._tokens),
            self.clock.now,
            self.shown_pictures,
        )

    def set_token_up(self) -> None:
        """What `flask igfeed setup-token` does, in a process of its own."""
        self.start().services.tokens.adopt(self._token(), is_verified=True)

    def publish(self) -> str:
        """A new post; gives its id."""
        return str(self.instagram.publish(image())["id"])

    def forward(self, **units: float) -> None:
        """Let time pass for everybody: for us, for Instagram, and for the claims in the store."""
        self.clock.forward(**units)
        self.upstash.elapse(timedelta(**units).total_seconds())

    def hang_store(self) -> None:
        self.limit_store(SHORT_LIMIT)
        self.upstash.fail("hang")

    def limit_store(self, seconds: float) -> None:
        """How long a command may take. `hang_store` makes it short, so that a test does not wait for nothing."""
        self._store_limit = seconds
        for store in self._stores:
            store._time_limit = seconds

    def heal(self) -> None:
        """Both services work again, and what waited for them has ended."""
        self.stall.end()
        self.instagram.heal()
        self.instagram.start()
        self.upstash.heal()
        self.upstash.start()
        self.limit_store(COMMAND_TIME_LIMIT)
        self.background.finish()

    def _kept_pictures(self) -> list[str]:
        keys = self.upstash.raw("KEYS", "picture:v1:*")
        names = [key.removeprefix("picture:v1:") for key in keys]
        return sorted(f"/media/{name}{'' if name.endswith('.avif') else '.webp'}" for name in names)

    def _variables(self) -> dict[str, str]:
        return variables(self.instagram, self.upstash, IGFEED_POSTS="4")

    def _token(self) -> Token:
        value = self.instagram.issue(age=2 * DAY, life=60 * DAY)
        return Token(value, self.clock() - 2 * DAY, self.clock() + 58 * DAY)

    def _store_of(self, services: Services) -> UpstashStore:
        """Its store, on the tests' one connection: a real process closes its own by ending, these do not end."""
        store = innermost(services.store)
        assert isinstance(store, UpstashStore)
        store._loop, store._redis = self._connection._connected()
        store._process = self._connection._process
        store._time_limit = self._store_limit
        return store
