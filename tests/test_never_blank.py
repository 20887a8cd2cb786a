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

from igfeed.feed.local_copy import FEED_KEY
from igfeed.feed.picture_files import WIDTHS
from igfeed.stores.guarded import STORE_RETRY_PAUSE
from igfeed.stores.upstash import UpstashStore
from tests.harness.clock import MovingClock
from tests.harness.deployment import LONG_LIMIT, Deployment, ServedProcess
from tests.harness.visitor import HttpAnswer, posts_on
from tests.matrix import FAILURES, Failure, Hits, Sight, State, asks_instagram, matrix_as_markdown, meet, sight
from tests.servers.faults import Answer
from tests.servers.instagram import EXPIRED, PERMISSION, TEMPORARY, FakeInstagram
from tests.servers.upstash import WRITES_REFUSED, FakeUpstash

FAILURES_PAGE = Path(__file__).parent.parent / "docs/failures.md"

LOADED = (200, "image/webp")
ALL_LOADED = {LOADED, (200, "image/avif")}
"""What all pictures that were mirrored are answered with: some as WebP, some as AVIF."""
PLACEHOLDER = (503, "image/svg+xml; charset=utf-8")

OWNERS_WORDS = ("token", "store", "database", "Upstash", "flask ", "INSTAGRAM_", "IGFEED_", "CRON_SECRET", "<code>")
"""What a page for visitors has no use for, whatever went wrong."""

CELLS = [pytest.param(failure, state, id=f"{failure.name}-{state.value}") for failure in FAILURES for state in State]


@pytest.fixture
def deployment(
    instagram: FakeInstagram, upstash: FakeUpstash, upstash_connection: UpstashStore, clock: MovingClock
) -> Iterator[Deployment]:
    with ExitStack() as stack:
        yield Deployment(instagram, upstash, upstash_connection, clock, stack)


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_the_posts_stay(deployment: Deployment, failure: Failure, state: State) -> None:
    process, expected = meet(failure, state, deployment), sight(failure, state)
    if expected is Sight.NOTICE:
        deployment.stall.end()  # There is nothing to show at once, so this process is the one who waits for Instagram.

    for page in (process.visitor.page(), process.visitor.page()):
        assert_seen(expected, page, process, deployment)
    if failure.stalls and asks_instagram(failure, state):
        assert deployment.stall.begun.wait(10)
        assert deployment.background.is_busy is (
            expected is not Sight.NOTICE
        )  # It waits for Instagram, the visitors did not.
        deployment.stall.end()  # Now the client's patience is over.
        deployment.background.finish()
    assert_pictures(expected, process, deployment)
    assert_told(process, is_known=failure.is_known or state.is_without_store)

    end(failure, deployment)
    assert_healed(process, deployment)


@pytest.mark.parametrize("failure", [each for each in FAILURES if not each.stalls], ids=lambda failure: failure.name)
def test_the_cron_says_what_failed_and_the_next_one_makes_up_for_it(deployment: Deployment, failure: Failure) -> None:
    process = deployment.fill()
    deployment.forward(days=3)
    failure.begin(deployment)
    new = deployment.publish()

    failed = process.owner.cron()

    assert failed.status_code == (200 if failure.hits in (Hits.NOTHING, Hits.SNAPSHOT) else 502), failed.text
    assert all(failed.json()[name] is None for name in ("error", "hint")) == (failed.status_code == 200)
    end(failure, deployment)
    deployment.forward(hours=2)
    assert process.owner.cron().status_code == 200
    assert process.owner.status()["status"] == "ok"
    assert deployment.start().visitor.posts() == [new, *deployment.shown_posts]
    assert process.visitor.load([f"/media/{new}-{width}.webp" for width in WIDTHS]) == {LOADED}


