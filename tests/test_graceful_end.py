"""A server that is stopped during a renewal still saves the renewed token: the old one may have ended."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from igfeed.background import in_place
from igfeed.clock import sleep, system_clock
from igfeed.config import Settings
from igfeed.models import Token
from igfeed.services import Services, build
from tests.harness.gunicorn import PATIENCE, gunicorn
from tests.harness.owner import CRON, OWNER
from tests.harness.stores import close
from tests.servers.instagram import FakeInstagram, image
from tests.servers.upstash import FakeUpstash

DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", "upstash"])
def deployment(
    request: pytest.FixtureRequest, environ: dict[str, str], instagram: FakeInstagram, upstash: FakeUpstash
) -> dict[str, str]:
    """A deployment whose feed is stale at once. Instagram uses the real time and ends the old value with a renewal."""
    instagram.clock = system_clock
    instagram.old_string_survives = False
    instagram.posts[:] = [image()]
    instagram.picture_size = (48, 60)
    remote = {"UPSTASH_REDIS_REST_URL": upstash.url, "UPSTASH_REDIS_REST_TOKEN": upstash.token}
    store = remote if request.param == "upstash" else {}
    return {**environ, "IGFEED_FEED_TTL": "0", **store}


@pytest.fixture
def owner(deployment: dict[str, str], instagram: FakeInstagram) -> Iterator[Services]:
    """The owner at a terminal, who has fetched the feed and set up a token that is due now."""
    services = build(Settings.from_env(deployment), system_clock, in_place, sleep=sleep)
    now, value = system_clock(), instagram.issue(age=59 * DAY, life=60 * DAY)
    services.tokens.adopt(Token(value, now - DAY / 2, now + 30 * DAY), is_verified=True)
    services.feed.fetch()
    services.tokens.adopt(Token(value, now - 59 * DAY, now + DAY), is_verified=True)
    yield services
    close(services.store)


@pytest.mark.parametrize(
    ("path", "is_ending"),
    [("/", "Worker exiting"), (CRON, "Handling signal: term")],
    ids=["in the background", "in the cron's request"],
)
def test_a_renewal_that_is_answered_while_the_server_ends_is_saved(
    deployment: dict[str, str], owner: Services, instagram: FakeInstagram, path: str, is_ending: str
) -> None:
    with ThreadPoolExecutor() as visitors, gunicorn(deployment, "--workers", "1") as server:
        with instagram.hold("renew") as gate:
            asked = visitors.submit(server.get, path, headers=OWNER)
            assert gate.wait(timeout=PATIENCE)
            server.process.send_signal(signal.SIGTERM)
            assert server.wait_to_say(is_ending)
        server.process.wait(PATIENCE)

    token = owner.tokens.report().token
    assert token is not None
    assert asked.result().status_code == 200
    assert token.origin is not None, "it was renewed"
    assert instagram.alive(token.value)
