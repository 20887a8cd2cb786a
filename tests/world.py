"""One deployment as visitors, cron and owner meet it: over HTTP, with a store at Upstash and faults at will.

Its processes are the real app behind a real HTTP server, put together by `igfeed.services.build`; only the clock, the
sleep and what happens after an answer are ours.
"""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from secrets import token_hex
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Literal

import requests
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import ClosingIterator

from igfeed import create_app
from igfeed.background import Work, in_place
from igfeed.config import Settings
from igfeed.feed.pictures import WIDTHS
from igfeed.models import Token
from igfeed.services import Services, build
from igfeed.stores.upstash import TIME_LIMIT, UpstashStore
from tests.servers.faults import Exchange, Fault
from tests.servers.instagram import FakeInstagram, album, child_image, image
from tests.servers.upstash import FakeUpstash
from tests.site import innermost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from tests.conftest import MovingClock

CRON = "/api/cron/refresh-instagram-token"
STATUS = "/api/instagram/refresh-token"
OWNER = {"Authorization": "Bearer the-cron-secret"}
POST_IDS = re.compile(r'data-post-id="(\d+)"')

LIMIT = 60
"""Seconds after which a visitor of a broken app gives up, so that the test ends."""

SHORT_LIMIT = 0.3
"""Seconds that the store is given while it hangs: long enough for the healthy, so that the tests need not wait."""

LONG_LIMIT = 15
"""Seconds that it is given where nobody may wait for it: far more than an answer takes on a busy machine."""

DAY = timedelta(days=1)


class QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, *_: object) -> None:
        pass


@contextmanager
def serving(app: WSGIApplication) -> Iterator[str]:
    """The address at which the app is served."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Finished:
    """Tells when a request is over for the server too, which is when what comes after its answer has happened."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._over: dict[str, Event] = defaultdict(Event)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        over = self._over[environ.get("HTTP_X_VISIT", "")]
        return ClosingIterator(self._app(environ, start_response), over.set)

    def wait(self, visit: str) -> bool:
        return self._over[visit].wait(LIMIT)


class Afterwards:
    """What comes after an answer: in place; in threads, where it may hang; or late, when `finish` is called."""

    def __init__(self) -> None:
        self.mode: Literal["in place", "apart", "late"] = "in place"
        self._threads: list[Thread] = []

    def __call__(self, work: Work) -> None:
        if self.mode == "in place":
            in_place(work)
            return
        thread = Thread(target=in_place, args=(work,))
        self._threads.append(thread)
        if self.mode == "apart":
            thread.start()

    @property
    def is_busy(self) -> bool:
        """Whether something is being done apart."""
        return any(thread.is_alive() for thread in self._threads)

    def finish(self) -> None:
        """Returns when all is done; what comes then is done in place again."""
        self.mode = "in place"
        while self._threads:
            thread = self._threads.pop(0)
            if thread.ident is None:
                thread.start()
            thread.join()


class Stall:
    """A fault that keeps its request waiting until `end`; then it fails, as if the client's patience were over."""

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


class Visitor:
    """One process of ours and somebody in front of it, who waits until what comes after the answer has happened."""

    def __init__(self, services: Services, address: str, finished: Finished) -> None:
        self.services = services
        self._address = address
        self._finished = finished

    def get(self, path: str, **headers: str) -> requests.Response:
        visit = token_hex(8)
        response = requests.get(self._address + path, headers={"X-Visit": visit, **headers}, timeout=LIMIT)
        assert self._finished.wait(visit)
        return response

    def page(self) -> requests.Response:
        return self.get("/")

    def posts(self) -> list[str]:
        return posts_on(self.page())

    def load(self, pictures: list[str]) -> set[tuple[int, str]]:
        """The statuses and types that these pictures are answered with."""
        answers = (self.get(path) for path in pictures)
        return {(answer.status_code, answer.headers["Content-Type"]) for answer in answers}

    def status(self) -> dict[str, Any]:
        response = self.get(STATUS, **OWNER)
        assert response.status_code == 200
        status: dict[str, Any] = response.json()
        return status

    def cron(self) -> requests.Response:
        return self.get(CRON, **OWNER)


