"""The history: what renewals and fetches came to, for the owner. It never costs the work that it is about."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.clock import Beginning
from igfeed.errors import InstagramUnreachable, StoreError
from igfeed.history import HISTORY_KEY, MAX_EVENTS, Event, Events, History, asked_by, bounded
from igfeed.models import Token
from igfeed.services import Services
from igfeed.stores.guarded import STORE_RETRY_PAUSE
from igfeed.stores.memory import MemoryStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.stores.upstash import UpstashStore
from tests.conftest import MakeServices, to_the_moment
from tests.harness.clock import MovingClock
from tests.harness.owner import CRON, OWNER, STATUS
from tests.harness.site import Site
from tests.harness.stores import FrailStore
from tests.servers.instagram import EXPIRED, FakeInstagram, image
from tests.servers.upstash import FakeUpstash

HISTORY = "/api/instagram/history"
VIEW = Event(MovingClock().now, None, "fetch", "visitor", "fetched", 400)
CRON_FETCH = replace(VIEW, by="cron")
RENEWAL = replace(VIEW, what="renewal", by="cron", outcome="renewed")
FAILED_VIEW = replace(VIEW, outcome="failed", error="Instagram did not answer.")


def heard(events: Sequence[Event]) -> list[tuple[str, str, str]]:
    return [(event.what, event.by, event.outcome) for event in events]


def numbered(kind: Event, count: int) -> list[Event]:
    """So many events of that kind, newest first, each with milliseconds of its own."""
    return [replace(kind, at=kind.at + timedelta(seconds=number), ms=number) for number in range(count, 0, -1)]


@pytest.fixture(autouse=True)
def one_small_post(instagram: FakeInstagram) -> None:
    """The cron resizes each picture, which takes most of these tests' time."""
    instagram.posts[:], instagram.picture_size = [image()], (48, 60)


@pytest.fixture
def frail(clock: MovingClock) -> FrailStore:
    return FrailStore(clock)


@pytest.fixture
def history(memory_store: MemoryStore, clock: MovingClock) -> History:
    return History(memory_store, clock)


def fetch(history: History) -> None:
    with history.recording("fetch", "fetched"):
        pass


# What is recorded


@to_the_moment
def test_an_event_says_when_it_ended_how_long_it_took_and_who_asked(history: History, clock: MovingClock) -> None:
    with asked_by("owner"), history.recording("renewal", "renewed"):
        clock.forward(milliseconds=412)

    assert history.events() == (Event(clock.now, None, "renewal", "owner", "renewed", 412),)


def test_a_failure_is_recorded_with_its_message_and_goes_on(history: History) -> None:
    with pytest.raises(InstagramUnreachable), history.recording("fetch", "fetched"):
        raise InstagramUnreachable("Instagram did not answer.")

    (event,) = history.events()
    assert (event.outcome, event.by, event.error) == ("failed", "visitor", "Instagram did not answer.")


def test_a_views_fetch_its_renewal_and_the_crons_are_told_apart(
    client: FlaskClient, services: Services, token: Token, clock: MovingClock
) -> None:
    assert client.get(CRON, headers=OWNER).status_code == 200
    clock.forward(days=55)
    assert client.get("/embed").status_code == 200
    clock.forward(days=2)
    assert client.post(STATUS, headers=OWNER).status_code == 200

    assert heard(services.history.events()) == [
        ("fetch", "owner", "fetched"),
        ("renewal", "owner", "renewed"),
        ("fetch", "visitor", "fetched"),
        ("renewal", "visitor", "renewed"),
        ("fetch", "cron", "fetched"),
        ("renewal", "cron", "renewed"),
    ]


def test_a_failed_fetch_and_a_failed_renewal_say_why(
    client: FlaskClient, services: Services, token: Token, instagram: FakeInstagram
) -> None:
    instagram.fail("*", EXPIRED)

    assert client.get(CRON, headers=OWNER).status_code == 502

    assert heard(services.history.events()) == [("fetch", "cron", "failed"), ("renewal", "cron", "failed")]
    assert all(event.error and "access token" in event.error for event in services.history.events())


def test_a_view_of_a_fresh_feed_and_a_renewal_that_nobody_tries_leave_no_event(
    client: FlaskClient, services: Services, token: Token
) -> None:
    client.get(CRON, headers=OWNER)
    before = services.history.events()

    client.get("/embed")
    services.tokens.renew()

    assert services.history.events() == before


# What stays


def test_the_last_fifty_stay_newest_first() -> None:
    events = numbered(VIEW, MAX_EVENTS + 5)

    assert bounded(events) == tuple(events[:MAX_EVENTS])


def test_views_fetches_do_not_push_out_the_renewals() -> None:
    views, others = numbered(VIEW, 200), numbered(RENEWAL, 3)

    kept = bounded([*views, *others])

    assert kept == (*views[: MAX_EVENTS - 3], *others)


@pytest.mark.parametrize("others", [RENEWAL, CRON_FETCH, FAILED_VIEW], ids=["renewals", "crons", "failures"])
def test_many_other_events_leave_half_of_the_places_to_views_fetches(others: Event) -> None:
    kept = bounded([*numbered(VIEW, 100), *numbered(others, 100)])

    assert len(kept) == MAX_EVENTS
    assert sum(event.is_routine for event in kept) == MAX_EVENTS // 2


