"""The token: renewed in time, saved in one write, and never lost because something else fails."""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igfeed.errors import (
    InstagramError,
    InstagramUnreachable,
    RateLimited,
    StoreError,
    TokenExpired,
    TokenMissing,
    TokenRejected,
)
from igfeed.models import Token
from igfeed.stores import Store
from igfeed.stores.memory import MemoryStore
from igfeed.stores.sqlite import SqliteStore
from igfeed.stores.upstash import UpstashStore
from igfeed.tokens.document import TOKEN_KEY
from igfeed.tokens.encryption import FernetCipher
from igfeed.tokens.manager import TokenManager
from igfeed.tokens.renewal import RENEWAL_KEY, RenewalOutcome
from tests.conftest import to_the_moment
from tests.harness.clock import MovingClock, about
from tests.harness.leaks import told_by
from tests.harness.site import Site
from tests.servers import instagram as fake
from tests.servers.upstash import FakeUpstash

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

KEY_A = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="
KEY_B = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="

EVERY_FAILURE: dict[str, fake.Fault] = {
    **fake.ERRORS,
    "html": fake.html_error(503),
    "reset": fake.reset(),
    "truncated": fake.truncate(),
    "invalid_json": fake.invalid_json(),
    "empty_object": fake.reply({}),
    "empty_string": fake.reply({"access_token": "", "token_type": "bearer", "expires_in": 5183944}),
    "no_text": fake.reply({"access_token": 5, "token_type": "bearer", "expires_in": 5183944}),
}
"""Replies that have been seen in place of a renewed token."""


def put(store: Store, token: Token) -> None:
    store.set(TOKEN_KEY, token.to_text())


def document(store: Store) -> Token:
    text = store.get(TOKEN_KEY)
    assert text is not None
    return Token.from_text(text)


def is_just_renewed(token: Token, site: Site) -> bool:
    """Whether Instagram has renewed it just now and its expiry says so."""
    has_whole_lifetime = token.expires_at is not None and token.expires_at > site.clock() + timedelta(
        seconds=5183944 - 60
    )
    return has_whole_lifetime and site.instagram.alive(token.value)


