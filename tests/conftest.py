"""What the tests share: a clock that moves when told, real servers, and an app put together from real parts."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings

from igfeed import create_app
from igfeed.background import in_place
from igfeed.config import Settings
from igfeed.models import Token
from igfeed.services import Services, build
from igfeed.stores.memory import MemoryStore
from igfeed.stores.upstash import UpstashStore
from tests.harness.clock import MovingClock
from tests.harness.site import Site
from tests.harness.stores import close
from tests.harness.variables import variables
from tests.harness.visitor import Visitor
from tests.quick import is_left_out, left_out_in_words
from tests.servers.instagram import FakeInstagram
from tests.servers.upstash import FakeUpstash

# httpcore tries to import sniffio four times for each command to the store, and Python looks through every folder again
# for what it has not found. This says at once that it is missing; the httpcore of an installation takes the same way.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

# The same examples at every run, and no verdict on how long one takes: a busy machine is no bug.
settings.register_profile("igfeed", deadline=None, database=None, derandomize=True, max_examples=40)
settings.load_profile("igfeed")


DECIDING = {
    *("test_api", "test_cli", "test_clock", "test_feed", "test_finished_pages", "test_instagram_client"),
    *("test_pictures", "test_stores", "test_tokens"),
}
"""Tests of what decides by the time. Their clock moves by a whole second at each reading, as on a very slow machine."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what tests/quick.py names")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """None, not False: others may have a reason of their own to leave a file out."""
    return True if config.getoption("--quick") and is_left_out(collection_path) else None


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Last of all, below the number of tests. A worker of pytest-xdist prints nothing."""
    if config.getoption("--quick") and not hasattr(config, "workerinput"):
        sys.stdout.write(f"{left_out_in_words()}\n")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Twice as many as there are cores: tests wait for servers and browsers for a third of their time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 2 * cores


def pytest_collection_finish() -> None:
    """What is there by now stays to the end. Python would look through all of it for garbage again and again."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture
def clock_step(request: pytest.FixtureRequest) -> timedelta:
    """How far the clock moves at each reading."""
    is_deciding = request.path.stem in DECIDING and "still_clock" not in request.fixturenames
    return timedelta(seconds=1) if is_deciding else timedelta(microseconds=1)


@pytest.fixture
def clock(clock_step: timedelta) -> MovingClock:
    return MovingClock(clock_step)


@pytest.fixture
def still_clock(clock: MovingClock) -> MovingClock:
    clock.stand_still()
    return clock


to_the_moment = pytest.mark.usefixtures("still_clock")
"""For a test of what holds just before a moment, on it and just after it."""


@pytest.fixture
def instagram(clock: MovingClock) -> Iterator[FakeInstagram]:
    with FakeInstagram(clock=clock) as server:
        server.picture_size = (96, 120)  # What is not about sizes shall not scale large pictures.
        yield server


@pytest.fixture(scope="session")
def upstash_server() -> Iterator[FakeUpstash]:
    with FakeUpstash() as server:
        yield server


@pytest.fixture
def upstash(upstash_server: FakeUpstash) -> FakeUpstash:
    """The one server of this run, empty and in good health."""
    upstash_server.heal()
    upstash_server.flush()
    upstash_server.forget()
    return upstash_server


@pytest.fixture
def environ(instagram: FakeInstagram, tmp_path: Path) -> dict[str, str]:
    """The variables of a deployment with the embedded store."""
    return variables(instagram, tmp_path / "store.sqlite3")


MakeServices = Callable[..., Services]


@pytest.fixture
def make_services(environ: dict[str, str], clock: MovingClock) -> Iterator[MakeServices]:
    """Services of one more process: ``make_services(IGFEED_POSTS="3")`` says what it has set besides."""
    made: list[Services] = []

    def make(**variables: str) -> Services:
        made.append(build(Settings.from_env({**environ, **variables}), clock, in_place, sleep=lambda _: None))
        return made[-1]

    yield make
    for services in made:
        close(services.store)


@pytest.fixture
def services(make_services: MakeServices) -> Services:
    return make_services()


@pytest.fixture
def app(services: Services) -> Flask:
    return create_app(services=services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return Visitor(app)


@pytest.fixture
def token(instagram: FakeInstagram, services: Services, clock: MovingClock) -> Token:
    """A token in the middle of its life, in Instagram's books and in the store."""
    value = instagram.issue(age=timedelta(days=30), life=timedelta(days=60))
    token = Token(value, clock() - timedelta(days=30), clock() + timedelta(days=30))
    services.tokens.adopt(token, is_verified=True)
    return token


@pytest.fixture(scope="session")
def upstash_connection(upstash_server: FakeUpstash) -> Iterator[UpstashStore]:
    store = UpstashStore(upstash_server.url, upstash_server.token)
    yield store
    close(store)


@pytest.fixture
def upstash_store(upstash: FakeUpstash, upstash_connection: UpstashStore) -> UpstashStore:
    """A client of the empty server."""
    return upstash_connection


@pytest.fixture
def memory_store(clock: MovingClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def site(instagram: FakeInstagram, clock: MovingClock) -> Site:
    return Site(instagram, clock)
