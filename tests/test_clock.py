"""Clocks that are wrong, and clocks that somebody sets: neither may cost anything for good."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from igfeed import create_app
from igfeed.background import in_place
from igfeed.clock import CLOCKS_DIFFER, Beginning, CheckedClock, Clock, Pause, system_clock
from igfeed.config import Settings
from igfeed.errors import InstagramError
from igfeed.feed.fetch_failures import FAILURE_KEY
from igfeed.feed.local_copy import FEED_KEY
from igfeed.models import Failure, FeedSnapshot, Token
from igfeed.services import Services, build
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.memory import MemoryStore
from igfeed.stores.sqlite import SqliteStore
from igfeed.tokens.document import TOKEN_KEY
from igfeed.tokens.renewal import RenewalOutcome
from tests.conftest import to_the_moment
from tests.harness.clock import MovingClock, about
from tests.harness.owner import CRON, OWNER, STATUS
from tests.harness.stores import FrailStore
from tests.harness.visitor import Visitor
from tests.servers.faults import html_error
from tests.servers.instagram import APP_LIMIT, TEMPORARY, FakeInstagram, image

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YEAR = timedelta(days=365)


class OffBy:
    """The clock of a machine that is ahead by so much, or behind."""

    def __init__(self, clock: MovingClock, ahead: timedelta) -> None:
        self._clock = clock
        self.ahead = ahead

    def __call__(self) -> datetime:
        return self._clock() + self.ahead

    def monotonic_ns(self) -> int:
        return self._clock.monotonic_ns()


Start = Callable[..., Services]


@pytest.fixture
def start(environ: dict[str, str], clock: MovingClock) -> Start:
    """One more process, on the real time or on a machine whose clock is off: ``start(ahead=DAY)``."""

    def start(ahead: timedelta = timedelta(), on: Clock | None = None, **variables: str) -> Services:
        settings = Settings.from_env({**environ, "IGFEED_CHECK_TTL": "0", **variables})
        return build(settings, on or OffBy(clock, ahead), in_place, sleep=lambda _: None)

    return start


@pytest.fixture
def dateless(instagram: FakeInstagram) -> FakeInstagram:
    """An Instagram behind something that takes the Date away, so that nobody learns the real time."""
    instagram.tells_the_date = False
    return instagram


def stored_token(services: Services) -> Token:
    return Token.from_text(services.store.get(TOKEN_KEY) or "")


def stored_feed(services: Services) -> FeedSnapshot:
    return FeedSnapshot.from_text(services.store.get(FEED_KEY) or "")


def told(services: Services) -> dict[str, Any]:
    found: dict[str, Any] = create_app(services=services).test_client().get(STATUS, headers=OWNER).json or {}
    return found


# The clocks themselves


def test_the_real_clock_moves_between_two_readings() -> None:
    readings = [system_clock() for _ in range(1000)]
    times = [system_clock.monotonic_ns() for _ in range(1000)]

    assert readings == sorted(readings)
    assert readings[0] < readings[-1]
    assert times == sorted(times)
    assert readings[0].utcoffset() == timedelta()


@to_the_moment
def test_a_pause_ends_on_the_moment(clock: MovingClock) -> None:
    pause = Pause(clock, MINUTE)
    clock.forward(seconds=60, microseconds=-1)
    before = pause.is_over
    clock.forward(microseconds=1)

    assert (before, pause.is_over, pause.left) == (False, True, timedelta())


@pytest.mark.parametrize("days", [-1, 1, -365])
def test_setting_the_wall_clock_neither_ends_nor_prolongs_a_pause(clock: MovingClock, days: int) -> None:
    pause = Pause(clock, HOUR)
    clock.wall_jumps(days=days)
    clock.forward(minutes=30)
    before = pause.is_over
    clock.forward(minutes=31)

    assert (before, pause.is_over) == (False, True)


@to_the_moment
def test_a_clock_that_is_off_by_more_than_five_minutes_gives_way_to_the_time_that_is_told(clock: MovingClock) -> None:
    real = clock.now
    for ahead, is_right in [(CLOCKS_DIFFER, True), (-CLOCKS_DIFFER, True), (DAY, False), (-YEAR, False)]:
        checked = CheckedClock(OffBy(clock, ahead))
        checked.check(real)

        assert checked() == (real + ahead if is_right else real)
        assert checked.ahead == (timedelta() if is_right else ahead)


def test_a_told_time_goes_on_and_does_not_jump_when_the_machines_clock_is_set(clock: MovingClock) -> None:
    checked = CheckedClock(clock)
    clock.wall_jumps(days=1)
    checked.check(clock.now - DAY)
    clock.wall_jumps(days=-1)
    clock.forward(hours=2)

    assert checked() == about(clock.now)
    checked.check(clock.now)
    assert checked.ahead == timedelta()


def test_the_log_names_a_wrong_clock_once_and_again_after_it_was_right(
    clock: MovingClock, caplog: pytest.LogCaptureFixture
) -> None:
    machine = OffBy(clock, -DAY)
    checked = CheckedClock(machine)
    for ahead in (-DAY, -DAY, timedelta(), -DAY):
        machine.ahead = ahead
        checked.check(clock.now)

    assert caplog.text.count("The server's clock is 24 hours behind the real time.") == 2
    assert caplog.text.count("NTP") == 2


def test_a_beginning_is_told_by_the_clock_as_it_has_been_put_right_meanwhile(clock: MovingClock) -> None:
    checked = CheckedClock(OffBy(clock, YEAR))
    began = clock.now
    beginning = Beginning(checked)
    clock.forward(minutes=10)
    checked.check(clock.now)

    assert beginning.moment == about(began)


# A wall clock that goes back


def test_a_clock_that_goes_back_a_day_does_not_keep_the_feed_from_being_fetched(
    start: Start, clock: MovingClock, instagram: FakeInstagram, token: Token
) -> None:
    services = start(on=clock)
    visitor = Visitor(create_app(services=services))
    visitor.get("/")
    clock.wall_jumps(days=-1)
    new = instagram.publish(image())
    clock.forward(minutes=2)
    visitor.get("/")

    assert new["id"] in visitor.get("/").text


def test_a_clock_that_goes_back_a_day_does_not_keep_a_store_from_being_asked_that_failed_once(
    clock: MovingClock,
) -> None:
    store = FrailStore(clock)
    guarded = GuardedStore(store, clock, in_place)
    guarded.set("k", "v")
    store.away = True
    with pytest.raises(Exception, match="away"):
        guarded.get("k")
    store.away = False
    clock.wall_jumps(days=-1)
    clock.forward(seconds=6)

    assert guarded.claim("any", MINUTE)
    assert guarded.get("k") == "v"


@pytest.mark.parametrize("days", [-1, -365])
def test_a_claim_that_was_taken_before_the_clock_went_back_ends(tmp_path: Path, clock: MovingClock, days: int) -> None:
    for store in (MemoryStore(clock), SqliteStore(tmp_path / "store.sqlite3", clock)):
        assert store.claim("k", MINUTE)
        clock.wall_jumps(days=days)
        clock.forward(minutes=2)

        assert store.claim("k", MINUTE)
        assert not store.claim("k", MINUTE)


def test_a_claim_of_a_process_that_read_the_clock_a_little_later_holds(tmp_path: Path, clock: MovingClock) -> None:
    path = tmp_path / "store.sqlite3"

    assert SqliteStore(path, OffBy(clock, 2 * SECOND)).claim("k", MINUTE)
    assert not SqliteStore(path, clock).claim("k", MINUTE)


def test_optional_fields_are_asked_for_again_after_a_day_though_the_clock_goes_back(
    start: Start, clock: MovingClock, instagram: FakeInstagram, token: Token
) -> None:
    instagram.unknown_fields = {"alt_text"}
    services = start(on=clock)
    services.feed.fetch()
    instagram.unknown_fields = set()
    clock.wall_jumps(days=-30)
    clock.forward(hours=25)
    services.feed.fetch()

    assert "alt_text" in [call for call in instagram.calls if call.endpoint == "media"][-1].params["fields"]


def test_a_pause_after_a_failure_ends_though_the_clock_goes_back(
    start: Start, clock: MovingClock, instagram: FakeInstagram, token: Token
) -> None:
    services = start(on=clock)
    services.feed.fetch()
    instagram.fail("media", TEMPORARY)
    clock.forward(minutes=20)
    services.feed.refresh()
    instagram.heal()
    clock.wall_jumps(days=-1)
    clock.forward(minutes=2)
    services.feed.refresh()

    assert services.feed.failure() is None
    assert stored_feed(services).fetched_at == about(clock.now)


# Processes whose clocks are ahead, and what they leave behind


@pytest.mark.parametrize("ahead", [DAY, YEAR])
def test_a_renewal_by_a_clock_that_is_ahead_is_dated_by_instagrams_time(
    start: Start, clock: MovingClock, token: Token, ahead: timedelta
) -> None:
    assert start(ahead=ahead).tokens.renew() == RenewalOutcome.RENEWED

    kept = stored_token(start())
    assert kept.issued_at == about(clock.now)
    assert kept.expires_at == about(clock.now + timedelta(seconds=5183944))


@pytest.mark.parametrize("ahead", [2 * DAY, YEAR])
def test_a_token_that_was_renewed_by_a_clock_that_was_ahead_is_renewed_by_the_next_cron(
    start: Start, clock: MovingClock, dateless: FakeInstagram, token: Token, ahead: timedelta
) -> None:
    start(ahead=ahead).tokens.renew()
    misdated = stored_token(start())
    assert misdated.issued_at == about(clock.now + ahead)
    clock.forward(hours=25)
    status = told(start())["token"]
    dateless.tells_the_date = True

    assert [status[name] for name in ("state", "issued_at", "expires_at", "days_left")] == ["due", None, None, None]
    assert start().tokens.renew() == RenewalOutcome.RENEWED
    assert stored_token(start()).issued_at == about(clock.now)
    assert told(start())["token"]["state"] == "fresh"


def test_a_token_that_was_set_up_untried_by_a_clock_that_was_ahead_is_due(
    start: Start, clock: MovingClock, instagram: FakeInstagram
) -> None:
    value = instagram.issue(age=30 * DAY, life=60 * DAY)
    ahead = create_app(services=start(ahead=YEAR)).test_cli_runner()
    assert ahead.invoke(args=["igfeed", "setup-token", "--no-verify", value]).exit_code == 0
    services = start()
    services.tokens.usable()

    assert stored_token(services).value != value
    assert stored_token(services).expires_at == about(clock.now + timedelta(seconds=5183944))


def test_a_misdated_token_neither_loses_to_what_it_came_of_nor_wins_over_what_comes_of_it(
    start: Start, clock: MovingClock, dateless: FakeInstagram, token: Token
) -> None:
    idle = start()
    idle.tokens.usable()
    start(ahead=YEAR).tokens.renew()
    misdated = stored_token(idle)

    assert idle.tokens.usable() != token
    assert stored_token(idle).lineage == misdated.lineage
    clock.forward(days=2)
    other = start()
    other.tokens.report()
    idle.tokens.renew()
    other.tokens.usable()

    assert stored_token(start()).issued_at == about(clock.now)


@pytest.mark.parametrize("ahead", [DAY, YEAR])
def test_a_feed_that_was_fetched_by_a_clock_that_was_ahead_is_old_and_the_next_one_is_dated_rightly(
    start: Start, clock: MovingClock, dateless: FakeInstagram, token: Token, ahead: timedelta
) -> None:
    start(ahead=ahead).feed.fetch()
    assert stored_feed(start()).fetched_at == about(clock.now + ahead)
    services, new = start(), dateless.publish(image())
    feed = told(services)["feed"]

    services.feed.refresh()

    assert (feed["fetched_at"], feed["age"], feed["fresh"]) == (None, None, False)
    assert new["id"] in stored_feed(services).picture_ids
    assert stored_feed(services).fetched_at == about(clock.now)
    assert told(services)["feed"]["fresh"]


@pytest.mark.parametrize("ahead", [DAY, YEAR, -DAY, -YEAR])
def test_with_instagrams_date_nothing_is_misdated_by_a_wrong_clock(
    start: Start, clock: MovingClock, instagram: FakeInstagram, token: Token, ahead: timedelta
) -> None:
    instagram.picture_size, began = (48, 60), clock.now
    Visitor(create_app(services=start(ahead=ahead))).get(CRON, headers=OWNER)

    found = told(start())
    assert stored_feed(start()).fetched_at == about(began)
    assert stored_token(start()).issued_at == about(began)
    assert (found["feed"]["fresh"], found["token"]["state"]) == (True, "fresh")


def test_processes_with_different_clocks_take_each_others_newer_feed_and_fetch_no_more_often(
    start: Start, clock: MovingClock, instagram: FakeInstagram, token: Token
) -> None:
    visitors = [Visitor(create_app(services=start(ahead=ahead))) for ahead in (timedelta(), DAY, -DAY)]
    for _ in range(20):
        clock.forward(minutes=5)
        for visitor in visitors:
            visitor.get("/")
    new = instagram.publish(image())
    clock.forward(minutes=20)
    for visitor in visitors:
        visitor.get("/")

    assert instagram.count("media") <= 2 * 8, "a quarter of an hour each, in two hours, and one to learn the time"
    assert all(new["id"] in visitor.get("/").text for visitor in visitors)


def test_a_feed_of_version_1_0_from_the_future_is_replaced_for_good(
    start: Start, clock: MovingClock, instagram: FakeInstagram, token: Token
) -> None:
    services = start()
    document = json.loads(services.feed.fetch().to_text())
    del document["revision"], document["clock_ahead"]
    services.store.set(FEED_KEY, json.dumps({**document, "fetched_at": (clock.now + YEAR).isoformat()}))
    one, other = start(), start()
    other.feed.current()
    new = instagram.publish(image())
    one.feed.fetch()
    other.feed.current()

    assert stored_feed(one).fetched_at == about(clock.now)
    assert other.feed.current().snapshot == stored_feed(one)
    assert other.feed.picture(new["id"])


@pytest.mark.parametrize("ahead", [DAY, YEAR])
def test_a_failure_that_a_clock_that_was_ahead_wrote_down_pauses_nobody(
    start: Start, clock: MovingClock, dateless: FakeInstagram, token: Token, ahead: timedelta
) -> None:
    dateless.fail("media", APP_LIMIT)
    with pytest.raises(InstagramError):
        start(ahead=ahead).feed.fetch()
    dateless.heal()
    clock.forward(minutes=2)

    assert Failure.from_text(start().store.get(FAILURE_KEY) or "").until > clock.now + HOUR
    assert len(start().feed.first().posts) == 24


def test_what_went_wrong_while_the_feed_was_from_the_future_is_told(
    start: Start, dateless: FakeInstagram, token: Token
) -> None:
    start(ahead=YEAR).feed.fetch()
    dateless.fail("media", TEMPORARY)
    services = start()
    with pytest.raises(InstagramError):
        services.feed.fetch()

    assert told(services)["feed"]["last_error"]


@pytest.mark.parametrize("ahead", [DAY, YEAR])
def test_a_failed_renewal_that_a_clock_that_was_ahead_wrote_down_pauses_nobody(
    start: Start, clock: MovingClock, dateless: FakeInstagram, services: Services, ahead: timedelta
) -> None:
    value = dateless.issue(age=57 * DAY, life=60 * DAY)
    services.tokens.adopt(Token(value, clock() - 57 * DAY, clock() + 3 * DAY), is_verified=True)
    dateless.fail("renew", TEMPORARY)
    with pytest.raises(InstagramError):
        start(ahead=ahead).tokens.renew()
    dateless.heal()
    clock.forward(minutes=2)

    assert start().tokens.usable().value != value


# What the owner is told


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (YEAR, "365 days ahead of"),
        (DAY, "24 hours ahead of"),
        (-HOUR, "60 minutes behind"),
        (6 * MINUTE, "6 minutes ahead of"),
    ],
)
def test_a_wrong_clock_is_named_in_the_status_of_every_process_until_a_fetch_finds_it_right(
    start: Start, clock: MovingClock, instagram: FakeInstagram, token: Token, ahead: timedelta, said: str
) -> None:
    machine = OffBy(clock, ahead)
    wrong = start(on=machine)
    wrong.feed.fetch()
    found = [told(wrong), told(start())]
    machine.ahead = timedelta()
    wrong.feed.fetch()

    assert [each["status"] for each in found] == ["degraded", "degraded"]
    assert [each["problem"] for each in found] == [f"The server's clock is {said} the real time."] * 2
    assert all("NTP" in each["hint"] for each in found)
    assert told(start())["status"] == "ok"


@pytest.mark.parametrize("ahead", [timedelta(), 4 * MINUTE, -4 * MINUTE])
def test_a_clock_that_is_off_by_less_than_five_minutes_is_right_enough(
    start: Start, instagram: FakeInstagram, token: Token, caplog: pytest.LogCaptureFixture, ahead: timedelta
) -> None:
    services = start(ahead=ahead)
    with caplog.at_level(logging.INFO):
        services.feed.fetch()

    assert told(services)["status"] == "ok"
    assert "clock" not in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Date": "Sat, 01 Jan 2000 00:00:00 GMT", "Age": "31"},
        {"Date": "yesterday"},
        {"Date": ""},
        {"Date": "Sat, 99 Jan 2000 00:00:00 GMT"},
        {"Date": "Sat, 01 Jan 20000000000 00:00:00 GMT"},
        {"Date": "Fri, 31 Dec 9999 23:59:59 -2359"},
    ],
    ids=["cached", "words", "empty", "day 99", "no year", "beyond all years"],
)
def test_a_date_that_tells_no_time_is_ignored(
    start: Start, clock: MovingClock, instagram: FakeInstagram, token: Token, headers: dict[str, str]
) -> None:
    instagram.fail("*", lambda exchange: exchange.send(replace(exchange.execute(), headers=headers)))
    services = start()
    services.feed.fetch()

    assert stored_feed(services).fetched_at == about(clock.now)
    assert told(services)["status"] == "ok"


def test_a_gateways_error_page_tells_no_time(
    start: Start, clock: MovingClock, instagram: FakeInstagram, token: Token
) -> None:
    instagram.fail("*", replace(html_error(502), headers={"Date": "Sat, 01 Jan 2000 00:00:00 GMT"}))
    services = start()
    with pytest.raises(InstagramError):
        services.feed.fetch()

    assert services.clock() == about(clock.now)


def test_instagrams_own_error_tells_the_time(
    start: Start, clock: MovingClock, instagram: FakeInstagram, token: Token
) -> None:
    instagram.fail("*", APP_LIMIT)
    services = start(ahead=DAY)
    with pytest.raises(InstagramError):
        services.feed.fetch()

    assert services.clock() == about(clock.now)


@pytest.mark.parametrize("days", [-1, 54])
def test_a_clock_that_is_set_wrongly_between_two_calls_makes_no_failed_renewal_of_a_young_token(
    start: Start, clock: MovingClock, instagram: FakeInstagram, services: Services, days: int
) -> None:
    services.tokens.adopt(Token(instagram.issue(age=HOUR), clock() - HOUR, clock() + 60 * DAY - HOUR), is_verified=True)
    instagram.clock, real = lambda: real + timedelta(microseconds=clock.monotonic_ns() // 1000), clock.now
    process = start(on=clock)
    clock.wall_jumps(days=days)
    process.feed.fetch()

    assert instagram.count("renew") == 1
    assert told(process)["last_renewal"]["outcome"] is None
    assert told(process)["problem"].startswith("The server's clock is")
