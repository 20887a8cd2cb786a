"""The feed to show: fresh if possible, old if necessary, never empty again."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from igfeed.cache_lifetimes import PAGE, PAGE_IS_SHOWN
from igfeed.clock import Deadline
from igfeed.errors import (
    FeedUnavailable,
    InstagramError,
    PermissionRefused,
    PictureUnavailable,
    StoreError,
    TokenError,
    TokenExpired,
    UnexpectedAnswer,
)
from igfeed.feed.fetch_failures import FAILURE_KEY
from igfeed.feed.fetcher import FETCH_CLAIM_KEY
from igfeed.feed.first_fetch import FIRST_FETCH_POLL_WAITS, FIRST_FETCH_WAIT, MAX_WAITING_FOR_FEED
from igfeed.feed.local_copy import FEED_KEY
from igfeed.feed.next_snapshot import EXTRA_POSTS_TTL
from igfeed.feed.rules.owners_choices import CHOICES_KEY
from igfeed.feed.service import FeedService
from igfeed.history import HISTORY_KEY
from igfeed.models import FeedSnapshot
from igfeed.stores import Store
from igfeed.stores.memory import MemoryStore
from igfeed.stores.upstash import UNCHANGED, UpstashStore
from igfeed.tokens.document import TOKEN_KEY
from igfeed.tokens.encryption import FernetCipher
from tests.conftest import to_the_moment
from tests.harness.clock import about
from tests.harness.site import DAY, Process, Site
from tests.servers import instagram as fake
from tests.servers.faults import Exchange, Gate
from tests.servers.upstash import FakeUpstash

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
TTL = timedelta(minutes=15)
LONG = 60.0


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def store(memory_store: MemoryStore, site: Site) -> MemoryStore:
    """A store with a token that is good for long."""
    site.stored(memory_store)
    return memory_store


@pytest.fixture
def remote(upstash: FakeUpstash, upstash_store: UpstashStore, site: Site) -> UpstashStore:
    """The same far away, with nothing in its log yet."""
    site.stored(upstash_store)
    upstash.forget()
    return upstash_store


def document(store: Store) -> FeedSnapshot:
    text = store.get(FEED_KEY)
    assert text is not None
    return FeedSnapshot.from_text(text)


def started(site: Site, store: Store) -> Process:
    """A process that has its first snapshot."""
    process = site.start(store)
    process.feed.first()
    site.instagram.forget_calls()
    return process


def seen(feed: FeedService) -> tuple[FeedSnapshot | None, bool]:
    """What a view shows, and whether it finds the feed due for a refresh."""
    current = feed.current()
    return current.snapshot, current.is_due


def keys_read(upstash: FakeUpstash) -> list[str]:
    """One for each command, whether it asks for a text or for what is new in it; nothing else may have been asked."""
    commands = upstash.commands()
    assert {command[0] for command in commands} <= {"GET", "EVAL_RO"}
    return [command[1] if command[0] == "GET" else command[3] for command in commands]


def let_time_pass(site: Site, upstash: FakeUpstash, time: timedelta) -> None:
    site.clock.now += time
    upstash.elapse(time.total_seconds())


# What is shown


def test_the_first_visitor_gets_the_feed_fetched_at_once(site: Site, store: MemoryStore) -> None:
    snapshot = site.start(store).feed.first()

    assert [post.id for post in snapshot.posts] == [post["id"] for post in site.instagram.posts[:12]]
    assert snapshot.profile.username == fake.USERNAME
    assert snapshot.fetched_at == about(site.clock.now)
    assert document(store) == snapshot


def test_before_the_first_fetch_there_is_nothing_and_it_is_due(site: Site, store: MemoryStore) -> None:
    assert seen(site.start(store).feed) == (None, True)
    assert site.instagram.count("*") == 0


def test_another_process_shows_what_the_first_one_fetched(site: Site, store: MemoryStore) -> None:
    snapshot = site.start(store).feed.first()
    other = site.start(store).feed

    assert other.first() == snapshot
    assert seen(other) == (snapshot, False)
    assert site.instagram.count("media") == 1


@to_the_moment
@pytest.mark.parametrize(("seconds", "readings"), [(29, 0), (30, 1), (31, 1)])
def test_the_store_is_asked_again_only_after_the_check_ttl(
    seconds: int, readings: int, site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    site.start(remote).feed.first()
    feed = site.start(remote).feed
    feed.current()
    upstash.forget()

    site.clock.forward(seconds=seconds)
    for _ in range(3):
        feed.current()

    assert keys_read(upstash) == [FEED_KEY] * readings


def test_a_check_ttl_of_0_asks_the_store_every_time(site: Site, upstash: FakeUpstash, remote: UpstashStore) -> None:
    feed = site.start(remote, check_ttl=timedelta()).feed
    feed.first()
    upstash.forget()

    for _ in range(3):
        feed.current()

    assert keys_read(upstash) == [FEED_KEY] * 3


def test_a_newer_snapshot_of_another_process_is_taken_over(site: Site, store: MemoryStore) -> None:
    waiting = started(site, store).feed
    site.clock.forward(seconds=31)
    newer = site.start(store).feed.fetch()

    assert seen(waiting) == (newer, False)


@to_the_moment
@pytest.mark.parametrize(
    ("age", "is_due"), [(TTL - SECOND, False), (TTL, True), (TTL + SECOND, True)], ids=["fresh", "on", "stale"]
)
def test_a_stale_snapshot_is_given_at_once_and_is_due(
    age: timedelta, is_due: bool, site: Site, store: MemoryStore
) -> None:
    process = started(site, store)
    site.clock.now += age

    snapshot, due = seen(process.feed)

    assert snapshot == document(store)
    assert due is is_due
    assert site.instagram.count("*") == 0


def test_a_refresh_replaces_the_stale_snapshot(site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    site.clock.now += TTL
    post = site.instagram.publish(fake.image())

    process.feed.refresh()

    snapshot, due = seen(process.feed)
    assert snapshot is not None
    assert (snapshot.posts[0].id, due) == (post["id"], False)
    assert document(store) == snapshot


def test_a_fetch_goes_on_while_the_process_is_ending(
    site: Site, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = started(site, store)
    monkeypatch.setattr("concurrent.futures.thread._shutdown", True)  # As Python does: no thread takes new work.

    fetched = process.feed.fetch()

    assert document(store) == fetched
    assert process.feed.mirror(fetched.pictures(), Deadline(LONG)).stored


@to_the_moment
def test_a_fresh_feed_is_not_fetched_by_a_view(site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    site.clock.now += TTL - SECOND

    process.feed.refresh()

    assert site.instagram.count("*") == 0


@to_the_moment
def test_a_feed_ttl_of_0_still_fetches_at_most_once_a_second(site: Site, store: MemoryStore) -> None:
    feed = site.start(store, ttl=timedelta()).feed
    feed.first()

    feed.refresh()
    before = site.instagram.count("media")
    site.clock.forward(seconds=1)
    feed.refresh()

    assert (before, site.instagram.count("media")) == (1, 2)


def test_a_fetch_claims_reads_writes_and_is_remembered_by_one_command_each(
    site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    feed = started(site, remote).feed
    let_time_pass(site, upstash, HOUR)
    feed.current()
    upstash.forget()

    feed.refresh()

    assert site.instagram.count("media") == 1
    claim, reading, writing, remembering = upstash.commands()
    assert claim[:2] == ["SET", FETCH_CLAIM_KEY]
    assert (reading[0], reading[3:]) == ("EVAL_RO", [FEED_KEY, FAILURE_KEY, CHOICES_KEY, TOKEN_KEY, HISTORY_KEY])
    assert (writing[0], writing[3]) == ("EVAL", FEED_KEY)
    assert (remembering[0], remembering[3]) == ("EVAL", HISTORY_KEY)


def test_what_a_process_wrote_or_read_itself_is_not_sent_to_it_again(
    site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    feeds = [started(site, remote).feed, site.start(remote).feed]
    for feed in feeds:
        feed.current()
    site.clock.forward(minutes=1)
    upstash.forget()

    for feed in feeds:
        feed.current()

    assert [upstash.raw(*command) for command in upstash.commands()] == [UNCHANGED, UNCHANGED]


def test_a_token_that_is_due_is_renewed_before_the_feed_is_fetched(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, left=DAY)

    site.start(memory_store).feed.refresh()

    renewal, *readings = site.instagram.calls
    assert (renewal.endpoint, {call.endpoint for call in readings}) == ("renew", {"profile", "media"})
    assert renewal.params["access_token"] not in [call.params["access_token"] for call in readings]


def test_profile_and_media_are_asked_for_at_once(site: Site, store: MemoryStore, threads: ThreadPoolExecutor) -> None:
    feed = site.start(store).feed

    with site.instagram.hold("profile") as profile, site.instagram.hold("media") as media:
        fetching = threads.submit(feed.fetch)
        are_under_way = profile.wait() and media.wait()

    assert are_under_way
    assert fetching.result() == feed.cached


def test_a_success_of_the_cron_clears_the_failure_of_another_process(site: Site, store: MemoryStore) -> None:
    site.instagram.fail("media", fake.TEMPORARY)
    with pytest.raises(InstagramError):
        site.start(store).feed.fetch()
    assert store.get(FAILURE_KEY)
    site.instagram.heal()

    site.start(store).feed.fetch()

    assert store.get(FAILURE_KEY) is None


def test_asking_for_the_newest_snapshot_changes_nothing(site: Site, upstash: FakeUpstash, remote: UpstashStore) -> None:
    process = started(site, remote)
    site.clock.now += HOUR
    upstash.flush()
    upstash.forget()

    assert process.feed.newest() == process.feed.cached
    assert site.start(remote).feed.newest() is None
    assert process.feed.failure() is None

    assert keys_read(upstash) == [FEED_KEY, FEED_KEY, FAILURE_KEY]
    assert site.instagram.count("*") == 0


def test_a_picture_that_another_process_already_shows_is_found(site: Site, store: MemoryStore) -> None:
    feed = started(site, store).feed
    site.clock.forward(seconds=2)
    post = site.instagram.publish(fake.image())
    site.start(store).feed.fetch()

    found = feed.picture(post["id"])

    assert found is not None
    assert found.id == post["id"]


def test_no_page_shows_a_picture_before_every_process_can_find_it(site: Site) -> None:
    class Observed(MemoryStore):
        """Looks at the pages whenever the feed is about to be written."""

        def swap(self, key: str, old: str | None, new: str) -> bool:
            shown.append(feed.cached) if key == FEED_KEY else None
            return super().swap(key, old, new)

    store = Observed(site.clock)
    site.stored(store)
    shown: list[FeedSnapshot | None] = []
    feed = site.start(store).feed
    first = feed.fetch()

    second = feed.fetch()

    assert shown == [None, first]
    assert feed.cached == second


def find(feed: FeedService, picture_id: str) -> str | None:
    """The picture's id, None if there is no such picture, "unknown" if nobody knows."""
    try:
        found = feed.picture(picture_id)
    except PictureUnavailable:
        return "unknown"
    return found.id if found else None


