"""What the tests share: a clock that moves when told, real servers, and an app put together from real parts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.servers.instagram import FakeInstagram
from tests.servers.upstash import FakeUpstash


class MovingClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **units: float) -> None:
        self.now += timedelta(**units)


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def instagram(clock: MovingClock) -> Iterator[FakeInstagram]:
    with FakeInstagram(clock=clock) as server:
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