@pytest.mark.parametrize("refusal", [EXPIRED, PERMISSION, TEMPORARY], ids=["code 190", "code 10", "code 2"])
def test_the_environments_only_token_is_asked_with_again_once_its_refusal_is_over(
    deployment: Deployment, refusal: Answer
) -> None:
    process = deployment.start(INSTAGRAM_ACCESS_TOKEN=deployment.instagram.issue())
    deployment.instagram.fail("*", refusal)
    assert [process.visitor.page().status_code for _ in range(2)] == [503, 503]
    deployment.heal()
    deployment.forward(hours=2)

    assert process.visitor.page().status_code == 200
    assert process.owner.status()["status"] == "ok"


def test_the_cron_says_that_a_renewed_token_could_not_be_saved(deployment: Deployment) -> None:
    process = deployment.fill()
    deployment.forward(days=55)
    deployment.upstash.fail("status", status=500)

    answer = process.owner.cron()

    assert (answer.json()["renewal"], answer.json()["token"]["saved"]) == ("renewed", False)
    assert answer.status_code == 502
    assert answer.json()["error"]
    assert answer.json()["hint"]


def test_the_cron_does_not_renew_what_it_could_not_save_while_there_is_time(deployment: Deployment) -> None:
    process = deployment.fill()
    deployment.forward(days=3)
    renewals = deployment.instagram.count("renew")
    deployment.upstash.fail("status", status=500)

    answer = process.owner.cron()

    assert (answer.json()["renewal"], answer.status_code) == ("failed", 502)
    assert answer.json()["token"]["days_left"] > 50
    assert answer.json()["hint"]
    assert deployment.instagram.count("renew") == renewals


def test_the_cron_says_that_the_store_is_away_even_if_there_was_nothing_new_to_keep(deployment: Deployment) -> None:
    process = deployment.fill()
    deployment.upstash.fail("status", status=500)

    answer = process.owner.cron()

    assert (answer.json()["renewal"], answer.json()["pictures"]["failed"]) == ("not_due", 0)
    assert answer.status_code == 502
    assert answer.json()["error"]
    assert answer.json()["hint"]


def test_the_cron_looks_for_itself_whether_the_store_is_back(deployment: Deployment) -> None:
    deployment.fill_by_another()
    process = deployment.start()
    deployment.upstash.stop()
    assert process.visitor.page().status_code == 503
    deployment.heal()
    deployment.forward(days=3)
    deployment.background.mode = "late"  # The run of a week shall not depend on how soon the background gets to it.

    answer = process.owner.cron()

    assert answer.status_code == 200, answer.text
    assert answer.json()["renewal"] == "renewed"


@pytest.mark.parametrize("how", WRITES_REFUSED)
def test_while_the_store_refuses_writes_a_warm_and_a_fresh_process_go_on_by_themselves(
    deployment: Deployment, how: str
) -> None:
    warm = deployment.fill()
    deployment.upstash.refuse_writes(how)
    deployment.forward(days=54)  # The token has four days left.
    new = deployment.publish()
    renewals = deployment.instagram.count("renew")

    for number, process in enumerate((warm, deployment.start()), start=1):
        process.visitor.page()
        assert process.visitor.posts() == [new, *deployment.shown_posts]
        assert process.visitor.load([f"/media/{new}-320.webp", *deployment.shown_pictures]) == ALL_LOADED
        assert process.owner.status()["status"] == "degraded"
        assert process.owner.status()["token"]["state"] == "fresh"
        assert deployment.instagram.count("renew") == renewals + number


@pytest.mark.parametrize("how", ["full", "read-only token"])
def test_the_cron_names_the_store_that_refuses_writes(deployment: Deployment, how: str) -> None:
    deployment.fill_by_another()
    deployment.forward(days=54)
    deployment.publish()
    deployment.upstash.refuse_writes(how)

    answer = deployment.start().owner.cron()

    assert (answer.status_code, answer.json()["renewal"], answer.json()["feed"]) == (502, "renewed", "fetched")
    assert "refuses writes" in answer.json()["error"]
    assert answer.json()["token"]["saved"] is False