def test_the_document_stays_small_however_long_an_error_is(history: History, memory_store: MemoryStore) -> None:
    for _ in range(MAX_EVENTS + 10):
        with pytest.raises(StoreError), history.recording("fetch", "fetched"):
            raise StoreError("so long " * 1000)

    assert len(history.events()) == MAX_EVENTS
    assert len(memory_store.get(HISTORY_KEY) or "") < 25_000


@pytest.mark.parametrize("text", ["no JSON", "{}", '{"events":[{"what":"dream"}]}', ""])
def test_what_cannot_be_read_counts_as_no_history_and_is_replaced(
    text: str, history: History, memory_store: MemoryStore
) -> None:
    memory_store.set(HISTORY_KEY, text)
    assert history.events() == ()

    fetch(history)

    assert heard(history.events()) == [("fetch", "visitor", "fetched")]


def test_a_key_that_holds_no_text_is_replaced_and_no_write_counts_as_refused(
    upstash: FakeUpstash, upstash_store: UpstashStore, site: Site
) -> None:
    upstash.raw("RPUSH", HISTORY_KEY, "a list")
    process = site.start(upstash_store)

    fetch(process.history)

    assert len(process.history.events()) == 1


# Several processes, and a store that fails


def test_no_event_is_lost_where_several_processes_add_theirs_at_once(
    memory_store: MemoryStore, clock: MovingClock
) -> None:
    histories = [History(memory_store, clock) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(fetch, histories * 5))
    for each in histories:
        fetch(each)  # What lost three swaps in a row has waited for this.

    assert len(histories[0].events()) == 24


def test_events_of_an_outage_are_kept_in_the_process_and_stored_afterwards(
    frail: FrailStore, site: Site, clock: MovingClock
) -> None:
    history = site.start(frail).history
    fetch(history)
    frail.away = True

    fetch(history)

    assert len(history.events()) == 2, "this process knows them"
    frail.away = False
    clock.now += STORE_RETRY_PAUSE
    fetch(history)
    fetch(history)
    assert len(site.start(frail).history.events()) == 4


def test_a_process_that_knows_nothing_says_that_the_store_away(frail: FrailStore, clock: MovingClock) -> None:
    frail.away = True

    with pytest.raises(StoreError):
        History(frail, clock).events()


def test_an_event_whose_write_got_no_reply_is_there_once(clock: MovingClock, memory_store: MemoryStore) -> None:
    class Mute(MemoryStore):
        def swap(self, key: str, old: str | None, new: str) -> bool:
            memory_store.swap(key, old, new)
            raise StoreError("The reply was lost.")

        def get(self, key: str) -> str | None:
            return memory_store.get(key)

    history = History(Mute(clock), clock)
    fetch(history)
    fetch(history)

    assert len(history.events()) == 2


def test_adding_costs_one_command_where_the_history_was_read_ahead(
    upstash: FakeUpstash, upstash_store: UpstashStore, clock: MovingClock
) -> None:
    store = ReadAhead(upstash_store)
    history = History(store, clock)
    fetch(history)
    with store.read_ahead(*history.keys):
        upstash.forget()

        fetch(history)

        assert len(upstash.commands()) == 1


# What the owner sees


def test_the_route_gives_the_fields_of_the_contract_newest_first(
    client: FlaskClient, token: Token, instagram: FakeInstagram
) -> None:
    client.get(CRON, headers=OWNER)

    answer = client.get(HISTORY, headers=OWNER)

    assert answer.headers["Cache-Control"] == "no-store"
    events: list[dict[str, Any]] = json.loads(answer.text)["events"]
    assert [list(event) for event in events] == [["at", "account", "what", "by", "outcome", "ms", "error"]] * 2
    assert [event | {"ms": 0} for event in events] == [
        {"at": events[0]["at"], "account": None, "what": what, "by": "cron", "outcome": done, "ms": 0, "error": None}
        for what, done in (("fetch", "fetched"), ("renewal", "renewed"))
    ]
    assert events[0]["at"].startswith("2026-05-03T12:0")
    assert events[0]["at"].endswith("Z")


def test_the_route_is_the_owners_alone(client: FlaskClient) -> None:
    assert client.get(HISTORY).status_code == 401


def test_without_a_store_the_route_says_what_to_do(make_services: MakeServices) -> None:
    app = create_app(services=make_services(VERCEL="1"))

    answer = app.test_client().get(HISTORY, headers=OWNER)

    assert answer.status_code == 503
    assert list(answer.json or {}) == ["error", "message", "hint"]


def test_the_command_shows_the_same_in_lines_and_as_json(app: Flask, token: Token, client: FlaskClient) -> None:
    run = app.test_cli_runner().invoke
    assert run(args=["igfeed", "history"]).output == "No renewal and no fetch yet.\n"
    client.get(CRON, headers=OWNER)

    lines, as_json = run(args=["igfeed", "history"]).output, run(args=["igfeed", "history", "--json"]).output

    fetched, renewed = lines.splitlines()
    assert fetched.split()[3:6] == ["fetch", "cron", "fetched"]
    assert renewed.split()[3:6] == ["renewal", "cron", "renewed"]
    assert json.loads(as_json) == client.get(HISTORY, headers=OWNER).json


def test_what_an_older_version_stored_is_read(memory_store: MemoryStore, history: History, clock: MovingClock) -> None:
    memory_store.set(HISTORY_KEY, Events((replace(VIEW, ms=Beginning(clock).elapsed.days),)).to_text())

    assert len(history.events()) == 1
