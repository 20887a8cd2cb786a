"""After the first good fetch the posts and their pictures stay on the page: every fault in every state of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests

from igfeed.feed.local_copy import FEED_KEY
from igfeed.feed.pictures import WIDTHS
from igfeed.stores.guarded import PAUSE
from igfeed.stores.upstash import UpstashStore
from tests.conftest import MovingClock
from tests.matrix import TROUBLES, Failure, Hits, Sight, State, asks_instagram, matrix_as_markdown, meet, sight
from tests.servers.faults import Answer
from tests.servers.instagram import EXPIRED, PERMISSION, TEMPORARY, FakeInstagram
from tests.servers.upstash import WRITES_REFUSED, FakeUpstash
from tests.world import LONG_LIMIT, STATUS, Visitor, World, posts_on

FAILURES = Path(__file__).parent.parent / "docs/failures.md"

LOADED = (200, "image/webp")
PLACEHOLDER = (503, "image/svg+xml; charset=utf-8")

OWNERS_WORDS = ("token", "store", "database", "Upstash", "flask ", "INSTAGRAM_", "IGFEED_", "CRON_SECRET", "<code>")
"""What a page for visitors has no use for, whatever went wrong."""

CELLS = [pytest.param(failure, state, id=f"{failure.name}-{state.value}") for failure in TROUBLES for state in State]


@pytest.fixture
def world(
    instagram: FakeInstagram, upstash: FakeUpstash, upstash_connection: UpstashStore, clock: MovingClock
) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(instagram, upstash, upstash_connection, clock, stack)


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_the_posts_stay(world: World, failure: Failure, state: State) -> None:
    visitor, expected = meet(failure, state, world), sight(failure, state)
    if expected is Sight.NOTICE:
        world.stall.end()  # There is nothing to show at once, so this visitor is the one who waits for Instagram.

    for page in (visitor.page(), visitor.page()):
        assert_seen(expected, page, visitor, world)
    if failure.stalls and asks_instagram(failure, state):
        assert world.stall.begun.wait(10)
        assert world.afterwards.is_busy is (
            expected is not Sight.NOTICE
        )  # It waits for Instagram, the visitors did not.
        world.stall.end()  # Now the client's patience is over.
        world.afterwards.finish()
    assert_pictures(expected, visitor, world)
    assert_told(visitor, is_known=failure.is_known or state.is_without_store)

    end(failure, world)
    assert_healed(visitor, world)


@pytest.mark.parametrize("failure", [each for each in TROUBLES if not each.stalls], ids=lambda failure: failure.name)
def test_the_cron_says_what_failed_and_the_next_one_makes_up_for_it(world: World, failure: Failure) -> None:
    visitor = world.fill()
    world.forward(days=3)
    failure.begin(world)
    new = world.publish()

    failed = visitor.cron()

    assert failed.status_code == (200 if failure.hits in (Hits.NOTHING, Hits.SNAPSHOT) else 502), failed.text
    assert all(failed.json()[name] is None for name in ("error", "hint")) == (failed.status_code == 200)
    end(failure, world)
    world.forward(hours=2)
    assert visitor.cron().status_code == 200
    assert visitor.status()["status"] == "ok"
    assert posts_on(world.start().page()) == [new, *world.shown_posts]
    assert visitor.load([f"/media/{new}-{width}.webp" for width in WIDTHS]) == {LOADED}


@pytest.mark.parametrize("refusal", [EXPIRED, PERMISSION, TEMPORARY], ids=["code 190", "code 10", "code 2"])
def test_the_environments_only_token_is_asked_with_again_once_its_refusal_is_over(
    world: World, refusal: Answer
) -> None:
    visitor = world.start(INSTAGRAM_ACCESS_TOKEN=world.instagram.issue())
    world.instagram.fail("*", refusal)
    assert [visitor.page().status_code for _ in range(2)] == [503, 503]
    world.heal()
    world.forward(hours=2)

    assert visitor.page().status_code == 200
    assert visitor.status()["status"] == "ok"


def test_the_cron_says_that_a_renewed_token_could_not_be_saved(world: World) -> None:
    visitor = world.fill()
    world.forward(days=55)
    world.upstash.fail("status", status=500)

    answer = visitor.cron()

    assert (answer.json()["renewal"], answer.json()["token"]["saved"]) == ("renewed", False)
    assert answer.status_code == 502
    assert answer.json()["error"]
    assert answer.json()["hint"]


def test_the_cron_does_not_renew_what_it_could_not_save_while_there_is_time(world: World) -> None:
    visitor = world.fill()
    world.forward(days=3)
    renewals = world.instagram.count("renew")
    world.upstash.fail("status", status=500)

    answer = visitor.cron()

    assert (answer.json()["renewal"], answer.status_code) == ("failed", 502)
    assert answer.json()["token"]["days_left"] > 50
    assert answer.json()["hint"]
    assert world.instagram.count("renew") == renewals


def test_the_cron_says_that_the_store_is_away_even_if_there_was_nothing_new_to_keep(world: World) -> None:
    visitor = world.fill()
    world.upstash.fail("status", status=500)

    answer = visitor.cron()

    assert (answer.json()["renewal"], answer.json()["pictures"]["failed"]) == ("not_due", 0)
    assert answer.status_code == 502
    assert answer.json()["error"]
    assert answer.json()["hint"]


def test_the_cron_looks_for_itself_whether_the_store_is_back(world: World) -> None:
    world.fill()
    visitor = world.start()
    world.upstash.stop()
    assert visitor.page().status_code == 503
    world.heal()
    world.forward(days=3)
    world.afterwards.mode = "late"  # The run of a week shall not depend on how soon the background gets to it.

    answer = visitor.cron()

    assert answer.status_code == 200, answer.text
    assert answer.json()["renewal"] == "renewed"


@pytest.mark.parametrize("how", WRITES_REFUSED)
def test_while_the_store_refuses_writes_a_warm_and_a_fresh_process_go_on_by_themselves(world: World, how: str) -> None:
    warm = world.fill()
    world.upstash.refuse_writes(how)
    world.forward(days=54)  # The token has four days left.
    new = world.publish()
    renewals = world.instagram.count("renew")

    for number, visitor in enumerate((warm, world.start()), start=1):
        visitor.page()
        assert posts_on(visitor.page()) == [new, *world.shown_posts]
        assert visitor.load([f"/media/{new}-320.webp", *world.shown_pictures]) == {LOADED}
        assert visitor.status()["status"] == "degraded"
        assert visitor.status()["token"]["state"] == "fresh"
        assert world.instagram.count("renew") == renewals + number


@pytest.mark.parametrize("how", ["full", "read-only token"])
def test_the_cron_names_the_store_that_refuses_writes(world: World, how: str) -> None:
    world.fill()
    world.forward(days=54)
    world.publish()
    world.upstash.refuse_writes(how)

    answer = world.start().cron()

    assert (answer.status_code, answer.json()["renewal"], answer.json()["feed"]) == (502, "renewed", "fetched")
    assert "refuses writes" in answer.json()["error"]
    assert answer.json()["token"]["saved"] is False


def test_the_cron_does_not_renew_what_a_refusing_store_could_not_keep_while_there_is_time(world: World) -> None:
    world.fill()
    world.forward(days=3)
    renewals = world.instagram.count("renew")
    world.upstash.refuse_writes("full")

    answer = world.start().cron()

    assert (answer.json()["renewal"], answer.status_code) == ("failed", 502)
    assert world.instagram.count("renew") == renewals


def test_a_fresh_process_that_only_reports_knows_that_the_store_refuses_writes(world: World) -> None:
    world.fill()
    visitor = world.start()
    world.upstash.refuse_writes("read-only token")

    found = visitor.status()

    assert (found["status"], found["store"]["reachable"]) == ("degraded", True)
    assert "refuses writes" in found["problem"]
    assert "read-only one" in found["hint"]
    world.heal()
    assert visitor.status()["status"] == "ok"


def test_what_a_refusing_store_did_not_take_is_in_it_once_it_takes_writes_again(world: World) -> None:
    visitor = world.fill()
    world.upstash.refuse_writes("full")
    world.forward(days=54)
    new = world.publish()
    visitor.page()
    visitor.load([f"/media/{new}-320.webp"])
    world.heal()

    world.forward(hours=1)
    visitor.page()

    other = world.start()
    assert posts_on(other.page())[0] == new
    token = other.status()["token"]
    assert (token["saved"], token["source"], token["state"]) == (True, "store", "fresh")
    assert visitor.status()["status"] == other.status()["status"] == "ok"
    assert visitor.cron().status_code == 200


@pytest.mark.parametrize("how", WRITES_REFUSED)
def test_views_do_not_try_again_and_again_what_the_store_refuses(world: World, how: str) -> None:
    visitor = world.fill(IGFEED_CHECK_TTL="3600")
    world.forward(hours=2)
    new = world.publish()
    world.upstash.refuse_writes(how)
    visitor.page()
    visitor.load([f"/media/{new}-320.webp"])
    world.upstash.forget()
    pictures = world.instagram.count("picture")

    for _ in range(10):
        visitor.page()
        assert visitor.load([f"/media/{new}-320.webp"]) == {LOADED}

    assert world.upstash.commands() == []
    assert world.instagram.count("picture") == pictures


# What it may cost


@pytest.mark.parametrize("has_token", [False, True], ids=["no token", "a token of the environment"])
def test_a_fresh_process_asks_a_hanging_store_once(world: World, has_token: bool) -> None:
    world.fill()
    world.hang_store()
    world.upstash.forget()
    visitor = world.start(**({"INSTAGRAM_ACCESS_TOKEN": world.instagram.issue()} if has_token else {}))

    pages = [visitor.page() for _ in range(3)]
    visitor.load(world.shown_pictures)

    assert [page.status_code for page in pages] == [200 if has_token else 503] * 3
    assert len(world.upstash.log) == 1


@pytest.mark.parametrize("age", [0, 2], ids=["fresh feed", "due feed"])
def test_a_hanging_store_is_asked_once_for_each_pause_and_visitors_have_what_is_in_memory(
    world: World, age: int
) -> None:
    visitor = world.fill(IGFEED_CHECK_TTL="0")
    world.forward(hours=age)
    world.hang_store()
    for _ in range(4):
        world.upstash.forget()

        for _ in range(5):
            assert posts_on(visitor.page()) == world.shown_posts
            assert visitor.load(world.shown_pictures) == {LOADED}

        assert len(world.upstash.log) == 1
        world.forward(seconds=PAUSE.total_seconds())


def test_while_one_visitor_finds_out_that_the_store_hangs_the_others_are_answered(world: World) -> None:
    visitor = world.fill()
    world.forward(minutes=1)
    world.limit_store(LONG_LIMIT)
    gate = world.upstash.hold()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(visitor.page)
        assert gate.wait()

        seen = [visitor.page() for _ in range(5)]

        assert not first.done()
        gate.release()
    assert [posts_on(page) for page in (*seen, first.result())] == [world.shown_posts] * 6


def test_no_visitor_waits_for_the_second_look_at_a_store_that_hangs(world: World) -> None:
    visitor = world.fill()
    world.forward(minutes=1)
    world.hang_store()
    visitor.page()
    world.forward(minutes=1)
    world.afterwards.mode = "apart"
    world.limit_store(LONG_LIMIT)
    world.upstash.forget()

    assert posts_on(visitor.page()) == world.shown_posts
    assert visitor.load(world.shown_pictures) == {LOADED}

    assert world.afterwards.is_busy
    assert len(world.upstash.log) == 1


def test_the_page_about_failures_shows_this_matrix() -> None:
    assert f"<!-- matrix -->\n{matrix_as_markdown()}<!-- /matrix -->\n" in FAILURES.read_text("utf-8")


def end(failure: Failure, world: World) -> None:
    """The fault is over, the owner has done what only the owner can do."""
    world.heal()
    if failure.hits is Hits.NOTHING:
        world.instagram.posts[:] = [post for post in world.instagram.posts if post["id"].isdecimal()]
    if failure.hits is Hits.TOKEN:
        world.set_token_up()


def assert_seen(expected: Sight, page: requests.Response, visitor: Visitor, world: World) -> None:
    if expected is Sight.NOTICE:
        assert (page.status_code, page.headers["Cache-Control"]) == (503, "no-store")
        assert int(page.headers["Retry-After"]) > 0
        assert "The posts are on their way" in page.text
        assert_told_to_the_owner_only(visitor.status(), unescape(page.text).replace(STATUS, ""))
        return
    assert page.status_code == 200
    assert posts_on(page) == world.shown_posts


def assert_told_to_the_owner_only(status: dict[str, Any], page: str) -> None:
    told = [status["problem"], status["hint"], status["feed"]["last_error"]]
    assert all(told)
    assert [text for text in (*told, *OWNERS_WORDS) if text in page] == []


def assert_pictures(expected: Sight, visitor: Visitor, world: World) -> None:
    if expected is Sight.NOTICE:
        return
    assert visitor.load(world.shown_pictures) == {PLACEHOLDER if expected is Sight.PLACEHOLDERS else LOADED}


def assert_told(visitor: Visitor, *, is_known: bool) -> None:
    status = visitor.status()
    if not is_known:
        assert (status["status"], status["problem"]) == ("ok", None)
        return
    assert status["status"] in ("degraded", "action_required")
    assert status["problem"]
    assert status["hint"]


def assert_healed(visitor: Visitor, world: World) -> None:
    """Everything is as it was, and a new post is there, without a restart."""
    new = world.publish()
    world.forward(hours=2)
    visitor.page()

    assert posts_on(visitor.page()) == [new, *world.shown_posts]
    assert visitor.load([f"/media/{new}-320.webp", *world.shown_pictures]) == {LOADED}
    assert_told(visitor, is_known=False)
    assert json.loads(world.upstash.raw("GET", FEED_KEY))["posts"][0]["picture"]["id"] == new