def test_the_cron_does_not_renew_what_a_refusing_store_could_not_keep_while_there_is_time(
    deployment: Deployment,
) -> None:
    deployment.fill_by_another()
    deployment.forward(days=3)
    renewals = deployment.instagram.count("renew")
    deployment.upstash.refuse_writes("full")

    answer = deployment.start().owner.cron()

    assert (answer.json()["renewal"], answer.status_code) == ("failed", 502)
    assert deployment.instagram.count("renew") == renewals


def test_a_fresh_process_that_only_reports_knows_that_the_store_refuses_writes(deployment: Deployment) -> None:
    deployment.fill_by_another()
    process = deployment.start()
    deployment.upstash.refuse_writes("read-only token")

    found = process.owner.status()

    assert (found["status"], found["store"]["reachable"]) == ("degraded", True)
    assert "refuses writes" in found["problem"]
    assert "read-only one" in found["hint"]
    deployment.heal()
    assert process.owner.status()["status"] == "ok"


def test_what_a_refusing_store_did_not_take_is_in_it_once_it_takes_writes_again(deployment: Deployment) -> None:
    process = deployment.fill()
    deployment.upstash.refuse_writes("full")
    deployment.forward(days=54)
    new = deployment.publish()
    process.visitor.page()
    process.visitor.load([f"/media/{new}-320.webp"])
    deployment.heal()

    deployment.forward(hours=1)
    process.visitor.page()

    other = deployment.start()
    assert other.visitor.posts()[0] == new
    token = other.owner.status()["token"]
    assert (token["saved"], token["source"], token["state"]) == (True, "store", "fresh")
    assert process.owner.status()["status"] == other.owner.status()["status"] == "ok"
    assert process.owner.cron().status_code == 200


@pytest.mark.parametrize("how", WRITES_REFUSED)
def test_views_do_not_try_again_and_again_what_the_store_refuses(deployment: Deployment, how: str) -> None:
    process = deployment.fill(IGFEED_CHECK_TTL="3600")
    deployment.forward(hours=2)
    new = deployment.publish()
    deployment.upstash.refuse_writes(how)
    process.visitor.page()
    process.visitor.load([f"/media/{new}-320.webp"])
    deployment.upstash.forget()
    pictures = deployment.instagram.count("picture")

    for _ in range(10):
        process.visitor.page()
        assert process.visitor.load([f"/media/{new}-320.webp"]) == {LOADED}

    assert deployment.upstash.commands() == []
    assert deployment.instagram.count("picture") == pictures


# What it may cost


@pytest.mark.parametrize("has_token", [False, True], ids=["no token", "a token of the environment"])
def test_a_fresh_process_asks_a_hanging_store_once(deployment: Deployment, has_token: bool) -> None:
    deployment.fill_by_another()
    deployment.hang_store()
    deployment.upstash.forget()
    process = deployment.start(**({"INSTAGRAM_ACCESS_TOKEN": deployment.instagram.issue()} if has_token else {}))

    pages = [process.visitor.page() for _ in range(3)]
    process.visitor.load(deployment.shown_pictures)

    assert [page.status_code for page in pages] == [200 if has_token else 503] * 3
    assert len(deployment.upstash.log) == 1


@pytest.mark.parametrize("age", [0, 2], ids=["fresh feed", "due feed"])
def test_a_hanging_store_is_asked_once_for_each_pause_and_visitors_have_what_is_in_memory(
    deployment: Deployment, age: int
) -> None:
    process = deployment.fill(IGFEED_CHECK_TTL="0")
    deployment.forward(hours=age)
    deployment.hang_store()
    for _ in range(4):
        deployment.upstash.forget()

        for _ in range(5):
            assert process.visitor.posts() == deployment.shown_posts
            assert process.visitor.load(deployment.shown_pictures) == ALL_LOADED

        assert len(deployment.upstash.log) == 1
        deployment.forward(seconds=STORE_RETRY_PAUSE.total_seconds())