def posts_on(page: requests.Response) -> list[str]:
    return POST_IDS.findall(page.text)


class World:
    """Instagram with an account of two posts, Upstash with nothing in it yet, and the processes that are started."""

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
        self.afterwards = Afterwards()
        self.stall = Stall()
        self.shown_posts: list[str] = []
        """The ids that `fill` has shown, newest first."""
        self.shown_pictures: list[str] = []
        """The addresses of all pictures, in every width, that it has mirrored."""
        self._connection = connection
        self._stack = stack
        self._stores: list[UpstashStore] = []
        self._store_limit = TIME_LIMIT
        instagram.picture_size = (48, 60)
        instagram.posts[:] = [image(), album([child_image()])]
        stack.callback(self.heal)

    def start(self, **variables: str) -> Visitor:
        """One more process, and its first visitor, who has not asked for anything yet."""
        settings = Settings.from_env({**self._environ(), **variables})
        services = build(settings, self.clock, self.afterwards, sleep=lambda _: None)
        self._stores.append(self._store_of(services))
        finished = Finished(create_app(services=services))
        return Visitor(services, self._stack.enter_context(serving(finished)), finished)

    def fill(self, **variables: str) -> Visitor:
        """Fill the store as a life of two days does; gives the process that has done it and shown everything."""
        visitor = self.start(**variables)
        visitor.services.tokens.adopt(self._token(), is_verified=True)
        assert visitor.cron().status_code == 200
        self.shown_posts = [post["id"] for post in self.instagram.posts]
        assert visitor.posts() == self.shown_posts
        self.shown_pictures = self._kept_pictures()
        assert len(self.shown_pictures) == 4 * len(WIDTHS), "the account's own, the post's, the album's, its child's"
        return visitor

    def set_token_up(self) -> None:
        """What the owner does with `flask igfeed setup-token`: in a process of its own."""
        self.start().services.tokens.adopt(self._token(), is_verified=True)

    def publish(self) -> str:
        """A new post; gives its id."""
        return str(self.instagram.publish(image())["id"])

    def forward(self, **units: float) -> None:
        """For everybody: for us, for Instagram, and for the claims in the store."""
        self.clock.forward(**units)
        self.upstash.elapse(timedelta(**units).total_seconds())

    def hang_store(self) -> None:
        self.limit_store(SHORT_LIMIT)
        self.upstash.fail("hang")

    def limit_store(self, seconds: float) -> None:
        """How long a command may take; `hang_store` makes it short, so that nothing waits for nothing."""
        self._store_limit = seconds
        for store in self._stores:
            store._time_limit = seconds

    def heal(self) -> None:
        """Both services work as ever."""
        self.stall.end()
        self.instagram.heal()
        self.instagram.start()
        self.upstash.heal()
        self.upstash.start()
        self.limit_store(TIME_LIMIT)
        self.afterwards.finish()

    def _kept_pictures(self) -> list[str]:
        keys = self.upstash.raw("KEYS", "picture:v1:*")
        return sorted(f"/media/{key.removeprefix('picture:v1:')}.webp" for key in keys)

    def _environ(self) -> dict[str, str]:
        return {
            "INSTAGRAM_API_URL": self.instagram.url,
            "INSTAGRAM_MEDIA_ORIGINS": self.instagram.url,
            "UPSTASH_REDIS_REST_URL": self.upstash.url,
            "UPSTASH_REDIS_REST_TOKEN": self.upstash.token,
            "CRON_SECRET": "the-cron-secret",
            "IGFEED_POSTS": "4",
        }

    def _token(self) -> Token:
        value = self.instagram.issue(age=2 * DAY, life=60 * DAY)
        return Token(value, self.clock() - 2 * DAY, self.clock() + 58 * DAY)

    def _store_of(self, services: Services) -> UpstashStore:
        """Its connection is the tests' own: a process leaves one behind when it ends, ours do not end."""
        store = innermost(services.store)
        assert isinstance(store, UpstashStore)
        store._loop, store._redis = self._connection._connected()
        store._process = self._connection._process
        store._time_limit = self._store_limit
        return store
