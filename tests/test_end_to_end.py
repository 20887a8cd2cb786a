"""The whole chain over real HTTP: gunicorn processes, the SDK, a REST server, Valkey, and an Instagram."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from igfeed.clock import system_clock
from tests.harness.gunicorn import gunicorn
from tests.harness.owner import SECRET, run_command
from tests.harness.variables import variables
from tests.harness.visitor import posts_on
from tests.servers.instagram import FakeInstagram, image
from tests.servers.upstash import FakeUpstash


@pytest.fixture
def live_instagram() -> Iterator[FakeInstagram]:
    """On the real clock, which the processes have."""
    with FakeInstagram(clock=system_clock) as server:
        server.picture_size = (96, 120)
        yield server


@pytest.fixture
def deployment(live_instagram: FakeInstagram, upstash: FakeUpstash) -> dict[str, str]:
    """The variables of a deployment with Upstash."""
    return variables(live_instagram, upstash, IGFEED_CHECK_TTL="0")


def test_from_a_pasted_token_to_years_of_posts(
    live_instagram: FakeInstagram, upstash: FakeUpstash, deployment: dict[str, str]
) -> None:
    value = live_instagram.issue(age=timedelta(days=54), life=timedelta(days=60))

    run_command("setup-token", "-", str(6 * 86400), env=deployment, stdin=value)
    before = json.loads(run_command("status", "--json", env=deployment))
    assert (before["status"], before["token"]["state"]) == ("ok", "fresh" if live_instagram.count("renew") else "due")

    with gunicorn(deployment) as server:
        page = server.get("/")
        assert posts_on(page) == [post["id"] for post in live_instagram.posts[:12]]
        picture = server.get(f"/media/{live_instagram.posts[0]['id']}-320.webp")
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/webp")

        first, second = (server.owner.cron() for _ in range(2))
        assert (first.status_code, second.status_code) == (200, 200)
        assert second.json()["pictures"]["stored"] == 0
        after = server.owner.status()

    assert live_instagram.count("renew") == 1
    assert (after["status"], after["token"]["state"], after["store"]["kind"]) == ("ok", "fresh", "upstash")
    assert after["token"]["days_left"] > 59
    assert live_instagram.alive(json.loads(upstash.raw("GET", "token:v1"))["value"])


def test_a_due_token_is_renewed_before_the_media_call(
    live_instagram: FakeInstagram, deployment: dict[str, str]
) -> None:
    value = live_instagram.issue(age=timedelta(days=54), life=timedelta(days=60))
    run_command("setup-token", "--no-verify", "-", str(6 * 86400), env=deployment, stdin=value)

    called = [call.endpoint for call in live_instagram.calls]
    tokens = [call.params["access_token"] for call in live_instagram.calls]

    assert (called[0], sorted(called[1:])) == ("renew", ["media", "profile"])
    assert tokens[0] == value
    assert tokens[1] == tokens[2] != value


def test_forty_visitors_at_once_cost_one_renewal_and_one_fetch(
    live_instagram: FakeInstagram, upstash: FakeUpstash, deployment: dict[str, str]
) -> None:
    value = live_instagram.issue(age=timedelta(days=54), life=timedelta(days=60))
    run_command("setup-token", "--no-verify", "-", str(6 * 86400), env=deployment, stdin=value)
    document = json.loads(upstash.raw("GET", "token:v1"))
    upstash.flush()
    due = {**document, "value": value, "predecessor": None}
    due["issued_at"] = (system_clock() - timedelta(days=54)).isoformat()
    due["expires_at"] = (system_clock() + timedelta(days=6)).isoformat()
    upstash.raw("SET", "token:v1", json.dumps(due))
    live_instagram.forget_calls()
    media = live_instagram.hold("media")

    with gunicorn(deployment, "--workers", "2", "--threads", "20") as server, ThreadPoolExecutor(40) as visitors:
        waiting = [visitors.submit(server.get, "/") for _ in range(40)]
        assert media.wait()
        media.release()
        pages = [visit.result() for visit in waiting]

    shown = [page for page in pages if page.status_code == 200]
    told_to_come_back = [page for page in pages if page.status_code == 503 and page.headers["Retry-After"]]
    assert shown
    assert len(shown) + len(told_to_come_back) == 40
    assert {tuple(posts_on(page)) for page in shown} == {tuple(post["id"] for post in live_instagram.posts[:12])}
    assert (live_instagram.count("renew"), live_instagram.count("media")) == (1, 1)


def test_a_stale_page_does_not_wait_for_a_slow_instagram(
    live_instagram: FakeInstagram, deployment: dict[str, str]
) -> None:
    run_command("setup-token", "-", env=deployment, stdin=live_instagram.issue())
    new = live_instagram.publish(image())
    media = live_instagram.hold("media")

    with gunicorn({**deployment, "IGFEED_FEED_TTL": "0"}, "--workers", "1", "--threads", "2") as server:
        with requests.Session() as browser:  # One connection, as a browser's: its next request must not hang either.
            stale = browser.get(server.url, timeout=30)
            assert media.wait()
            meanwhile = [browser.get(server.url, timeout=30) for _ in range(3)]
        assert all(page.headers["Cache-Status"] == "igfeed; fwd=stale" for page in (stale, *meanwhile))
        assert new["id"] not in stale.text
        media.release()

    assert live_instagram.count("media") == 2


def test_the_demo_needs_nothing_and_asks_nobody(tmp_path: Path) -> None:
    env = {
        "IGFEED_DEMO": "1",
        "CRON_SECRET": SECRET,
        "IGFEED_STORE_PATH": str(tmp_path / "instance" / "store.sqlite3"),
        # Whoever would be asked is not there.
        "INSTAGRAM_API_URL": "http://127.0.0.1:9",
        "UPSTASH_REDIS_REST_URL": "http://127.0.0.1:9",
        "UPSTASH_REDIS_REST_TOKEN": "none",
    }
    with gunicorn(env) as server:
        page = server.get("/?limit=24")
        first = posts_on(page)[0]
        picture = server.get(f"/media/{first}-640.webp")
        status = server.owner.status()

    assert len(posts_on(page)) == 24
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/webp")
    assert (status["status"], status["store"]["kind"]) == ("ok", "sqlite")