def test_while_one_visitor_finds_out_that_the_store_hangs_the_others_are_answered(deployment: Deployment) -> None:
    process = deployment.fill()
    deployment.forward(minutes=1)
    deployment.limit_store(LONG_LIMIT)
    gate = deployment.upstash.hold()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(process.visitor.page)
        assert gate.wait()

        seen = [process.visitor.page() for _ in range(5)]

        assert not first.done()
        gate.release()
    assert [posts_on(page) for page in (*seen, first.result())] == [deployment.shown_posts] * 6


def test_no_visitor_waits_for_the_second_look_at_a_store_that_hangs(deployment: Deployment) -> None:
    process = deployment.fill()
    deployment.forward(minutes=1)
    deployment.hang_store()
    process.visitor.page()
    deployment.forward(minutes=1)
    deployment.background.mode = "in a thread"
    deployment.limit_store(LONG_LIMIT)
    deployment.upstash.forget()

    assert process.visitor.posts() == deployment.shown_posts
    assert process.visitor.load(deployment.shown_pictures) == ALL_LOADED

    assert deployment.background.is_busy
    assert len(deployment.upstash.log) == 1


def test_the_page_about_failures_shows_this_matrix() -> None:
    assert f"<!-- matrix -->\n{matrix_as_markdown()}<!-- /matrix -->\n" in FAILURES_PAGE.read_text("utf-8")


def end(failure: Failure, deployment: Deployment) -> None:
    """The fault is over, the owner has done what only the owner can do."""
    deployment.heal()
    if failure.hits is Hits.NOTHING:
        deployment.instagram.posts[:] = [post for post in deployment.instagram.posts if post["id"].isdecimal()]
    if failure.hits is Hits.TOKEN:
        deployment.set_token_up()


def assert_seen(expected: Sight, page: HttpAnswer, process: ServedProcess, deployment: Deployment) -> None:
    if expected is Sight.NOTICE:
        assert (page.status_code, page.headers["Cache-Control"]) == (503, "no-store")
        assert int(page.headers["Retry-After"]) > 0
        assert "The posts are on their way" in page.text
        assert_told_to_the_owner_only(process.owner.status(), unescape(page.text))
        return
    assert page.status_code == 200
    assert posts_on(page) == deployment.shown_posts


def assert_told_to_the_owner_only(status: dict[str, Any], page: str) -> None:
    told = [status["problem"], status["hint"], status["feed"]["last_error"]]
    assert all(told)
    assert [text for text in (*told, *OWNERS_WORDS) if text in page] == []


def assert_pictures(expected: Sight, process: ServedProcess, deployment: Deployment) -> None:
    if expected is Sight.NOTICE:
        return
    loaded = {PLACEHOLDER} if expected is Sight.PLACEHOLDERS else ALL_LOADED
    assert process.visitor.load(deployment.shown_pictures) == loaded


def assert_told(process: ServedProcess, *, is_known: bool) -> None:
    status = process.owner.status()
    if not is_known:
        assert (status["status"], status["problem"]) == ("ok", None)
        return
    assert status["status"] in ("degraded", "action_required")
    assert status["problem"]
    assert status["hint"]


def assert_healed(process: ServedProcess, deployment: Deployment) -> None:
    """Everything is as it was, and a new post is there, without a restart."""
    new = deployment.publish()
    deployment.forward(hours=2)
    process.visitor.page()

    assert process.visitor.posts() == [new, *deployment.shown_posts]
    assert process.visitor.load([f"/media/{new}-320.webp", *deployment.shown_pictures]) == ALL_LOADED
    assert_told(process, is_known=False)
    assert json.loads(deployment.upstash.raw("GET", FEED_KEY))["posts"][0]["picture"]["id"] == new