@pytest.fixture(params=["memory", "sqlite", "upstash"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path, clock: MovingClock) -> Store:
    if request.param == "upstash":
        store: Store = request.getfixturevalue("upstash_store")
        return store
    return MemoryStore(clock) if request.param == "memory" else SqliteStore(tmp_path / "store.sqlite3", clock)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


# When a token is renewed


@to_the_moment
@pytest.mark.parametrize(
    ("left", "renewals"), [(7 * DAY + SECOND, 0), (7 * DAY, 0), (7 * DAY - SECOND, 1)], ids=["above", "on", "below"]
)
def test_a_token_with_less_than_seven_days_left_is_renewed_before_its_use(
    left: timedelta,
    renewals: int,
    site: Site,
    memory_store: MemoryStore,
) -> None:
    old = site.stored(memory_store, left=left)

    token = site.start(memory_store).tokens.usable()

    assert site.instagram.count("renew") == renewals
    assert (token.value != old.value) == bool(renewals)


@to_the_moment
@pytest.mark.parametrize(
    ("age", "renewals"), [(DAY - SECOND, 0), (DAY, 1), (DAY + SECOND, 1)], ids=["too young", "on", "above"]
)
def test_a_due_token_is_used_as_it_is_until_it_is_24_hours_old(
    age: timedelta,
    renewals: int,
    site: Site,
    memory_store: MemoryStore,
) -> None:
    old = site.stored(memory_store, age=age, left=DAY)

    token = site.start(memory_store).tokens.usable()

    assert site.instagram.count("renew") == renewals
    assert (token.value == old.value) == (renewals == 0)


@to_the_moment
def test_a_token_is_still_renewed_in_its_last_second(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, left=SECOND)

    token = site.start(memory_store).tokens.usable()

    assert token.expires_at == site.clock.now + timedelta(seconds=5183944)


@pytest.mark.parametrize("late", [timedelta(), SECOND], ids=["on", "after"])
def test_an_expired_token_raises_token_expired_and_is_not_renewed(
    late: timedelta, site: Site, memory_store: MemoryStore
) -> None:
    site.stored(memory_store, left=-late)
    tokens = site.start(memory_store).tokens

    with pytest.raises(TokenExpired, match="expired on 2026-05-03"):
        tokens.use(site.client.profile)
    with pytest.raises(TokenExpired):
        tokens.renew()

    assert site.instagram.count("renew") == 0
    assert site.instagram.count("profile") == 2


@pytest.mark.parametrize("asked_by", ["cron", "view"])
def test_a_token_that_works_after_its_stored_expiry_is_renewed(
    asked_by: str, site: Site, memory_store: MemoryStore
) -> None:
    token = site.token()
    put(memory_store, replace(token, expires_at=site.clock() - SECOND))
    tokens = site.start(memory_store).tokens

    if asked_by == "cron":
        assert tokens.renew() == RenewalOutcome.RENEWED
    else:
        tokens.use(site.client.profile)
        tokens.usable()

    assert site.instagram.alive(document(memory_store).value)
    assert document(memory_store).expires_at == about(site.clock.now + timedelta(seconds=5183944))


def test_a_token_of_unknown_age_counts_as_old_and_due(site: Site, memory_store: MemoryStore) -> None:
    put(memory_store, Token(site.instagram.issue()))

    token = site.start(memory_store).tokens.usable()

    assert site.instagram.count("renew") == 1
    assert token.expires_at is not None


def test_using_a_token_that_is_not_due_costs_one_read_of_the_store_and_no_call(
    site: Site,
    upstash: FakeUpstash,
    upstash_store: UpstashStore,
) -> None:
    token = site.stored(upstash_store)
    upstash.forget()

    used = site.start(upstash_store).tokens.use(lambda value: value)

    assert used == token.value
    assert upstash.commands() == [["GET", TOKEN_KEY]]
    assert site.instagram.count("*") == 0


def test_without_any_token_the_owner_is_told_what_to_do(site: Site, memory_store: MemoryStore) -> None:
    tokens = site.start(memory_store).tokens

    with pytest.raises(TokenMissing) as missing:
        tokens.usable()

    assert "setup-token" in missing.value.hint
    assert tokens.report().token is None
    assert tokens.fingerprint() == ""


def test_a_weekly_cron_has_eight_chances_before_the_token_expires(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, age=timedelta(), left=60 * DAY)
    site.instagram.fail("renew", fake.APP_LIMIT, times=7)

    outcomes = []
    for _ in range(8):
        site.clock.forward(days=7)
        outcomes.append(outcome_of(site.start(memory_store).tokens))

    assert outcomes == [RenewalOutcome.FAILED] * 7 + [RenewalOutcome.RENEWED]
    assert site.instagram.alive(document(memory_store).value)


def test_a_daily_cron_has_fifty_eight_chances(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, age=timedelta(), left=60 * DAY)
    site.instagram.fail("renew", fake.APP_LIMIT, times=57)

    outcomes = []
    site.clock.forward(hours=23)  # Too early: a platform's cron comes at any minute of its hour.
    for _ in range(58):
        site.clock.forward(days=1)
        outcomes.append(outcome_of(site.start(memory_store).tokens))

    assert outcomes == [RenewalOutcome.FAILED] * 57 + [RenewalOutcome.RENEWED]


def outcome_of(tokens: TokenManager) -> RenewalOutcome:
    try:
        return tokens.renew()
    except InstagramError:
        return RenewalOutcome.FAILED


# What a renewal stores


def test_the_expiry_of_a_renewed_token_counts_from_before_the_request(
    site: Site,
    memory_store: MemoryStore,
    threads: ThreadPoolExecutor,
) -> None:
    site.stored(memory_store, left=DAY)
    asked_at = site.clock()

    with site.instagram.hold("renew") as gate:
        renewing = threads.submit(site.start(memory_store).tokens.usable)
        assert gate.wait()
        answered_at = site.clock()
        site.clock.forward(seconds=15)
    token = renewing.result()

    assert token.issued_at is not None
    assert asked_at <= token.issued_at < answered_at
    assert token.expires_at == token.issued_at + timedelta(seconds=5183944)


def test_a_renewed_token_is_stored_whole_together_with_its_predecessor(any_store: Store, site: Site) -> None:
    old = site.stored(any_store, left=DAY)

    renewed = site.start(any_store).tokens.usable()

    assert renewed == document(any_store)
    assert renewed.predecessor == old
    assert renewed.issued_at == about(site.clock.now)
    assert renewed.expires_at == about(site.instagram.expires_at(renewed.value))
    assert site.start(any_store).tokens.usable() == renewed


def test_a_predecessor_has_no_predecessor_of_its_own(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store)
    tokens = site.start(memory_store).tokens
    tokens.renew()
    second = document(memory_store)
    site.clock.now += DAY

    tokens.renew()

    assert document(memory_store).predecessor == replace(second, predecessor=None)


def test_a_renewal_writes_the_token_once(site: Site, upstash: FakeUpstash, upstash_store: UpstashStore) -> None:
    site.stored(upstash_store, left=DAY)
    upstash.forget()

    site.start(upstash_store).tokens.usable()

    assert sets_of_the_token(upstash) == 1


def sets_of_the_token(upstash: FakeUpstash) -> int:
    return sum(command[0] == "EVAL" and command[3] == TOKEN_KEY for command in upstash.commands())


def test_the_predecessor_is_dropped_after_one_successful_read(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, left=DAY)
    tokens = site.start(memory_store).tokens
    renewed = tokens.usable()

    tokens.use(site.client.profile)

    assert document(memory_store).value == renewed.value
    assert document(memory_store).predecessor is None


def test_the_predecessor_is_kept_while_no_read_has_succeeded(site: Site, memory_store: MemoryStore) -> None:
    old = site.stored(memory_store, left=DAY)
    site.instagram.fail("profile", fake.TEMPORARY)

    with pytest.raises(InstagramUnreachable):
        site.start(memory_store).tokens.use(site.client.profile)

    assert document(memory_store).predecessor == old


def test_a_renewed_token_that_is_rejected_is_replaced_by_its_predecessor(any_store: Store, site: Site) -> None:
    old = site.stored(any_store, left=DAY)
    tokens = site.start(any_store).tokens
    site.instagram.revoke(tokens.usable().value)

    profile = tokens.use(site.client.profile)

    assert profile.username == fake.USERNAME
    assert document(any_store).value == old.value


def test_two_rejected_tokens_leave_the_stored_one_as_it_is(site: Site, memory_store: MemoryStore) -> None:
    old = site.stored(memory_store, left=DAY)
    tokens = site.start(memory_store).tokens
    site.instagram.revoke(tokens.usable().value)
    site.instagram.revoke(old.value)
    before = memory_store.get(TOKEN_KEY)

    with pytest.raises(TokenRejected):
        tokens.use(site.client.profile)

    assert memory_store.get(TOKEN_KEY) == before
    assert site.instagram.count("profile") == 2


def test_an_expired_predecessor_is_not_tried(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, left=DAY)
    tokens = site.start(memory_store).tokens
    site.instagram.revoke(tokens.usable().value)
    site.clock.forward(days=1)

    with pytest.raises(TokenRejected):
        tokens.use(site.client.profile)

    assert site.instagram.count("profile") == 1


def test_a_renewal_that_keeps_the_value_only_extends_its_expiry(site: Site, memory_store: MemoryStore) -> None:
    old = site.stored(memory_store, left=DAY)
    site.instagram.renewal_changes_string = False

    renewed = site.start(memory_store).tokens.usable()

    assert renewed == document(memory_store)
    assert (renewed.value, renewed.predecessor) == (old.value, None)
    assert renewed.expires_at == about(site.clock.now + timedelta(seconds=5183944))


def test_an_old_value_that_ends_with_the_renewal_does_no_harm(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, left=DAY)
    site.instagram.old_string_survives = False

    site.start(memory_store).tokens.use(site.client.profile)

    assert site.instagram.alive(document(memory_store).value)


# When the store fails


ONLY_IN_A_WRITTEN_TOKEN = "issued_at"


def test_a_renewed_token_that_cannot_be_saved_lives_on_in_memory_until_it_can(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    old = site.stored(upstash_store, left=DAY)
    upstash.fail("redis_down", match=ONLY_IN_A_WRITTEN_TOKEN)
    tokens = site.start(upstash_store).tokens

    renewed = tokens.usable()
    meanwhile = tokens.report()
    upstash.heal()
    still_old = document(upstash_store)
    site.clock.forward(seconds=5)
    tokens.usable()

    assert renewed.value != old.value
    assert (meanwhile.token, meanwhile.source, meanwhile.is_saved) == (renewed, "memory", False)
    assert still_old == old
    assert document(upstash_store) == renewed
    assert (tokens.report().source, tokens.report().is_saved) == ("store", True)


def test_a_token_saved_late_never_replaces_one_that_was_stored_meanwhile(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    site.stored(upstash_store, left=DAY)
    upstash.fail("redis_down", match=ONLY_IN_A_WRITTEN_TOKEN)
    tokens = site.start(upstash_store).tokens
    tokens.usable()
    upstash.heal()
    site.clock.forward(seconds=5)
    theirs = site.stored(upstash_store)

    assert tokens.usable() == theirs
    assert document(upstash_store) == theirs


def test_a_token_saved_late_never_replaces_the_later_expiry_that_another_process_stored_for_the_same_value(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    site.instagram.renewal_changes_string = False
    site.stored(upstash_store, left=5 * DAY)
    upstash.fail("redis_down", match=ONLY_IN_A_WRITTEN_TOKEN)
    tokens = site.start(upstash_store).tokens
    tokens.usable()
    upstash.heal()
    site.clock.forward(days=2)
    upstash.elapse(2 * 86400)
    other = site.start(upstash_store).tokens
    other.renew()
    theirs = document(upstash_store)

    tokens.usable()

    assert document(upstash_store) == theirs


def test_a_token_used_while_the_store_is_away_is_renewed_and_saved_when_it_is_back(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    old = site.stored(upstash_store, left=8 * DAY)
    tokens = site.start(upstash_store).tokens
    tokens.usable()
    upstash.fail("redis_down")
    site.clock.forward(days=2)

    renewed = tokens.usable()
    upstash.heal()
    site.clock.forward(seconds=5)
    tokens.usable()

    assert renewed.value != old.value
    assert document(upstash_store) == renewed


@pytest.mark.parametrize(("left", "renewals"), [(8 * DAY, 0), (7 * DAY - SECOND, 1)], ids=["time left", "due"])
def test_while_the_store_is_away_the_cron_renews_only_what_is_due(
    left: timedelta, renewals: int, site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    site.stored(upstash_store, left=left)
    tokens = site.start(upstash_store).tokens
    tokens.usable() if renewals == 0 else tokens.report()
    upstash.fail("redis_down")

    try:
        outcome = tokens.renew()
    except StoreError:
        outcome = RenewalOutcome.FAILED

    assert outcome == (RenewalOutcome.RENEWED if renewals else RenewalOutcome.FAILED)
    assert site.instagram.count("renew") == renewals


def test_what_another_process_stores_during_a_renewal_is_not_overwritten_by_an_earlier_expiry(
    site: Site,
) -> None:
    site.instagram.renewal_changes_string = False
    store = Interrupted(site.clock)
    site.stored(store, left=5 * DAY)
    tokens = site.start(store).tokens

    def prolong() -> None:
        put(store, replace(document(store), expires_at=site.clock() + 70 * DAY))

    store.before_swap = prolong
    tokens.usable()

    assert document(store).expires_at == about(site.clock.now + 70 * DAY)
    assert tokens.usable() == document(store)


def test_a_renewed_token_is_saved_although_another_process_stored_a_worse_one_first(site: Site) -> None:
    store = Interrupted(site.clock)
    site.stored(store)
    tokens = site.start(store).tokens
    store.before_swap = lambda: put(store, replace(document(store), refused=frozenset({"somebody"})))

    tokens.renew()

    assert document(store).expires_at == about(site.clock.now + timedelta(seconds=5183944))


@to_the_moment
def test_an_unsaved_token_that_was_replaced_is_tried_once_the_stored_one_is_rejected(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    site.stored(upstash_store, left=DAY)
    upstash.fail("redis_down", match=ONLY_IN_A_WRITTEN_TOKEN)
    tokens = site.start(upstash_store).tokens
    unsaved = tokens.usable()
    upstash.heal()
    site.clock.forward(days=1, seconds=-1)
    other = site.start(upstash_store).tokens
    upstash.elapse(86400)
    other.renew()
    tokens.usable()
    site.instagram.revoke(document(upstash_store).value)
    site.instagram.revoke(unsaved.predecessor.value if unsaved.predecessor else "")

    tokens.use(site.client.profile)

    assert document(upstash_store).value == unsaved.value


def test_a_rejected_renewal_is_made_with_another_known_token(site: Site, memory_store: MemoryStore) -> None:
    dead, other = site.token(), site.token()
    put(memory_store, replace(dead, predecessor=other))
    site.instagram.revoke(dead.value)

    outcome = site.start(memory_store).tokens.renew()

    assert outcome == RenewalOutcome.RENEWED
    assert document(memory_store).predecessor is not None
    assert site.instagram.alive(document(memory_store).value)


def test_a_replaced_token_is_not_stored_again_by_a_process_that_still_has_a_copy(any_store: Store, site: Site) -> None:
    site.stored(any_store, left=8 * DAY)
    one, other = site.start(any_store).tokens, site.start(any_store).tokens
    one.renew()
    site.instagram.revoke(other.usable().value)

    one.use(site.client.profile)
    stays = document(any_store)
    other.use(site.client.profile)

    assert document(any_store) == stays
    assert site.instagram.count("profile") == 3


def test_a_rejected_token_of_one_account_is_not_replaced_by_that_of_another(
    site: Site, memory_store: MemoryStore
) -> None:
    site.stored(memory_store)
    running = site.start(memory_store).tokens
    running.usable()
    theirs = site.token()
    site.start(memory_store).tokens.adopt(theirs, is_verified=True)
    running.usable()
    site.instagram.revoke(theirs.value)

    with pytest.raises(TokenRejected):
        running.use(site.client.profile)

    assert document(memory_store) == theirs


def test_a_rejected_token_is_replaced_although_the_store_is_away(
    site: Site,
    upstash: FakeUpstash,
    upstash_store: UpstashStore,
) -> None:
    old = site.stored(upstash_store, left=DAY)
    tokens = site.start(upstash_store).tokens
    site.instagram.revoke(tokens.usable().value)
    upstash.fail("redis_down")

    tokens.use(site.client.profile)
    upstash.heal()
    site.clock.forward(seconds=5)
    tokens.report()
    site.instagram.fail("renew", fake.TEMPORARY)
    tokens.usable()

    assert document(upstash_store).value == old.value


def test_one_empty_read_does_not_lose_the_token_and_a_flushed_store_gets_it_back(any_store: Store, site: Site) -> None:
    token = site.stored(any_store)
    tokens = site.start(any_store).tokens
    tokens.usable()
    any_store.delete(TOKEN_KEY)

    report = tokens.report()
    used = tokens.usable()

    assert (report.token, report.source, report.is_saved) == (token, "memory", False)
    assert used == token
    assert document(any_store) == token


def test_a_report_changes_nothing(
    site: Site,
    upstash: FakeUpstash,
    upstash_store: UpstashStore,
) -> None:
    site.stored(upstash_store, left=DAY)
    tokens = site.start(upstash_store).tokens
    tokens.fingerprint()
    upstash.flush()
    upstash.forget()

    assert tokens.report().is_due

    assert {command[0] for command in upstash.commands()} == {"GET"}
    assert site.instagram.count("*") == 0


# Which token is used


def test_the_store_comes_before_the_environment(site: Site, memory_store: MemoryStore) -> None:
    stored = site.stored(memory_store)

    tokens = site.start(memory_store, environment=site.token().value).tokens

    assert tokens.usable() == stored
    assert tokens.report().source == "store"


def test_memory_comes_before_the_environment_while_the_store_is_away(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    stored = site.stored(upstash_store)
    tokens = site.start(upstash_store, environment=site.token().value).tokens
    tokens.usable()
    upstash.fail("redis_down")

    assert tokens.usable() == stored
    assert (tokens.report().source, tokens.report().is_saved) == ("memory", True)


def test_the_environment_is_the_last_resort_of_an_empty_store_and_is_kept_there_once_renewed(
    any_store: Store, site: Site
) -> None:
    value = site.instagram.issue()
    tokens = site.start(any_store, environment=value).tokens
    source = tokens.report().source

    renewed = tokens.usable()

    assert source == "environment"
    assert site.instagram.calls[0].params["access_token"] == value
    assert document(any_store) == renewed
    assert renewed.predecessor is not None
    assert renewed.predecessor.value == value


def test_the_environment_is_the_last_resort_when_the_store_is_away(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    upstash.fail("redis_down")
    site.instagram.fail("renew", site.instagram.young_error)
    value = site.instagram.issue()
    tokens = site.start(upstash_store, environment=value).tokens

    assert tokens.usable().value == value
    assert tokens.report().store_error is not None


UNREADABLE = ["", "null", "[]", "{}", "no json", '{"value": ""}', '{"value": 5}', "fernet:x"]


@pytest.mark.parametrize("text", UNREADABLE)
def test_an_unreadable_token_is_kept_as_it_is_while_the_environments_is_used(
    text: str, site: Site, memory_store: MemoryStore
) -> None:
    memory_store.set(TOKEN_KEY, text)
    tokens = site.start(memory_store, environment=site.instagram.issue()).tokens

    tokens.use(site.client.profile)

    assert memory_store.get(TOKEN_KEY) == text
    assert tokens.report().store_error is not None


@pytest.mark.parametrize("text", UNREADABLE)
def test_an_unreadable_token_is_an_error_and_not_an_absent_one(
    text: str, site: Site, memory_store: MemoryStore
) -> None:
    memory_store.set(TOKEN_KEY, text)
    tokens = site.start(memory_store).tokens

    with pytest.raises(StoreError):
        tokens.usable()

    assert isinstance(tokens.report().store_error, StoreError)
    assert memory_store.get(TOKEN_KEY) == text


def test_the_error_of_an_unreadable_token_names_the_key_and_what_to_do(site: Site, memory_store: MemoryStore) -> None:
    memory_store.set(TOKEN_KEY, "{}")

    with pytest.raises(StoreError, match=TOKEN_KEY) as unreadable:
        site.start(memory_store).tokens.usable()

    assert "setup-token" in unreadable.value.hint


def from_variable(site: Site, store: Store, *, age: timedelta = 30 * DAY) -> tuple[str, Token]:
    """The value of the variable in an old process, and the token that the store has from it."""
    value = site.instagram.issue(age=age)
    site.start(store, environment=value).tokens.use(site.client.profile)
    return value, document(store)


def test_the_token_of_a_changed_variable_is_tried_by_a_read_and_then_stored_and_renewed(
    site: Site, memory_store: MemoryStore
) -> None:
    _, earlier = from_variable(site, memory_store)
    second = site.instagram.issue()
    tokens = site.start(memory_store, environment=second).tokens
    site.instagram.forget_calls()

    tokens.use(site.client.profile)
    stored = document(memory_store)
    renewed = tokens.usable()

    assert [call.params["access_token"] for call in site.instagram.calls] == [second, second]
    assert (stored.value, stored.predecessor, stored.lineage) == (second, earlier, renewed.lineage)
    assert renewed.predecessor is not None
    assert renewed.predecessor.value == second
    assert document(memory_store) == renewed


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_process_with_the_earlier_variable_uses_the_token_of_the_changed_one(
    is_restarted: bool, site: Site, any_store: Store
) -> None:
    site.instagram.old_string_survives = False
    first, _ = from_variable(site, any_store)
    old = site.start(any_store, environment=first).tokens
    old.use(site.client.profile)
    site.start(any_store, environment=site.instagram.issue()).tokens.use(site.client.profile)
    new = document(any_store)

    old = site.start(any_store, environment=first).tokens if is_restarted else old
    old.use(site.client.profile)
    old.renew()

    assert document(any_store).lineage == new.lineage
    assert site.instagram.alive(document(any_store).value)
    assert all(site.instagram.alive(call.params["access_token"]) for call in site.instagram.calls[-1:])


def test_the_token_of_a_changed_variable_never_replaces_the_stored_one_before_it_has_worked(
    site: Site, memory_store: MemoryStore
) -> None:
    from_variable(site, memory_store)
    before = memory_store.get(TOKEN_KEY)
    tokens = site.start(memory_store, environment=site.instagram.issue()).tokens

    tokens.usable()
    tokens.report()
    tokens.fingerprint()
    site.instagram.fail("profile", fake.TEMPORARY)
    with pytest.raises(InstagramUnreachable):
        tokens.use(site.client.profile)

    assert memory_store.get(TOKEN_KEY) == before


def test_a_rejected_token_of_a_changed_variable_is_tried_once_and_the_stored_one_stays_in_use(
    site: Site, memory_store: MemoryStore
) -> None:
    _, earlier = from_variable(site, memory_store)
    site.instagram.forget_calls()

    for _ in range(3):
        site.start(memory_store, environment="IGAAtypo").tokens.use(site.client.profile)

    assert [call.params["access_token"] for call in site.instagram.calls] == ["IGAAtypo", *[earlier.value] * 3]
    assert document(memory_store).value == earlier.value


@pytest.mark.parametrize("refusal", [fake.PERMISSION, fake.UNSUPPORTED_REQUEST], ids=["permission", "in general"])
def test_while_the_token_of_a_changed_variable_may_not_read_the_stored_one_is_used_and_renewed(
    refusal: fake.Answer, site: Site, memory_store: MemoryStore
) -> None:
    _, earlier = from_variable(site, memory_store)
    second = site.instagram.issue()
    site.instagram._tokens[second].refusal = refusal
    site.clock.forward(days=55)
    tokens = site.start(memory_store, environment=second).tokens

    assert tokens.use(site.client.profile).username == fake.USERNAME

    assert document(memory_store).lineage == earlier.lineage
    assert document(memory_store).expires_at == about(site.clock.now + timedelta(seconds=5183944))


def test_the_token_before_a_changed_variable_is_used_again_if_the_new_one_expires_before_its_first_renewal(
    site: Site, memory_store: MemoryStore
) -> None:
    _, earlier = from_variable(site, memory_store)
    second = site.instagram.issue(age=timedelta(), life=2 * HOUR)
    for _ in range(2):
        site.start(memory_store, environment=second).tokens.use(site.client.profile)
    site.clock.forward(hours=3)

    site.start(memory_store, environment=second).tokens.use(site.client.profile)

    assert document(memory_store).lineage == earlier.lineage


def test_the_token_of_a_changed_variable_is_used_while_the_store_is_away_and_saved_when_it_is_back(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    from_variable(site, upstash_store)
    second = site.instagram.issue(age=timedelta())
    tokens = site.start(upstash_store, environment=second).tokens
    tokens.report()
    upstash.fail("redis_down")
    tokens.use(site.client.profile)
    upstash.heal()
    site.clock.forward(seconds=5)

    tokens.use(site.client.profile)

    assert document(upstash_store).value == second


STEPS = st.tuples(st.sampled_from(["old", "new"]), st.sampled_from(["view", "cron", "restart"]), st.booleans())


@given(
    steps=st.lists(STEPS, min_size=1, max_size=8),
    does_old_string_survive=st.booleans(),
    new=st.sampled_from(["fine", "young", "mistyped", "revoked later"]),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_two_processes_with_different_variables_do_the_store_keeps_a_living_token(
    steps: list[tuple[str, str, bool]], does_old_string_survive: bool, new: str, site: Site
) -> None:
    site.instagram.old_string_survives = does_old_string_survive
    store = MemoryStore(site.clock)
    first, _ = from_variable(site, store)
    second = "IGAAtypo" if new == "mistyped" else site.instagram.issue(age=HOUR if new == "young" else 30 * DAY)
    values = {"old": first, "new": second}
    running = {name: site.start(store, environment=value).tokens for name, value in values.items()}

    for number, (name, what, is_a_day_later) in enumerate(steps):
        site.clock.forward(hours=25 if is_a_day_later else 0)
        if new == "revoked later" and number == 3 and site.instagram.alive(second):
            site.instagram.revoke(second)
        if what == "restart":
            running[name] = site.start(store, environment=values[name]).tokens
        if what == "cron":
            outcome_of(running[name])
        running[name].use(site.client.profile)
        assert site.instagram.alive(document(store).value)


def test_an_unchanged_variable_never_replaces_the_token_renewed_from_it(site: Site, memory_store: MemoryStore) -> None:
    value = site.instagram.issue()
    renewed = site.start(memory_store, environment=value).tokens.usable()

    assert site.start(memory_store, environment=value).tokens.usable() == renewed
    assert site.instagram.count("renew") == 1


def test_a_renewed_token_that_is_written_back_into_the_variable_changes_nothing(
    site: Site, memory_store: MemoryStore
) -> None:
    renewed = site.start(memory_store, environment=site.instagram.issue()).tokens.usable()

    assert site.start(memory_store, environment=renewed.value).tokens.usable() == renewed
    assert site.instagram.count("renew") == 1


@to_the_moment
def test_a_token_set_up_by_hand_wins_over_a_changed_variable_until_it_expires(
    site: Site, memory_store: MemoryStore
) -> None:
    site.start(memory_store, environment=site.instagram.issue()).tokens.usable()
    theirs = site.token(age=timedelta(), left=23 * HOUR)
    site.start(memory_store).tokens.adopt(theirs, is_verified=True)
    tokens = site.start(memory_store, environment=site.instagram.issue()).tokens

    site.clock.forward(hours=23, seconds=-1)
    before = tokens.report()
    site.clock.forward(seconds=1)
    after = tokens.report()

    assert (before.token, before.source) == (theirs, "store")
    assert after.source == "environment"


def test_a_token_of_a_changed_variable_renewed_while_the_store_was_away_is_kept(
    site: Site,
    upstash: FakeUpstash,
    upstash_store: UpstashStore,
) -> None:
    site.instagram.old_string_survives = False
    site.start(upstash_store, environment=site.instagram.issue()).tokens.usable()
    upstash.fail("redis_down")
    tokens = site.start(upstash_store, environment=site.instagram.issue()).tokens
    renewed = tokens.usable()
    upstash.heal()
    site.clock.forward(seconds=5)

    tokens.use(site.client.profile)

    assert document(upstash_store).value == renewed.value


def test_a_rejected_token_is_replaced_by_the_environments(site: Site, memory_store: MemoryStore) -> None:
    stored = site.stored(memory_store)
    value = site.instagram.issue()
    site.instagram.revoke(stored.value)

    site.start(memory_store, environment=value).tokens.use(site.client.profile)

    assert document(memory_store).value == value


def test_a_rejected_token_renewed_from_the_environments_is_not_replaced_by_it(
    site: Site, memory_store: MemoryStore
) -> None:
    tokens = site.start(memory_store, environment=site.instagram.issue()).tokens
    tokens.use(site.client.profile)
    site.instagram.revoke(tokens.usable().value)
    before = memory_store.get(TOKEN_KEY)
    site.instagram.forget_calls()

    with pytest.raises(TokenRejected):
        tokens.use(site.client.profile)

    assert site.instagram.count("profile") == 1
    assert memory_store.get(TOKEN_KEY) == before


# What the owner sets up


def test_a_verified_token_is_stored_without_a_predecessor(any_store: Store, site: Site) -> None:
    site.stored(any_store)
    theirs = site.token()
    tokens = site.start(any_store).tokens

    tokens.adopt(theirs, is_verified=True)

    assert document(any_store) == theirs
    assert tokens.usable() == theirs


def test_an_unverified_token_remembers_the_one_it_replaces(site: Site, memory_store: MemoryStore) -> None:
    old, theirs = site.stored(memory_store), site.token()
    tokens = site.start(memory_store).tokens

    tokens.adopt(theirs, is_verified=False)
    adopted = document(memory_store)
    site.instagram.revoke(theirs.value)
    tokens.use(site.client.profile)

    assert (adopted.value, adopted.predecessor) == (theirs.value, old)
    assert document(memory_store).value == old.value


@pytest.mark.parametrize("count", [2, 3, 9])
def test_several_dead_tokens_set_up_unverified_do_not_lose_the_working_one(
    count: int, site: Site, memory_store: MemoryStore
) -> None:
    old = site.stored(memory_store)
    for number in range(count):
        site.start(memory_store).tokens.adopt(Token(f"IGAAdead{number}"), is_verified=False)

    site.start(memory_store).tokens.use(site.client.profile)

    assert document(memory_store).lineage == old.lineage
    assert site.instagram.alive(document(memory_store).value)


def test_a_dead_token_set_up_unverified_that_has_expired_does_not_lose_the_working_one(
    site: Site, memory_store: MemoryStore
) -> None:
    old = site.stored(memory_store)
    dead = Token("IGAAdead", expires_at=site.clock() + SECOND)
    site.start(memory_store).tokens.adopt(dead, is_verified=False)
    site.clock.forward(seconds=2)

    site.start(memory_store).tokens.adopt(Token("IGAAdeadtoo"), is_verified=False)
    site.start(memory_store).tokens.use(site.client.profile)

    assert document(memory_store).lineage == old.lineage


def test_an_unverified_token_that_replaces_the_environments_counts_as_set_up_by_hand(
    site: Site, memory_store: MemoryStore
) -> None:
    tokens = site.start(memory_store, environment=site.instagram.issue()).tokens
    tokens.usable()
    theirs = site.token()

    tokens.adopt(theirs, is_verified=False)

    changed = site.start(memory_store, environment=site.instagram.issue()).tokens
    assert changed.usable().value == theirs.value


def test_an_unverified_token_does_not_remember_an_expired_one(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, left=timedelta())
    theirs = site.token()

    site.start(memory_store).tokens.adopt(theirs, is_verified=False)

    assert document(memory_store) == theirs


def test_setting_up_replaces_an_unreadable_token(site: Site, memory_store: MemoryStore) -> None:
    memory_store.set(TOKEN_KEY, "no json")
    theirs = site.token()

    site.start(memory_store).tokens.adopt(theirs, is_verified=False)

    assert document(memory_store) == theirs


def test_an_adopted_token_that_cannot_be_stored_is_an_error_and_the_old_one_stays(
    site: Site, upstash: FakeUpstash, upstash_store: UpstashStore
) -> None:
    old = site.stored(upstash_store)
    tokens = site.start(upstash_store).tokens
    tokens.usable()
    upstash.fail("redis_down")

    with pytest.raises(StoreError):
        tokens.adopt(site.token(), is_verified=True)

    assert tokens.usable() == old


def test_a_running_process_uses_the_token_that_another_one_has_set_up(any_store: Store, site: Site) -> None:
    site.stored(any_store)
    running = site.start(any_store).tokens
    running.usable()
    theirs = site.token()

    site.start(any_store).tokens.adopt(theirs, is_verified=True)

    assert running.usable() == theirs


# One renewal at a time


def test_of_two_processes_one_renews_and_the_other_uses_the_old_token_meanwhile(
    any_store: Store,
    site: Site,
    threads: ThreadPoolExecutor,
) -> None:
    old = site.stored(any_store, left=DAY)
    winner, loser = site.start(any_store).tokens, site.start(any_store).tokens

    with site.instagram.hold("renew") as gate:
        renewing = threads.submit(winner.usable)
        assert gate.wait()
        used_meanwhile = loser.usable()
        outcome = loser.renew()

    assert used_meanwhile == old
    assert outcome == RenewalOutcome.LEFT_TO_OTHERS
    assert renewing.result().predecessor == old
    assert site.instagram.count("renew") == 1


class Interrupted(MemoryStore):
    """Does something right after the token is read for the first time, or right before it is swapped."""

    meanwhile: Callable[[], object] | None = None
    before_swap: Callable[[], object] | None = None

    def swap(self, key: str, old: str | None, new: str) -> bool:
        if self.before_swap:
            before, self.before_swap = self.before_swap, None
            before()
        return super().swap(key, old, new)

    def get(self, key: str) -> str | None:
        value = super().get(key)
        if key == TOKEN_KEY and self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return value


def test_a_token_renewed_between_read_and_claim_is_not_renewed_again(site: Site) -> None:
    store = Interrupted(site.clock)
    site.stored(store, left=DAY)
    store.meanwhile = site.start(store).tokens.usable

    token = site.start(store).tokens.usable()

    assert site.instagram.count("renew") == 1
    assert token == document(store)


@to_the_moment
@pytest.mark.parametrize(("seconds", "renewals"), [(59, 0), (60, 1), (61, 1)])
def test_a_renewal_that_crashed_delays_the_next_one_for_a_minute(
    seconds: int,
    renewals: int,
    site: Site,
    memory_store: MemoryStore,
) -> None:
    site.stored(memory_store, left=DAY)
    memory_store.claim("claim:renewal:1", timedelta(seconds=60))
    site.clock.forward(seconds=seconds)

    site.start(memory_store).tokens.usable()

    assert site.instagram.count("renew") == renewals


# When a renewal fails


@pytest.mark.parametrize("fault", EVERY_FAILURE.values(), ids=EVERY_FAILURE.keys())
def test_no_failed_renewal_changes_the_stored_token(fault: fake.Fault, site: Site, memory_store: MemoryStore) -> None:
    old = site.stored(memory_store, left=DAY)
    before = memory_store.get(TOKEN_KEY)
    site.instagram.fail("renew", fault)
    tokens = site.start(memory_store).tokens

    used = tokens.usable()

    assert used == old
    assert memory_store.get(TOKEN_KEY) == before
    assert site.instagram.count("renew") > 0
    failure = tokens.report().last_renewal
    assert failure is not None
    assert failure.failure is not None


@to_the_moment
@pytest.mark.parametrize(
    ("left", "pause"),
    [(3 * DAY, HOUR), (DAY, HOUR), (DAY - SECOND, timedelta(minutes=5))],
    ids=["days left", "a day left", "less than a day left"],
)
def test_a_failed_renewal_pauses_visitors_for_an_hour_and_on_the_last_day_for_five_minutes(
    left: timedelta,
    pause: timedelta,
    site: Site,
    memory_store: MemoryStore,
) -> None:
    site.stored(memory_store, left=left)
    site.instagram.fail("renew", fake.APP_LIMIT)
    site.start(memory_store).tokens.usable()
    counts = []
    for step in (pause - SECOND, SECOND):
        site.clock.now += step
        site.start(memory_store).tokens.usable()
        counts.append(site.instagram.count("renew"))

    assert counts == [1, 2]


@to_the_moment
@pytest.mark.parametrize(("late", "renewals"), [(-SECOND, 0), (timedelta(), 1)], ids=["before", "on"])
def test_a_token_of_unknown_expiry_that_cannot_be_renewed_is_tried_again_after_an_hour(
    late: timedelta, renewals: int, site: Site, memory_store: MemoryStore
) -> None:
    put(memory_store, Token(site.instagram.issue()))
    site.instagram.fail("renew", fake.UNSUPPORTED_REQUEST)
    site.start(memory_store).tokens.usable()
    site.instagram.forget_calls()

    site.clock.now += HOUR + late
    site.start(memory_store).tokens.usable()

    assert site.instagram.count("renew") == renewals


def test_the_owner_and_the_cron_do_not_wait_for_the_pause_to_end(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, left=DAY)
    site.instagram.fail("renew", fake.APP_LIMIT, times=2)
    tokens = site.start(memory_store).tokens
    tokens.usable()

    with pytest.raises(RateLimited):
        tokens.renew()
    outcome = tokens.renew()

    assert outcome == RenewalOutcome.RENEWED


def test_the_pause_after_a_failure_does_not_apply_to_another_token(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store, left=DAY)
    site.instagram.fail("renew", fake.APP_LIMIT, times=1)
    tokens = site.start(memory_store).tokens
    tokens.usable()
    theirs = site.token(left=DAY)
    tokens.adopt(theirs, is_verified=True)

    assert tokens.usable().predecessor == theirs


def test_a_young_token_of_unknown_age_says_that_the_refusal_is_harmless(site: Site, memory_store: MemoryStore) -> None:
    value = site.instagram.issue(age=HOUR)
    tokens = site.start(memory_store, environment=value).tokens

    assert tokens.use(lambda used: used) == value

    last = tokens.report().last_renewal
    assert last is not None
    assert last.failure is not None
    assert "younger than 24 hours" in last.failure.hint


# When the reply to a renewal is lost


LOST_REPLIES: dict[str, fake.Fault] = {
    "reset": fake.reset_after(),
    "closed": fake.close_after(),
    "a 502 in its place": fake.done_but(fake.html_error(502)),
}
"""Instagram has renewed the token, and its reply was lost."""


@pytest.mark.parametrize("fault", LOST_REPLIES.values(), ids=LOST_REPLIES)
def test_a_renewal_whose_reply_was_lost_is_repeated_after_a_read_with_the_old_value(
    fault: fake.Fault, site: Site, memory_store: MemoryStore
) -> None:
    old = site.stored(memory_store)
    site.instagram.fail("renew", fault, times=1)

    outcome = site.start(memory_store).tokens.renew()

    assert outcome == RenewalOutcome.RENEWED
    assert [call.endpoint for call in site.instagram.calls] == ["renew", "profile", "renew"]
    assert {call.params["access_token"] for call in site.instagram.calls} == {old.value}
    assert site.instagram.alive(document(memory_store).value)


@pytest.mark.parametrize("fault", LOST_REPLIES.values(), ids=LOST_REPLIES)
def test_if_the_old_value_ended_with_the_lost_reply_the_error_says_so_and_nothing_is_repeated(
    fault: fake.Fault, site: Site, memory_store: MemoryStore
) -> None:
    site.instagram.old_string_survives = False
    site.stored(memory_store)
    site.instagram.fail("renew", fault, times=1)

    with pytest.raises(TokenRejected, match="its answer never came") as lost:
        site.start(memory_store).tokens.renew()

    assert "setup-token" in lost.value.hint
    assert [call.endpoint for call in site.instagram.calls] == ["renew", "profile"]


def test_if_the_old_value_ended_with_the_lost_reply_another_known_token_is_renewed(
    site: Site, memory_store: MemoryStore
) -> None:
    site.instagram.old_string_survives = False
    site.stored(memory_store)
    site.instagram.fail("renew", fake.reset_after(), times=1)

    outcome = site.start(memory_store, environment=site.instagram.issue()).tokens.renew()

    assert outcome == RenewalOutcome.RENEWED
    assert site.instagram.alive(document(memory_store).value)


def test_the_attempt_after_one_without_a_reply_begins_with_a_read(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store)
    site.instagram.fail("renew", fake.reset_after())
    with pytest.raises(InstagramUnreachable):
        site.start(memory_store).tokens.renew()
    site.instagram.heal()
    site.instagram.forget_calls()

    site.start(memory_store).tokens.renew()

    assert [call.endpoint for call in site.instagram.calls] == ["profile", "renew"]


def test_a_renewal_that_was_never_sent_is_repeated_without_a_read(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store)
    site.instagram.stop()
    tokens = site.start(memory_store).tokens
    with pytest.raises(InstagramUnreachable):
        tokens.renew()
    site.instagram.start()

    tokens.renew()

    assert [call.endpoint for call in site.instagram.calls] == ["renew"]


def test_a_visitor_who_waits_for_the_first_feed_waits_for_no_renewal(
    site: Site, memory_store: MemoryStore, threads: ThreadPoolExecutor
) -> None:
    site.stored(memory_store, left=DAY)
    process = site.start(memory_store)

    with site.instagram.hold("renew"):
        shown = threads.submit(process.feed.first).result(timeout=30)

    process.tokens.keep_alive()
    assert shown.posts
    assert site.instagram.count("renew") == 1
    assert is_just_renewed(document(memory_store), site)


# Two processes at once, if a renewal ends the old value


def test_of_two_crons_at_once_both_fetch_although_a_renewal_ends_the_old_value(
    any_store: Store, site: Site, threads: ThreadPoolExecutor
) -> None:
    site.instagram.old_string_survives = False
    old = site.stored(any_store)
    answers, asked_in_vain = Event(), Event()

    def end_the_old_string_and_answer_late(exchange: fake.Exchange) -> None:
        answer = exchange.execute()
        answers.set()
        assert asked_in_vain.wait(30)
        exchange.send(answer)

    def wait_in_vain(seconds: float) -> None:
        asked_in_vain.set()
        renewing.result(timeout=30)

    site.instagram.fail("renew", end_the_old_string_and_answer_late, times=1)
    winner = site.start(any_store).tokens
    loser = site.start(any_store, sleep=wait_in_vain).tokens
    renewing = threads.submit(winner.renew)
    assert answers.wait(30)

    outcome = loser.renew()
    profile = loser.use(site.client.profile)

    assert (outcome, renewing.result()) == (RenewalOutcome.LEFT_TO_OTHERS, RenewalOutcome.RENEWED)
    assert profile.username == fake.USERNAME
    assert not site.instagram.alive(old.value)
    assert site.instagram.count("renew") == 1


def test_a_rejected_token_raises_at_once_if_no_process_is_renewing(site: Site, memory_store: MemoryStore) -> None:
    token = site.stored(memory_store)
    site.instagram.revoke(token.value)
    pauses: list[float] = []

    with pytest.raises(TokenRejected):
        site.start(memory_store, sleep=pauses.append).tokens.use(site.client.profile)

    assert pauses == []


def test_the_wait_for_a_renewal_of_another_process_has_a_limit(site: Site, memory_store: MemoryStore) -> None:
    token = site.stored(memory_store)
    site.instagram.revoke(token.value)
    memory_store.claim("claim:renewal:1", timedelta(seconds=60))
    pauses: list[float] = []

    with pytest.raises(TokenRejected):
        site.start(memory_store, sleep=pauses.append).tokens.use(site.client.profile)

    assert 5 < sum(pauses) < 20


# The outcome of a renewal


ODD_LIVES: dict[str, dict[str, object]] = {
    "none": {},
    "null": {"expires_in": None},
    "zero": {"expires_in": 0},
    "words": {"expires_in": "never"},
    "a date": {"expires": 1_798_761_600},
}


@pytest.mark.parametrize("does_string_change", [True, False])
@pytest.mark.parametrize("life", ODD_LIVES.values(), ids=ODD_LIVES)
def test_a_renewed_token_without_a_readable_expiry_is_kept_and_due_again_after_a_day(
    life: dict[str, object], does_string_change: bool, site: Site, memory_store: MemoryStore
) -> None:
    site.instagram.old_string_survives = False
    site.instagram.renewal_changes_string = does_string_change
    old = site.stored(memory_store, left=DAY)

    def leave_the_life_out(exchange: fake.Exchange) -> None:
        value = json.loads(exchange.execute().body)["access_token"]
        exchange.send(fake.reply({"access_token": f"{value}\n", "token_type": "bearer", **life}))

    site.instagram.fail("renew", leave_the_life_out)
    tokens = site.start(memory_store).tokens
    tokens.use(site.client.profile)
    kept = document(memory_store)
    site.clock.forward(hours=24)
    tokens.use(site.client.profile)

    assert (kept.value != old.value, kept.expires_at) == (does_string_change, None)
    assert site.instagram.count("renew") == 2
    assert site.instagram.alive(document(memory_store).value)


def test_a_requested_renewal_is_made_however_much_time_the_token_has_left(
    site: Site, memory_store: MemoryStore
) -> None:
    old = site.stored(memory_store, age=DAY, left=59 * DAY)

    outcome = site.start(memory_store).tokens.renew()

    assert outcome == RenewalOutcome.RENEWED
    assert document(memory_store).predecessor == old


@to_the_moment
@pytest.mark.parametrize(
    ("age", "outcome"),
    [(DAY - SECOND, RenewalOutcome.NOT_DUE), (DAY, RenewalOutcome.RENEWED), (DAY + SECOND, RenewalOutcome.RENEWED)],
)
def test_a_token_renewed_less_than_a_day_ago_is_not_due(
    age: timedelta,
    outcome: RenewalOutcome,
    site: Site,
    memory_store: MemoryStore,
) -> None:
    site.stored(memory_store)
    site.start(memory_store).tokens.renew()
    site.clock.now += age

    assert site.start(memory_store).tokens.renew() == outcome
    assert site.instagram.count("renew") == (1 if outcome == RenewalOutcome.NOT_DUE else 2)


@to_the_moment
def test_a_token_set_up_a_moment_ago_is_too_young(site: Site, memory_store: MemoryStore) -> None:
    site.stored(memory_store)
    tokens = site.start(memory_store).tokens
    tokens.renew()
    tokens.adopt(site.token(age=DAY - SECOND, left=59 * DAY), is_verified=True)

    assert tokens.renew() == RenewalOutcome.TOO_YOUNG
    assert site.instagram.count("renew") == 1


# Encryption


def test_with_a_key_the_token_cannot_be_read_in_the_store(site: Site, memory_store: MemoryStore) -> None:
    token = site.token()
    tokens = site.start(memory_store, cipher=FernetCipher([KEY_A])).tokens

    tokens.adopt(token, is_verified=True)

    assert token.value not in str(memory_store.get(TOKEN_KEY))
    assert site.start(memory_store, cipher=FernetCipher([KEY_B, KEY_A])).tokens.usable() == token


def test_a_token_stored_before_there_was_a_key_is_read_and_then_written_encrypted(
    site: Site, memory_store: MemoryStore
) -> None:
    site.stored(memory_store, left=DAY)

    renewed = site.start(memory_store, cipher=FernetCipher([KEY_A])).tokens.usable()

    assert renewed.value not in str(memory_store.get(TOKEN_KEY))


@pytest.mark.parametrize("cipher", [None, FernetCipher([KEY_B])], ids=["no key", "another key"])
@pytest.mark.parametrize("with_environment", [False, True])
def test_a_token_that_no_key_decrypts_is_a_clear_error_and_is_kept_as_it_is(
    with_environment: bool,
    cipher: FernetCipher | None,
    site: Site,
    memory_store: MemoryStore,
) -> None:
    site.start(memory_store, cipher=FernetCipher([KEY_A])).tokens.adopt(site.token(), is_verified=True)
    before = memory_store.get(TOKEN_KEY)
    environment = site.instagram.issue() if with_environment else None
    tokens = site.start(memory_store, cipher=cipher, environment=environment).tokens

    if with_environment:
        tokens.use(site.client.profile)
    else:
        with pytest.raises(StoreError):
            tokens.use(site.client.profile)

    error = tokens.report().store_error
    assert error is not None
    assert "IGFEED_ENCRYPTION_KEY" in error.hint
    assert memory_store.get(TOKEN_KEY) == before


# Secrets


def test_no_token_value_appears_in_printed_objects(site: Site, memory_store: MemoryStore) -> None:
    old = site.stored(memory_store, left=DAY)
    tokens = site.start(memory_store).tokens
    renewed = tokens.usable()

    printed = f"{renewed!r} {renewed} {tokens!r} {tokens.report()!r} {memory_store.get(RENEWAL_KEY)}"

    assert renewed.predecessor == old
    assert old.value not in printed
    assert renewed.value not in printed


@pytest.mark.parametrize("fault", EVERY_FAILURE.values(), ids=EVERY_FAILURE.keys())
def test_no_token_value_appears_in_the_log_or_in_an_error(
    fault: fake.Fault,
    site: Site,
    memory_store: MemoryStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    old = site.stored(memory_store, left=DAY)
    tokens = site.start(memory_store).tokens
    site.instagram.fail("renew", fault)

    caplog.set_level(logging.DEBUG, logger="igfeed")
    tokens.usable()
    with pytest.raises(InstagramError) as failed:
        tokens.renew()

    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("igfeed"))
    assert "could not be renewed" in logged
    assert old.value not in logged
    assert old.value not in str(tokens.report().last_renewal)
    assert old.value not in told_by(failed.value)


def test_no_token_value_appears_in_the_log_of_a_renewal_or_of_a_rejection(
    site: Site,
    memory_store: MemoryStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    old = site.stored(memory_store, left=DAY)
    tokens = site.start(memory_store).tokens

    with caplog.at_level(logging.DEBUG, logger="igfeed"):
        renewed = tokens.usable()
        site.instagram.revoke(renewed.value)
        tokens.use(site.client.profile)

    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("igfeed"))
    assert "was renewed" in logged
    assert "was rejected" in logged
    assert old.value not in logged
    assert renewed.value not in logged


# Defects that were found in use


def test_a_call_during_another_processs_renewal_is_repeated_with_the_renewed_token(
    site: Site, memory_store: MemoryStore
) -> None:
    site.instagram.old_string_survives = False
    site.stored(memory_store)
    one, other = site.start(memory_store).tokens, site.start(memory_store).tokens
    first = one.usable()

    def call(value: str) -> str:
        if value == first.value:
            other.renew()  # It happens while our call is under way.
        return site.client.profile(value).username

    assert one.use(call) == "studio.nord"
    assert document(memory_store).value != first.value


def test_a_rejection_carries_the_fingerprint_of_the_rejected_token(site: Site, memory_store: MemoryStore) -> None:
    token = site.stored(memory_store)
    site.instagram.revoke(token.value)

    with pytest.raises(TokenRejected) as caught:
        site.start(memory_store).tokens.use(site.client.profile)

    assert caught.value.token == token.fingerprint


def test_a_mistyped_variable_does_not_lose_the_stored_token(site: Site, memory_store: MemoryStore) -> None:
    first = site.token(left=5 * DAY)
    site.start(memory_store, environment=first.value).tokens.renew()
    site.clock.forward(days=2)

    tokens = site.start(memory_store, environment="IGAAtypo").tokens
    assert tokens.use(site.client.profile).username == "studio.nord"
    good = document(memory_store)
    site.clock.forward(days=2)
    outcome = site.start(memory_store, environment="IGAAtypo").tokens.renew()

    assert site.instagram.alive(good.value)
    assert outcome is RenewalOutcome.RENEWED
    assert document(memory_store).value != good.value
