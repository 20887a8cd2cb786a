"""Who waits for Instagram leaves threads for the others: gunicorn with its shipped settings, on a real clock."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from igfeed.clock import sleep, system_clock
from igfeed.config import Settings
from igfeed.feed.first_fetch import MAX_WAITING_FOR_FEED
from igfeed.feed.pictures import MAX_WAITING_FOR_PICTURES
from igfeed.models import Token
from igfeed.services import build
from tests.harness.gunicorn import GunicornServer, gunicorn
from tests.harness.owner import ROOT
from tests.harness.variables import variables
from tests.servers.instagram import FakeInstagram, image

CROWD = 24

PATIENT = """
exec(open("gunicorn.conf.py").read())

import igfeed.feed.first_fetch, igfeed.instagram.client, igfeed.http.deadlines

igfeed.feed.first_fetch.FIRST_FETCH_WAIT = igfeed.http.deadlines.SILENCE_LIMIT = 600
igfeed.instagram.client.PICTURE_TIME_LIMIT = igfeed.instagram.client.CALL_TIME_LIMIT = 600
"""
"""The shipped settings, but whoever waits does so until the test lets Instagram answer, however slow the machine is."""

Get = Callable[[str], requests.Response]


@pytest.fixture
def instagram() -> Iterator[FakeInstagram]:
    """On the clock of the server, with more posts than may be waited for."""
    with FakeInstagram(posts=[image() for _ in range(12)]) as server:
        server.picture_size = (48, 60)
        yield server


@pytest.fixture
def server(instagram: FakeInstagram, tmp_path: Path) -> Iterator[GunicornServer]:
    """One process with the threads that it is shipped with, and a token in its store."""
    environ = variables(instagram, tmp_path / "store.sqlite3")
    now = datetime.now(UTC)
    token = Token(instagram.issue(), now - timedelta(days=2), now + timedelta(days=58))
    build(Settings.from_env(environ), system_clock, sleep=sleep).tokens.adopt(token, is_verified=True)
    config = tmp_path / "patient.conf.py"
    config.write_text(PATIENT)
    with gunicorn(environ, "--config", str(config), "--workers", "1") as deployed:
        yield deployed


@pytest.fixture
def get(server: GunicornServer) -> Get:
    return server.get


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CROWD) as pool:
        yield pool


def first(count: int, answers: list[Future[requests.Response]]) -> list[requests.Response]:
    """So many of them, those that come first."""
    pending, done = set(answers), list[requests.Response]()
    while len(done) < count:
        finished, pending = wait(pending, return_when=FIRST_COMPLETED)
        done += [each.result() for each in finished]
    return done


def test_pages_and_probes_are_answered_while_as_many_as_may_wait_for_pictures(
    get: Get, instagram: FakeInstagram, crowd: ThreadPoolExecutor
) -> None:
    assert get("/").status_code == 200
    paths = [f"/media/{post['id']}-320.webp" for post in instagram.posts] * 2

    with instagram.hold("picture") as gate:
        asked = [crowd.submit(get, path) for path in paths]
        turned_away = first(CROWD - MAX_WAITING_FOR_PICTURES, asked)
        assert gate.wait()
        meanwhile = [get(path).status_code for path in ("/healthz", "/", "/embed", "/embed.js")]
        waiting = sum(not each.done() for each in asked)

    assert {(each.status_code, each.headers["Cache-Control"]) for each in turned_away} == {(503, "no-store")}
    assert all(int(each.headers["Retry-After"]) > 0 for each in turned_away)
    assert meanwhile == [200] * 4
    assert waiting == MAX_WAITING_FOR_PICTURES


def test_a_probe_is_answered_while_the_first_fetch_hangs_and_a_crowd_wants_the_page(
    get: Get, instagram: FakeInstagram, crowd: ThreadPoolExecutor
) -> None:
    with instagram.hold("media") as gate:
        asked = [crowd.submit(get, "/") for _ in range(CROWD)]
        turned_away = first(CROWD - MAX_WAITING_FOR_FEED, asked)
        assert gate.wait()
        probe = get("/healthz").status_code
        waiting = sum(not each.done() for each in asked)

    assert {(each.status_code, each.headers["Cache-Control"]) for each in turned_away} == {(503, "no-store")}
    assert all(int(each.headers["Retry-After"]) > 0 for each in turned_away)
    assert probe == 200
    assert waiting == MAX_WAITING_FOR_FEED


def test_neither_of_them_can_take_all_threads_of_a_server() -> None:
    shipped: dict[str, Any] = {}
    exec((ROOT / "gunicorn.conf.py").read_text("utf-8"), shipped)

    assert max(MAX_WAITING_FOR_PICTURES, MAX_WAITING_FOR_FEED) <= shipped["threads"] - 2