@to_the_moment
def test_whoever_guesses_numbers_costs_the_store_one_command_in_the_check_ttl(
    site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    feed = started(site, remote).feed
    for _ in range(3):
        upstash.forget()

        for number in range(29):
            assert find(feed, str(number)) is None
            site.clock.forward(seconds=1)

        assert keys_read(upstash) == [FEED_KEY]
        site.clock.forward(seconds=1)


@to_the_moment
def test_a_picture_that_another_process_fetched_after_a_guess_is_found_after_the_check_ttl(
    site: Site, store: MemoryStore
) -> None:
    feed = started(site, store).feed
    assert find(feed, "1") is None
    new = site.instagram.publish(fake.image())["id"]
    site.start(store).feed.fetch()

    assert find(feed, new) is None
    site.clock.forward(seconds=30)
    assert find(feed, new) == new


def test_a_process_that_cannot_ask_the_store_denies_no_picture(
    site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    warm, fresh = started(site, remote).feed, site.start(remote).feed
    known = site.instagram.posts[0]["id"]
    upstash.fail("redis_down")

    assert [find(warm, known), find(warm, "1")] == [known, "unknown"]
    assert [find(fresh, known), find(fresh, "1")] == ["unknown", "unknown"]
    upstash.heal()
    site.clock.forward(seconds=5)
    assert find(fresh, known) == known


@pytest.mark.parametrize("text", ["no JSON", "{}", None], ids=["garbage", "empty", "gone"])
def test_a_process_without_a_feed_denies_no_picture(text: str | None, site: Site, store: MemoryStore) -> None:
    started(site, store)
    store.set(FEED_KEY, text) if text else store.delete(FEED_KEY)

    assert find(site.start(store).feed, site.instagram.posts[0]["id"]) == "unknown"


@to_the_moment
def test_views_with_nothing_to_show_cost_one_command_in_the_check_ttl(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    feed = site.start(upstash_store).feed
    with pytest.raises(FeedUnavailable):
        feed.first()
    for _ in range(5):
        site.clock.forward(seconds=30)
        upstash.forget()

        for _ in range(100):
            assert seen(feed) == (None, True)
            with pytest.raises(FeedUnavailable) as unavailable:
                feed.first()

        assert len(upstash.commands()) == 1
        assert unavailable.value.hint == TokenError.hint


@to_the_moment
def test_fresh_processes_that_may_not_fetch_cost_one_command_each(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    with pytest.raises(FeedUnavailable):
        site.start(upstash_store).feed.first()
    upstash.forget()

    for _ in range(3):
        feed = site.start(upstash_store).feed
        feed.current()
        with pytest.raises(FeedUnavailable):
            feed.first()

    assert len(upstash.commands()) == 3


@to_the_moment
def test_waiting_for_the_first_fetch_of_another_process_costs_few_commands(
    site: Site, upstash: FakeUpstash, remote: UpstashStore, threads: ThreadPoolExecutor
) -> None:
    winner, naps = site.start(remote).feed, Counter[float]()
    loser = site.start(remote, sleep=lambda seconds: naps.update([seconds])).feed
    with site.instagram.hold("media") as gate:
        winning = threads.submit(winner.first)
        assert gate.wait()
        upstash.forget()

        for _ in range(20):
            loser.current()
            with pytest.raises(FeedUnavailable):
                loser.first()
        commands = upstash.commands()

    winning.result()
    assert len(commands) <= 1 + 1 + len(FIRST_FETCH_POLL_WAITS)
    assert sum(naps) == FIRST_FETCH_WAIT


def test_views_with_nothing_to_show_wait_for_the_sync_under_way(
    site: Site, upstash: FakeUpstash, remote: UpstashStore, threads: ThreadPoolExecutor
) -> None:
    snapshot = site.start(remote).feed.first()
    site.clock.forward(hours=1)  # Whoever did not wait would fetch before it answers.
    feed = site.start(remote).feed
    upstash.forget()

    with upstash.hold() as gate:
        views = [threads.submit(seen, feed) for _ in range(4)]
        assert gate.wait()

    assert [view.result() for view in views] == [(snapshot, True)] * 4
    assert len(upstash.commands()) == 1


@to_the_moment
def test_what_the_status_finds_the_next_view_shows(site: Site, store: MemoryStore) -> None:
    feed = site.start(store).feed
    site.instagram.fail("media", fake.PERMISSION)
    with pytest.raises(FeedUnavailable):
        feed.first()
    site.instagram.heal()
    site.start(store).feed.fetch()

    assert feed.current().snapshot is None
    assert feed.newest()
    assert feed.current().snapshot == feed.newest()


# Never worse than before


FAILURES: dict[str, fake.Fault] = {
    **fake.ERRORS,
    "html": fake.html_error(502),
    "reset": fake.reset(),
    "truncated": fake.truncate(),
    "invalid_json": fake.invalid_json(),
    "empty_list": fake.reply({"data": []}),
    "no_data": fake.reply({}),
    "data_null": fake.reply({"data": None}),
    "only_garbage": fake.reply({"data": [{"id": None}, 5, None]}),
    "too_long": fake.huge(5 * 1024 * 1024),
}
"""What has been, or might be, seen in place of a list of posts."""


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES.keys())
def test_no_failed_fetch_replaces_the_posts(fault: fake.Fault, site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    old = document(store)
    site.clock.now += TTL
    site.instagram.fail("media", fault)

    process.feed.refresh()

    assert seen(process.feed) == (old, True)
    assert document(store) == old
    failure = process.feed.failure()
    assert failure is not None
    assert (failure.at, failure.failures) == (about(site.clock.now), 1)


@pytest.mark.parametrize("endpoint", ["profile", "media"])
def test_what_went_wrong_is_told_with_its_hint_until_it_goes_well(
    endpoint: str, site: Site, store: MemoryStore
) -> None:
    process = started(site, store)
    site.clock.now += TTL
    site.instagram.fail(endpoint, fake.PERMISSION)

    process.feed.refresh()
    told = site.start(store).feed.failure()
    site.instagram.heal()
    process.feed.fetch()

    assert told is not None
    assert (told.kind, told.hint) == ("PermissionRefused", PermissionRefused.hint)
    assert process.feed.failure() is None
    assert site.start(store).feed.failure() is None


def test_an_account_that_says_it_is_empty_is_shown_empty(site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    site.instagram.posts.clear()

    assert process.feed.fetch().posts == ()
    assert document(store).posts == ()


@pytest.mark.parametrize("media_count", [1, None])
def test_an_empty_reply_counts_only_when_the_profile_counts_no_posts(
    media_count: int | None, site: Site, store: MemoryStore
) -> None:
    process = started(site, store)
    before = store.get(FEED_KEY)
    site.instagram.posts.clear()
    site.instagram.profile["media_count"] = media_count

    with pytest.raises(UnexpectedAnswer, match="no posts"):
        process.feed.fetch()

    assert store.get(FEED_KEY) == before


@pytest.mark.parametrize(
    "bad",
    [{}, {"id": "17", "media_type": None}, {"id": "../x", "media_type": "IMAGE"}, "text", None],
    ids=["empty", "no type", "odd id", "text", "null"],
)
def test_one_bad_post_does_not_lose_the_others(bad: Any, site: Site, store: MemoryStore) -> None:
    good = [fake.image(), fake.reel()]
    site.instagram.fail("media", fake.reply({"data": [good[0], bad, good[1]]}))

    snapshot = site.start(store).feed.first()

    assert [post.id for post in snapshot.posts] == [post["id"] for post in good]


@pytest.mark.parametrize("subcode", [0, 458, 460, 463, None])
def test_a_dead_token_costs_neither_the_feed_nor_its_own_place(
    subcode: int | None, site: Site, memory_store: MemoryStore
) -> None:
    token = site.stored(memory_store)
    process = started(site, memory_store)
    site.instagram.revoke(token.value, subcode)
    site.clock.now += TTL
    before = memory_store.get("token:v1"), memory_store.get(FEED_KEY)

    process.feed.refresh()

    assert process.feed.current().snapshot is not None
    assert (memory_store.get("token:v1"), memory_store.get(FEED_KEY)) == before


def test_an_expired_token_still_shows_the_stored_feed_in_a_new_process(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, age=DAY, left=8 * DAY)
    snapshot = site.start(memory_store).feed.first()
    site.clock.forward(days=9)
    feed = site.start(memory_store).feed

    assert seen(feed) == (snapshot, True)
    with pytest.raises(TokenExpired):
        feed.fetch()
    assert seen(feed) == (snapshot, True)


# Pauses after a failure


def limit(**headers: str) -> fake.Answer:
    return replace(fake.APP_LIMIT, headers={name.replace("_", "-"): value for name, value in headers.items()})


def business_limit(minutes: int) -> fake.Answer:
    usage = {"178": [{"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": minutes}]}
    return replace(fake.BUSINESS_LIMIT, headers={"X-Business-Use-Case-Usage": json.dumps(usage)})


PAUSES: dict[str, tuple[fake.Fault, timedelta]] = {
    "temporary": (fake.TEMPORARY, MINUTE),
    "html": (fake.html_error(503), MINUTE),
    "reset": (fake.reset(), MINUTE),
    "refusal": (fake.UNSUPPORTED_REQUEST, MINUTE),
    "no data": (fake.reply({}), MINUTE),
    "limit": (fake.APP_LIMIT, 15 * MINUTE),
    "limit of a minute": (limit(Retry_After="60"), 15 * MINUTE),
    "limit of twenty minutes": (limit(Retry_After="1200"), 20 * MINUTE),
    "limit regained in half an hour": (business_limit(30), 30 * MINUTE),
    "dead token": (fake.EXPIRED, HOUR),
    "permission": (fake.PERMISSION, HOUR),
}


@to_the_moment
@pytest.mark.parametrize("another_process", [False, True], ids=["this process", "another process"])
@pytest.mark.parametrize(("late", "fetches"), [(-SECOND, 0), (timedelta(), 1)], ids=["before", "on"])
@pytest.mark.parametrize(("fault", "pause"), PAUSES.values(), ids=PAUSES.keys())
def test_after_a_failure_visitors_leave_instagram_alone_for_as_long_as_its_class_says(
    fault: fake.Fault,
    pause: timedelta,
    late: timedelta,
    fetches: int,
    another_process: bool,
    site: Site,
    store: MemoryStore,
) -> None:
    failing = started(site, store)
    site.clock.now += TTL
    site.instagram.fail("media", fault)
    failing.feed.refresh()
    process = site.start(store) if another_process else failing
    site.instagram.forget_calls()

    site.clock.now += pause + late
    process.feed.refresh()

    assert site.instagram.count("profile") == fetches


def test_temporary_failures_pause_a_minute_and_then_twice_as_long_each_time_up_to_an_hour(
    site: Site, store: MemoryStore
) -> None:
    feed = started(site, store).feed
    site.clock.now += TTL
    site.instagram.fail("media", fake.TEMPORARY)
    pauses = []

    for _ in range(8):
        feed.refresh()
        failure = feed.failure()
        assert failure is not None
        pauses.append((failure.until - failure.at) / MINUTE)
        site.clock.now = failure.until

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_after_a_success_the_pauses_begin_at_a_minute_again(site: Site, store: MemoryStore) -> None:
    feed = started(site, store).feed
    site.instagram.fail("media", fake.APP_LIMIT, times=3)
    for _ in range(3):
        with pytest.raises(InstagramError):
            feed.fetch()
    feed.fetch()
    site.instagram.fail("media", fake.TEMPORARY)

    with pytest.raises(InstagramError):
        feed.fetch()

    failure = feed.failure()
    assert failure is not None
    assert failure.until == failure.at + MINUTE


def test_the_owner_and_the_cron_do_not_wait_for_the_pause_to_end(site: Site, store: MemoryStore) -> None:
    feed = started(site, store).feed
    site.instagram.fail("media", fake.APP_LIMIT, times=2)

    for _ in range(2):
        with pytest.raises(InstagramError):
            feed.fetch()
    snapshot = feed.fetch()

    assert site.instagram.count("media") == 3
    assert document(store) == snapshot


@pytest.mark.parametrize("fault", [fake.EXPIRED, fake.PERMISSION, fake.APP_LIMIT], ids=["dead", "refused", "limited"])
def test_another_token_voids_the_pause(fault: fake.Fault, site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    site.clock.now += TTL
    site.instagram.fail("media", fault, times=1)
    process.feed.refresh()

    site.start(store).tokens.adopt(site.token(), is_verified=True)
    site.clock.now += MINUTE
    process.feed.refresh()

    assert process.feed.current().is_due is False


def test_a_missing_token_pauses_until_one_is_set_up(site: Site, memory_store: MemoryStore) -> None:
    process = site.start(memory_store)

    with pytest.raises(FeedUnavailable) as unavailable:
        process.feed.first()
    process.tokens.adopt(site.token(), is_verified=True)
    site.clock.now += MINUTE

    assert unavailable.value.retry_after == about(HOUR)
    assert unavailable.value.hint == TokenError.hint
    assert len(process.feed.first().posts) == 12


@to_the_moment
@pytest.mark.parametrize(
    ("usage", "rest"),
    [
        ({"call_count": 91, "total_cputime": 0, "total_time": 0}, HOUR),
        ({"call_count": 0, "total_cputime": 91, "total_time": 0}, HOUR),
        ({"call_count": 90, "total_cputime": 90, "total_time": 90}, TTL),
    ],
    ids=["calls", "time", "enough left"],
)
@pytest.mark.parametrize("another_process", [False, True], ids=["this process", "another process"])
@pytest.mark.parametrize(("late", "fetches"), [(-SECOND, 0), (timedelta(), 1)], ids=["before", "on"])
def test_a_budget_that_is_nearly_spent_keeps_the_feed_unfetched_until_it_is_regained(
    usage: dict[str, int],
    rest: timedelta,
    late: timedelta,
    fetches: int,
    another_process: bool,
    site: Site,
    store: MemoryStore,
) -> None:
    site.instagram.app_usage = usage
    resting = started(site, store)
    process = site.start(store) if another_process else resting

    site.clock.now += rest + late
    is_due = process.feed.current().is_due
    process.feed.refresh()

    assert is_due is bool(fetches)
    assert site.instagram.count("media") == fetches


# One fetch at a time


class Releasing:
    """Passed in for `sleep`: whoever waits lets the winner go on, and wakes up when that has ended."""

    def __init__(self) -> None:
        self.gate: Gate | None = None
        self.winner: Future[FeedSnapshot] | None = None
        self.naps = 0

    def __call__(self, seconds: float) -> None:
        self.naps += 1
        assert self.gate is not None
        assert self.winner is not None
        self.gate.release()
        self.winner.exception()


def test_of_two_processes_one_fetches_and_the_other_waits_for_its_snapshot(
    site: Site, store: MemoryStore, threads: ThreadPoolExecutor
) -> None:
    nap = Releasing()
    winner, loser = site.start(store).feed, site.start(store, sleep=nap).feed

    with site.instagram.hold("media") as nap.gate:
        nap.winner = threads.submit(winner.first)
        assert nap.gate.wait()
        snapshot = loser.first()

    assert snapshot == nap.winner.result()
    assert nap.naps == 1
    assert site.instagram.count("media") == 1


def test_the_loser_gives_up_at_once_when_the_winner_fails(
    site: Site, store: MemoryStore, threads: ThreadPoolExecutor
) -> None:
    nap = Releasing()
    winner, loser = site.start(store).feed, site.start(store, sleep=nap).feed
    site.instagram.fail("media", fake.PERMISSION)

    with site.instagram.hold("media") as nap.gate:
        nap.winner = threads.submit(winner.first)
        assert nap.gate.wait()
        with pytest.raises(FeedUnavailable) as unavailable:
            loser.first()

    assert unavailable.value.retry_after == about(HOUR)
    assert unavailable.value.hint == PermissionRefused.hint
    assert nap.naps == 1
    assert isinstance(nap.winner.exception(), FeedUnavailable)


def test_a_first_fetch_that_fails_is_told_at_once(site: Site, store: MemoryStore) -> None:
    naps: list[float] = []
    site.instagram.fail("media", fake.TEMPORARY)

    with pytest.raises(FeedUnavailable) as unavailable:
        site.start(store, sleep=naps.append).feed.first()

    assert unavailable.value.retry_after == about(MINUTE)
    assert naps == []


def test_of_many_threads_without_a_feed_one_fetches_one_waits_and_the_others_are_told_at_once(
    site: Site, store: MemoryStore, threads: ThreadPoolExecutor
) -> None:
    feed = site.start(store).feed

    with site.instagram.hold("media") as gate:
        firsts = [threads.submit(feed.first) for _ in range(6)]
        told = list(islice(as_completed(firsts), 6 - MAX_WAITING_FOR_FEED))
        assert gate.wait()
    snapshots = [first.result() for first in firsts if first not in told]

    assert {str(first.exception()) for first in told} == {"The first fetch is under way."}
    assert snapshots == [document(store)] * MAX_WAITING_FOR_FEED
    assert site.instagram.count("media") == 1


def test_being_told_at_once_asks_the_store_nothing(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore, threads: ThreadPoolExecutor
) -> None:
    feed = site.start(upstash_store).feed
    for _ in range(MAX_WAITING_FOR_FEED):
        feed._first._places.acquire()

    with pytest.raises(FeedUnavailable) as unavailable:
        feed.first()

    assert unavailable.value.retry_after == 10 * SECOND
    assert upstash.commands() == []


def test_a_stale_view_does_not_wait_for_the_refresh_that_is_under_way(
    site: Site, store: MemoryStore, threads: ThreadPoolExecutor
) -> None:
    process = started(site, store)
    other = site.start(store).feed
    site.clock.now += TTL

    with site.instagram.hold("media") as gate:
        refreshing = threads.submit(process.feed.refresh)
        assert gate.wait()
        for feed in (process.feed, other):
            feed.refresh()
            assert seen(feed) == (document(store), True)
    refreshing.result()

    assert site.instagram.count("media") == 1
    assert process.feed.current().is_due is False


@to_the_moment
@pytest.mark.parametrize(("seconds", "fetches"), [(59, 0), (60, 1), (61, 1)])
def test_a_fetch_that_crashed_holds_the_next_one_back_for_a_minute(
    seconds: int, fetches: int, site: Site, store: MemoryStore
) -> None:
    process = started(site, store)
    site.clock.now += TTL
    store.claim(FETCH_CLAIM_KEY, MINUTE)
    site.clock.forward(seconds=seconds)

    process.feed.refresh()

    assert site.instagram.count("media") == fetches


def test_a_claim_in_the_remote_store_is_one_command_that_ends_by_itself(
    site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    process = started(site, remote)
    let_time_pass(site, upstash, TTL)
    upstash.forget()

    process.feed.refresh()

    claims = [command for command in upstash.commands() if FETCH_CLAIM_KEY in command]
    assert [[*command[:2], *command[3:]] for command in claims] == [["SET", FETCH_CLAIM_KEY, "NX", "EX", "60"]]


def test_a_process_asks_for_a_claim_once_a_minute_however_many_views_find_the_feed_stale(
    site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    process = started(site, remote)
    let_time_pass(site, upstash, TTL)
    site.instagram.fail("media", fake.TEMPORARY)
    upstash.forget()

    for _ in range(3):
        process.feed.refresh()

    assert sum(FETCH_CLAIM_KEY in command for command in upstash.commands()) == 1


# When the store fails


def test_a_dead_store_is_not_noticed_by_visitors_and_gets_what_it_missed(
    site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    process = started(site, remote)
    old = document(remote)
    upstash.fail("redis_down")
    let_time_pass(site, upstash, TTL)

    shown = seen(process.feed)
    process.feed.refresh()
    new, due = seen(process.feed)
    upstash.heal()
    not_yet = document(remote)
    let_time_pass(site, upstash, timedelta(seconds=30))
    process.feed.current()

    assert shown == (old, True)
    assert (new != old, due) == (True, False)
    assert not_yet == old
    assert document(remote) == new


@to_the_moment
@pytest.mark.parametrize(("late", "fetches"), [(-SECOND, 0), (timedelta(), 1)], ids=["before", "on"])
def test_a_dead_store_pauses_after_a_failure_all_the_same(
    late: timedelta, fetches: int, site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    process = started(site, remote)
    upstash.fail("redis_down")
    site.instagram.fail("media", fake.APP_LIMIT)
    site.clock.now += TTL
    process.feed.refresh()
    site.instagram.forget_calls()

    site.clock.now += 15 * MINUTE + late
    process.feed.refresh()

    assert site.instagram.count("media") == fetches


def test_a_new_process_with_a_dead_store_shows_the_feed_by_the_environments_token(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    upstash.fail("redis_down")
    feed = site.start(upstash_store, environment=site.instagram.issue()).feed

    snapshot = feed.first()

    assert len(snapshot.posts) == 12
    assert seen(feed) == (snapshot, False)
    with pytest.raises(StoreError):
        feed.newest()
    assert feed.cached == snapshot


def test_a_new_process_with_a_dead_store_and_no_token_says_that_the_store_is_the_trouble(
    site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    upstash.fail("redis_down")

    with pytest.raises(FeedUnavailable) as unavailable:
        site.start(remote).feed.first()

    assert unavailable.value.hint == StoreError.hint
    assert unavailable.value.retry_after == about(MINUTE)


def test_a_token_that_no_key_opens_says_so_where_the_feed_should_be(site: Site, memory_store: MemoryStore) -> None:
    cipher = FernetCipher(["MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="])
    site.start(memory_store, cipher=cipher).tokens.adopt(site.token(), is_verified=True)

    with pytest.raises(FeedUnavailable) as unavailable:
        site.start(memory_store).feed.first()

    assert "IGFEED_ENCRYPTION_KEY" in unavailable.value.hint


# How long a page may be reused


@to_the_moment
def test_a_page_may_be_reused_until_the_next_look_into_the_store(site: Site, store: MemoryStore) -> None:
    feed = started(site, store).feed
    lifetime = feed.current().begin_lifetime()

    site.clock.forward(seconds=29)
    before = lifetime.is_over
    site.clock.forward(seconds=1)

    assert (before, lifetime.is_over) == (False, True)


@to_the_moment
def test_a_page_may_not_be_reused_once_its_feed_is_due(site: Site, store: MemoryStore) -> None:
    feed = started(site, store).feed
    site.clock.forward(minutes=14, seconds=50)
    lifetime = feed.current().begin_lifetime()

    site.clock.forward(seconds=9)
    before = lifetime.is_over
    site.clock.forward(seconds=1)

    assert (before, lifetime.is_over) == (False, True)


def test_a_page_may_not_be_reused_once_its_process_knows_a_newer_feed(site: Site, store: MemoryStore) -> None:
    feed = started(site, store).feed
    lifetime = feed.current().begin_lifetime()
    before = lifetime.left

    feed.fetch()

    assert before > timedelta() >= lifetime.left
    assert lifetime.is_over


def test_a_flushed_store_gets_the_snapshot_back_from_a_running_process(
    site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    process = started(site, remote)
    snapshot = document(remote)
    upstash.flush()
    let_time_pass(site, upstash, timedelta(seconds=30))

    shown = seen(process.feed)

    assert shown == (snapshot, False)
    assert document(remote) == snapshot


def absent_snapshots() -> dict[str, str]:
    def changed(**changes: Any) -> str:
        profile = {"username": "studio.nord"}
        data: dict[str, Any] = {
            "profile": profile,
            "posts": [],
            "fetched_at": "2026-05-03T12:00:00+00:00",
            "cooldown_until": None,
        }
        return json.dumps({**data, "removed_picture_ids": [], **changes})

    return {
        "empty": "",
        "null": "null",
        "list": "[]",
        "object": "{}",
        "no json": '{"profile": ',
        "no user name": changed(profile={"username": None}),
        "a lone surrogate": changed(profile={"username": "studio.nord", "name": "\ud800"}),
        "posts of the future": changed(posts=[{"kind": "hologram"}]),
        "no time": changed(fetched_at=None),
    }


@pytest.mark.parametrize("text", absent_snapshots().values(), ids=absent_snapshots().keys())
def test_a_snapshot_that_cannot_be_read_counts_as_absent_and_is_replaced(
    text: str, site: Site, store: MemoryStore
) -> None:
    store.set(FEED_KEY, text)
    feed = site.start(store).feed

    before = feed.newest(), seen(feed)
    snapshot = feed.first()

    assert before == (None, (None, True))
    assert len(snapshot.posts) == 12
    assert document(store) == snapshot


@pytest.mark.parametrize("text", absent_snapshots().values(), ids=absent_snapshots().keys())
def test_a_snapshot_that_cannot_be_read_does_not_displace_the_one_in_memory(
    text: str, site: Site, store: MemoryStore
) -> None:
    feed = started(site, store).feed
    snapshot = document(store)
    store.set(FEED_KEY, text)
    site.clock.forward(seconds=30)

    assert seen(feed) == (snapshot, False)
    assert document(store) == snapshot


def test_a_clock_that_is_a_little_ahead_does_no_harm(site: Site, store: MemoryStore) -> None:
    ahead = site.start(store).feed.first()
    site.clock.wall_jumps(seconds=-30)

    assert seen(site.start(store).feed) == (ahead, False)


@pytest.mark.parametrize("text", ["", "null", "{}", "no json"])
def test_a_failure_that_cannot_be_read_delays_no_fetch(text: str, site: Site, store: MemoryStore) -> None:
    store.set(FAILURE_KEY, text)

    assert len(site.start(store).feed.first().posts) == 12


# What could not be read


def ids(snapshot: FeedSnapshot | None) -> list[str]:
    return [post.id for post in snapshot.posts] if snapshot else []


def cut_short(posts: int) -> fake.Fault:
    """A list that ends after so many posts, though there are more."""

    def play(exchange: Exchange) -> None:
        answer = json.loads(exchange.execute().body)
        exchange.send(fake.reply({"data": answer["data"][:posts]}))

    return play


def unreadable(exchange: Exchange) -> None:
    """All posts but the first lack everything but their ids."""
    first, *others = json.loads(exchange.execute().body)["data"]
    exchange.send(fake.reply({"data": [first, *({"id": post["id"]} for post in others)]}))


def test_posts_that_cannot_be_read_stay_as_they_were_with_their_pictures(site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    before = document(store)
    site.instagram.fail("media", unreadable)
    site.clock.now += TTL

    for _ in range(3):
        site.clock.now += HOUR
        process.feed.fetch()

    after = document(store)
    assert ids(after) == ids(before)
    assert [post.caption for post in after.posts] == [post.caption for post in before.posts]
    assert (after.unreadable_entries, after.retired_pictures, after.removed_picture_ids) == (11, (), ())


def test_a_list_that_ends_too_early_waits_for_a_second_one_by_whichever_process(site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    before = document(store)
    site.instagram.fail("media", cut_short(1))
    site.clock.now += TTL

    process.feed.fetch()
    shown, unconfirmed_removals = ids(document(store)), document(store).unconfirmed_removals
    site.start(store).feed.fetch()
    at_once = ids(document(store))
    site.clock.now += TTL
    site.start(store).feed.fetch()

    assert shown == at_once == ids(before)
    assert [each.id for each in unconfirmed_removals] == ids(before)[1:]
    assert (ids(document(store)), document(store).unconfirmed_removals) == (ids(before)[:1], ())
    assert len(document(store).retired_pictures) > 11, "for pages that still show them"


def test_a_list_that_is_whole_again_leaves_nothing_behind(site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    before = ids(document(store))
    site.instagram.fail("media", cut_short(1), times=1)
    process.feed.fetch()
    site.clock.now += TTL

    process.feed.fetch()

    assert ids(document(store)) == before
    assert document(store).unconfirmed_removals == ()


def test_what_the_owner_deletes_goes_at_once(site: Site, store: MemoryStore) -> None:
    site.instagram.posts = fake.sample_posts(8, site.clock.now)
    process = started(site, store)
    deleted = ids(document(store))[2:5]
    for post_id in deleted:
        site.instagram.remove(post_id)

    snapshot = process.feed.fetch()

    assert len(snapshot.posts) == 5
    assert not set(deleted) & set(ids(document(store)))


def test_a_list_that_breaks_off_keeps_the_older_posts(site: Site, store: MemoryStore) -> None:
    site.instagram.short_pages = True
    process = started(site, store)
    before = ids(document(store))
    new = site.instagram.publish(fake.image())
    site.instagram.fail("media", fake.reset(), after=1)

    snapshot = process.feed.fetch()

    assert ids(snapshot) == [new["id"], *before[:11]]
    assert not snapshot.is_complete


def test_an_account_whose_only_posts_are_trial_reels_is_shown_empty(site: Site, store: MemoryStore) -> None:
    site.instagram.posts = [fake.reel(is_shared_to_feed=False)]

    assert site.start(store).feed.first().posts == ()


# Processes that keep different numbers of posts


def test_each_process_shows_its_own_number_and_none_shrinks_what_another_keeps(site: Site, store: MemoryStore) -> None:
    many, few = site.start(store), site.start(store, posts=3)
    many.feed.first()
    shown, kept = [], []
    for number in range(6):
        site.clock.now += TTL + SECOND
        site.instagram.publish(fake.image(timestamp=fake.timestamp(site.clock.now)))
        (many, few)[number % 2].feed.refresh()
        site.clock.forward(seconds=31)
        shown.append((len(ids(many.feed.current().snapshot)), len(ids(few.feed.current().snapshot))))
        kept.append(ids(document(store)))

    assert shown == [(12, 3)] * 6
    assert [len(each) for each in kept] == [12] * 6
    assert kept[-1] == [post["id"] for post in site.instagram.posts[:12]]


def test_a_process_that_keeps_more_has_its_own_turn_after_one_that_keeps_fewer(site: Site, store: MemoryStore) -> None:
    many, few = site.start(store), site.start(store, posts=3)
    many.feed.first()
    site.clock.now += TTL + SECOND
    few.feed.refresh()
    site.clock.forward(minutes=1)

    assert few.feed.current().is_due is False
    assert many.feed.current().is_due is True
    many.feed.refresh()
    assert many.feed.current().is_due is few.feed.current().is_due is False


def test_a_higher_number_is_fetched_at_once(site: Site, store: MemoryStore) -> None:
    site.start(store, posts=3).feed.first()
    site.clock.forward(minutes=1)
    many = site.start(store).feed

    shown, is_due = seen(many)
    many.refresh()

    assert (len(ids(shown)), is_due) == (3, True)
    assert len(ids(many.current().snapshot)) == 12


@to_the_moment
def test_a_lower_number_holds_for_the_store_too_when_nobody_has_kept_more_for_a_while(
    site: Site, memory_store: MemoryStore
) -> None:
    site.stored(memory_store)
    site.start(memory_store).feed.first()
    few = site.start(memory_store, posts=3).feed
    lengths = []
    for _ in range(2):
        site.clock.now += EXTRA_POSTS_TTL - SECOND
        few.fetch()
        lengths.append(len(ids(document(memory_store))))
        site.clock.forward(seconds=2)

    assert lengths == [12, 3]


def test_a_process_of_the_first_release_may_fetch_by_turns_with_ours(site: Site, store: MemoryStore) -> None:
    ours, other = (site.start(store, check_ttl=timedelta()).feed for _ in range(2))
    ours.first()
    for number in range(6):
        site.clock.forward(minutes=20)
        new = site.instagram.publish(fake.image(timestamp=fake.timestamp(site.clock.now)))["id"]
        if number % 2:
            of_first_release = json.loads(site.start(store).feed.fetch().to_text())
            del of_first_release["revision"]
            store.set(FEED_KEY, json.dumps(of_first_release))
        else:
            (ours, other)[number // 2 % 2].fetch()

        shown = [feed.current().snapshot for feed in (ours, other, site.start(store).feed)]

        assert [ids(each)[0] for each in (*shown, document(store))] == [new] * 4, number


def test_a_document_of_the_first_release_is_fresh_for_whatever_number(site: Site, store: MemoryStore) -> None:
    site.start(store).feed.first()
    new = {*FeedSnapshot.RENAMED.values()} - {"cooldown_until", "removed_picture_ids"}
    text = store.get(FEED_KEY) or ""
    store.set(FEED_KEY, json.dumps({name: part for name, part in json.loads(text).items() if name not in new}))

    for posts in (3, 12, 24):
        assert site.start(store, posts=posts).feed.current().is_due is False


# Pictures that leave


def kept_pictures(store: MemoryStore, *ids: str) -> set[str]:
    return {each for each in ids if store.get(f"picture:v1:{each}-320") is not None}


def test_pictures_of_posts_that_left_stay_as_long_as_a_cache_may_show_a_page_with_them(
    site: Site, store: MemoryStore
) -> None:
    album = site.instagram.publish(fake.album())
    leaving = [album["id"], *(child["id"] for child in album["children"]["data"])]
    process = started(site, store)
    staying = document(store).posts[1].id
    for picture_id in (*leaving, staying):
        store.set(f"picture:v1:{picture_id}-320", "x")
    site.instagram.remove(album["id"])
    process.feed.fetch()
    site.clock.now += PAGE_IS_SHOWN - HOUR
    process.feed.fetch()
    until_then = kept_pictures(store, *leaving, staying)
    site.clock.now += HOUR

    snapshot = process.feed.fetch()

    assert until_then == {*leaving, staying}
    assert kept_pictures(store, *leaving, staying) == {staying}
    assert set(snapshot.removed_picture_ids) == set(leaving)
    assert snapshot.retired_pictures == ()


def test_pages_are_nowhere_longer_than_the_pictures_of_posts_that_left() -> None:
    lifetimes = dict(part.split("=") for part in PAGE.split(", ") if "=" in part)
    ages = [int(lifetimes[name]) for name in ("stale-while-revalidate", "stale-if-error")]

    assert timedelta(seconds=int(lifetimes["s-maxage"]) + max(ages)) + HOUR <= PAGE_IS_SHOWN


def test_the_picture_of_a_post_that_left_is_found_by_every_process(site: Site, store: MemoryStore) -> None:
    process, other = started(site, store), site.start(store)
    left = site.instagram.posts[0]["id"]
    other.feed.current()
    site.instagram.remove(left)
    process.feed.fetch()

    for feed in (process.feed, other.feed, site.start(store).feed):
        assert feed.picture(left)
    site.clock.now += PAGE_IS_SHOWN + HOUR
    process.feed.fetch()
    assert site.start(store).feed.picture(left) is None


def test_an_account_that_posts_a_lot_keeps_no_more_than_so_many_pictures_of_posts_that_left(
    site: Site, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igfeed.feed.next_snapshot.MAX_RETIRED_PICTURES", 3)
    process = started(site, store)
    before = [post["id"] for post in site.instagram.posts[:5]]
    for left in before:
        store.set(f"picture:v1:{left}-320", "x")
        site.instagram.remove(left)
        process.feed.fetch()
        site.clock.forward(hours=1)

    assert len(document(store).retired_pictures) == 3
    assert kept_pictures(store, before[0], before[-1]) == {before[-1]}


def test_pictures_that_could_not_be_deleted_are_deleted_by_the_next_fetch(
    site: Site, upstash: FakeUpstash, remote: UpstashStore
) -> None:
    process = started(site, remote)
    leaving = document(remote).posts[0].id
    key = f"picture:v1:{leaving}-320"
    remote.set(key, "x")
    site.instagram.remove(leaving)
    process.feed.fetch()
    let_time_pass(site, upstash, PAGE_IS_SHOWN)
    site.stored(remote)
    upstash.fail("redis_down", match='["DEL"')

    process.feed.fetch()
    after_failure = remote.get(key)
    upstash.heal()
    let_time_pass(site, upstash, timedelta(minutes=1))
    site.start(remote).feed.fetch()

    assert after_failure == "x"
    assert remote.get(key) is None


def test_a_picture_that_comes_back_is_not_deleted_once_more(site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    post = site.instagram.posts[0]
    site.instagram.remove(post["id"])
    process.feed.fetch()
    site.instagram.publish(post)
    store.set(f"picture:v1:{post['id']}-320", "x")

    process.feed.fetch()

    assert kept_pictures(store, post["id"]) == {post["id"]}


def test_a_snapshot_of_a_clock_that_was_far_ahead_is_shown_and_replaced(site: Site, store: MemoryStore) -> None:
    ahead = started(site, store).feed.fetch()
    document = {**json.loads(ahead.to_text()), "fetched_at": "2027-05-03T12:00:00+00:00"}
    store.set(FEED_KEY, json.dumps(document))
    feed = site.start(store).feed

    shown, is_due = seen(feed)
    feed.fetch()

    assert shown is not None
    assert shown.posts == ahead.posts
    assert is_due
    assert FeedSnapshot.from_text(store.get(FEED_KEY) or "").fetched_at == about(site.clock.now)


def test_a_snapshot_of_a_clock_a_little_ahead_is_superseded_by_the_next(site: Site, store: MemoryStore) -> None:
    ahead = started(site, store).feed.fetch()
    store.set(
        FEED_KEY, json.dumps({**json.loads(ahead.to_text()), "fetched_at": (site.clock() + 3 * MINUTE).isoformat()})
    )
    one, other = site.start(store).feed, site.start(store, check_ttl=timedelta(0)).feed
    other.current()

    fetched = one.fetch()

    assert seen(other) == (fetched, False)
    assert other.newest() == fetched


def test_a_picture_of_a_page_that_another_process_made_this_second_is_found(site: Site, store: MemoryStore) -> None:
    one = started(site, store).feed
    other = site.start(store).feed
    other.current()
    new = site.instagram.publish(fake.image())
    one.fetch()

    assert other.picture(new["id"])


# Measures


def colours(snapshot: FeedSnapshot | None) -> list[str | None]:
    assert snapshot
    return [picture.colour for picture in snapshot.pictures() if picture != snapshot.profile.picture]


def test_colours_of_kept_pictures_reach_the_snapshot_and_stay(site: Site, store: MemoryStore) -> None:
    site.instagram.picture_size = (48, 60)
    process = started(site, store)
    plain = process.feed.fetch()
    process.feed.mirror(plain.pictures(), Deadline(60))
    painted = document(store)
    site.clock.forward(hours=1)
    other = site.start(store)
    again = other.feed.fetch()

    assert set(colours(plain)) == {None}
    assert None not in colours(painted)
    assert {picture.size for post in painted.posts for picture in post.pictures()} == {(48, 60)}
    assert painted == process.feed.cached
    assert (painted.revision, painted.fetched_at) == (plain.revision + 1, plain.fetched_at)
    assert colours(again) == colours(painted), "carried over by a process that has made no picture"


def test_a_picture_made_by_a_view_is_coloured_with_the_next_fetch(site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    first = process.feed.fetch().posts[0].picture
    process.pictures.get(first, 320)
    site.clock.forward(hours=1)

    assert [colour is not None for colour in colours(process.feed.fetch())].count(True) == 1


def test_saving_colours_keeps_a_newer_snapshot_of_another_process(site: Site, store: MemoryStore) -> None:
    process, other = started(site, store), started(site, store)
    plain = process.feed.fetch()
    process.pictures.get(plain.posts[0].picture, 320)
    new = site.instagram.publish(fake.image())
    site.clock.forward(hours=1)
    other.feed.fetch()
    process.feed._fetcher.save_measures()

    assert document(store).posts[0].id == new["id"]
    assert document(store).posts[1].picture.colour


def test_saving_colours_without_new_ones_writes_nothing(site: Site, upstash: FakeUpstash, remote: UpstashStore) -> None:
    process = site.start(remote)
    process.feed.fetch()
    upstash.forget()
    process.feed._fetcher.save_measures()

    assert keys_read(upstash) == [FEED_KEY]


# Age


@to_the_moment
@pytest.mark.parametrize(("age", "is_old"), [(DAY, False), (DAY + SECOND, True)])
def test_a_feed_of_more_than_a_day_is_old(age: timedelta, is_old: bool, site: Site, store: MemoryStore) -> None:
    process = started(site, store)
    snapshot = process.feed.fetch()
    site.clock.now += age

    assert process.feed.old_since(snapshot) == (snapshot.fetched_at if is_old else None)


def test_nobody_says_how_old_a_feed_of_unknown_age_is(site: Site, store: MemoryStore) -> None:
    process = started(site, store)

    assert process.feed.old_since(replace(process.feed.fetch(), fetched_at=site.clock.now + DAY)) is None
