"""Ten simulated years of a token's life, with the failures chosen by Hypothesis. See `lab.simulation`."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igfeed.clock import CheckedClock
from igfeed.http.transport import Transport
from igfeed.instagram.client import InstagramClient
from igfeed.models import Token
from igfeed.origins import Origins
from igfeed.stores import Store
from igfeed.stores.sqlite import SqliteStore
from igfeed.stores.upstash import UpstashStore
from lab.simulation import (
    HOURS_OF_A_YEAR,
    LIFETIMES,
    SECOND,
    Fate,
    Life,
    Loss,
    Luck,
    Mishap,
    Mood,
    Played,
    Process,
    Rule,
    Spell,
    Strings,
    Violation,
    Visits,
    World,
    WorldClock,
    drawn,
    in_document,
    many,
    only_under_seven_days,
    renews_whenever_it_may,
)
from tests.harness.site import no_sleep
from tests.servers import instagram as fake
from tests.servers.upstash import FakeUpstash

T = TypeVar("T")

WEEK = 7 * 24
TEN_YEARS = 10 * HOURS_OF_A_YEAR
FIRST_CRON = Luck().first_cron
THE_SAVING_FAILS = Mishap(1, 7, Fate.FAILS)
"""The store fails when the first cron run saves its renewed token, which so stays in its process."""


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Without this, writing thousands of intended warnings would take most of the time."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def broken_claim(luck: Luck) -> str | None:
    """What the token manager did against its claim in all these years; None if nothing."""
    try:
        World(luck).live()
    except Violation as violation:
        return str(violation)
    return None


def lucks(years: float, weeks: float, mishaps: int) -> st.SearchStrategy[Luck]:
    """Spells of failures that begin in any of these years, and single mishaps in the turns of the first weeks."""
    hours = st.integers(0, int(years * HOURS_OF_A_YEAR))
    spells = st.builds(Spell, st.sampled_from(Mood), hours, st.integers(1, 9 * WEEK))
    visits = st.builds(Visits, hours, st.integers(1, 20), st.sampled_from((1, 6, 45, 65, 24 * 60, 9 * 24 * 60)))
    mishap = st.builds(Mishap, st.integers(1, int(weeks)), st.integers(0, 14), st.sampled_from(Fate))
    minutes = st.integers(-5, 5)
    return st.builds(
        Luck,
        years=st.just(years),
        strings=st.sampled_from(Strings),
        lifetime=st.integers(0, len(LIFETIMES) - 1),
        has_environment=st.booleans(),
        clocks=st.tuples(minutes, minutes),
        call_seconds=st.sampled_from((0, 1, 7)),
        turns_each=st.sampled_from((0, 1, 2, 5)),
        restarts_every=st.sampled_from((0, 1, 3)),
        first_cron=st.integers(0, WEEK),
        spells=st.lists(spells, max_size=20).map(tuple),
        visits=st.lists(visits, max_size=6).map(tuple),
        mishaps=st.lists(mishap, max_size=mishaps).map(tuple),
    )


# The claim


@given(lucks(years=10, weeks=500, mishaps=40))
@settings(max_examples=25)
def test_in_ten_years_the_token_is_lost_only_if_every_chance_failed_for_reasons_outside(luck: Luck) -> None:
    assert broken_claim(luck) is None


@given(lucks(years=0.5, weeks=25, mishaps=30))
@settings(max_examples=120)
def test_no_mishap_in_the_middle_of_a_turn_makes_the_token_worse(luck: Luck) -> None:
    assert broken_claim(luck) is None


def test_histories_of_every_kind_of_luck_keep_the_claim() -> None:
    table = many(range(1, 16), years=10)

    assert table.violations == []
    assert table.counts["renewals"] > 1000


@pytest.mark.parametrize("strings", Strings)
@pytest.mark.parametrize("restarts_every", [0, 1], ids=["server", "serverless"])
def test_with_good_luck_every_cron_run_of_ten_years_renews(strings: Strings, restarts_every: int) -> None:
    ending = World(Luck(strings=strings, restarts_every=restarts_every, turns_each=1)).live()

    assert ending.loss is None
    assert ending.renewals == ending.cron_runs == 522


def test_without_any_cron_the_visitors_alone_keep_the_token_alive() -> None:
    no_cron = Spell(Mood.NO_CRON, 0, TEN_YEARS)
    one_every_five_days = Visits(0, 720, 5 * 24 * 60)

    ending = World(Luck(spells=(no_cron,), visits=(one_every_five_days,))).live()

    assert ending.loss is None
    assert ending.cron_runs == 0


# One thing at a time, at every place


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("strings", Strings)
@pytest.mark.parametrize("fate", Fate)
def test_no_single_mishap_breaks_the_claim_wherever_it_falls(fate: Fate, strings: Strings, processes: int) -> None:
    broken = {}
    for call in range(1, 14):
        mishaps = (Mishap(3, call, fate),)
        luck = Luck(years=0.12, strings=strings, turns_each=processes - 1, mishaps=mishaps)
        broken[call] = broken_claim(luck)

    assert [(call, claim) for call, claim in broken.items() if claim] == []


WHILE_SAVING_LATE = (Fate.OTHER_TURN, Fate.STALE, Fate.OLD, Fate.KILLED)


@pytest.mark.parametrize("strings", Strings)
@pytest.mark.parametrize("fate", WHILE_SAVING_LATE)
def test_no_mishap_while_a_late_save_is_made_up_for_breaks_the_claim(fate: Fate, strings: Strings) -> None:
    broken = {}
    for turn, call, turns_each in product((2, 3), range(1, 13), (1, 2)):
        mishaps = (THE_SAVING_FAILS, Mishap(turn, call, fate))
        luck = Luck(years=0.15, strings=strings, turns_each=turns_each, mishaps=mishaps)
        broken[turn, call, turns_each] = broken_claim(luck)

    assert [(where, claim) for where, claim in broken.items() if claim] == []


def test_after_a_store_failure_a_week_ago_the_cron_still_renews() -> None:
    assert broken_claim(Luck(years=0.1, mishaps=(Mishap(1, 1, Fate.FAILS),))) is None


def test_an_unsaved_expired_token_is_replaced_by_the_unexpired_one_in_the_store() -> None:
    the_write_fails = Mishap(10, 7, Fate.FAILS)

    assert broken_claim(Luck(years=0.6, turns_each=10, mishaps=(the_write_fails,))) is None


def test_an_unsaved_unexpired_token_is_not_replaced_by_an_expired_one_in_the_store() -> None:
    down_for_eight_weeks = Spell(Mood.STORE_DOWN, FIRST_CRON + 1, 8 * WEEK)

    assert broken_claim(Luck(years=0.3, turns_each=1, has_environment=True, spells=(down_for_eight_weeks,))) is None


# The weaker rule


def ordinary(seed: int) -> Luck:
    """No visitors, and one bad week in about two months: the cron does not run, or Instagram renews nothing."""
    chance = Random(seed)
    spells = []
    begins = chance.randrange(60 * 24)
    while begins < TEN_YEARS:
        spells.append(Spell(chance.choice((Mood.NO_CRON, *_REFUSALS)), begins, 8 * 24))
        begins += chance.randint(30 * 24, 90 * 24)
    return Luck(strings=chance.choice(list(Strings)), first_cron=chance.randrange(WEEK), spells=tuple(spells))


_REFUSALS = (Mood.RENEWALS_LIMITED, Mood.RENEWALS_UNEXPECTED, Mood.RENEWALS_REFUSED, Mood.INSTAGRAM_DOWN)


def losses(rule: Rule, seeds: range) -> int:
    return sum(World(ordinary(seed), rule).live().loss is not None for seed in seeds)


def test_on_the_same_luck_a_cron_that_renews_under_seven_days_only_loses_tokens_and_ours_none() -> None:
    seeds = range(10)

    assert losses(renews_whenever_it_may, seeds) == 0
    assert losses(only_under_seven_days, seeds) > 0


# Mistakes that other programs make


def day_by_day(luck: Luck) -> World:
    world = World(luck)
    world.live()
    return world


@pytest.mark.parametrize("mood", _REFUSALS)
def test_a_failed_renewal_leaves_the_stored_token_as_it_is(mood: Mood) -> None:
    luck = Luck(years=0.1, spells=(Spell(mood, 0, TEN_YEARS),))
    before = World(luck).document

    world = day_by_day(luck)

    assert world.document == before
    assert world.oracle.renewals == 0


@pytest.mark.parametrize("start", range(0, WEEK, 12))
def test_the_cron_spacing_leaves_room_for_seven_failures_from_whatever_hour_it_starts(start: int) -> None:
    seven_of_eight = (start + 24 + week * WEEK for week in range(2, 100, 8))
    failing = tuple(Spell(Mood.RENEWALS_LIMITED, begins, 7 * WEEK - 1) for begins in seven_of_eight)
    luck = Luck(years=2, first_cron=start + 24 + WEEK, spells=failing)

    assert World(luck).live().loss is None
    assert World(luck, only_under_seven_days).live().loss is not None


def test_the_next_try_does_not_wait_for_a_success() -> None:
    world = World(Luck(years=0.12, spells=(Spell(Mood.RENEWALS_LIMITED, 0, 5 * WEEK),)))

    world.live()

    results = [told.split(": ")[1].split(",")[0] for told in world.told]
    assert results == ["RateLimited"] * 5 + ["renewed"] * 2


def test_a_renewed_value_that_could_not_be_written_is_written_once_the_store_takes_it() -> None:
    luck = Luck(years=0.01, strings=Strings.OLD_DIES, mishaps=(THE_SAVING_FAILS,))
    finds_the_store_and_saves = Visits(FIRST_CRON + 1, 2, 1)

    lost_write, later = day_by_day(luck), day_by_day(replace(luck, visits=(finds_the_store_and_saves,)))

    assert in_document(lost_write.document)[0].value == "IGAA-0"
    assert in_document(later.document)[0].value == "IGAA-1"


def test_a_token_younger_than_a_day_is_left_alone_and_is_no_error() -> None:
    world = World(Luck(years=0.01, first_cron=23))

    world.live()

    assert world.told == ["cron: too_young, used"]


def test_an_expired_token_is_not_deleted() -> None:
    world = World(Luck(years=0.5, spells=(Spell(Mood.NO_CRON, 0, TEN_YEARS),), visits=(Visits(61 * 24, 3, 1),)))
    before = world.document

    ending = world.live()

    assert ending.loss == Loss.NO_CHANCE
    assert world.document == before


# The real stores, and the real chain over HTTP


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_the_same_history_happens_on_an_embedded_store(seed: int, tmp_path: Path) -> None:
    luck = drawn(Random(seed), years=0.5)

    def on_disk(world: World) -> Played:
        return Played(world, SqliteStore(tmp_path / "store.sqlite3", WorldClock(world)))

    in_memory, embedded = World(luck), World(luck, parts=on_disk)
    endings = in_memory.live(), embedded.live()

    assert endings[0] == endings[1]
    assert in_memory.told == embedded.told
    assert in_memory.document == embedded.document


FAULTS: dict[Mood, fake.Fault] = {
    Mood.INSTAGRAM_DOWN: fake.TEMPORARY,
    Mood.RENEWALS_LIMITED: fake.APP_LIMIT,
    Mood.RENEWALS_UNEXPECTED: fake.UNSUPPORTED_REQUEST,
    Mood.RENEWALS_REFUSED: fake.PERMISSION,
}


class Ageing(UpstashStore):
    """Lets the server age by the simulated seconds before each claim, because Valkey counts real ones."""

    def __init__(self, world: World, upstash: FakeUpstash, store: UpstashStore) -> None:
        self._run = store._run  # type: ignore[method-assign]
        self._world = world
        self._upstash = upstash
        self._seen = world.now

    def claim(self, key: str, ttl: object) -> bool:
        self._upstash.elapse((self._world.now - self._seen).total_seconds())
        self._seen = self._world.now
        return super().claim(key, ttl)  # type: ignore[arg-type]


class ServedBooks:
    """The fake Instagram's tokens, in the shape that the oracle expects."""

    def __init__(self, instagram: fake.FakeInstagram) -> None:
        self._instagram = instagram

    @property
    def lives(self) -> dict[str, Life]:
        known = self._instagram._tokens.items()
        return {text: Life(token.issued, token.expires, token.refusal is not None) for text, token in known}

    def works(self, string: str, now: object) -> bool:
        return string in self._instagram._tokens and self._instagram.alive(string)


class Served:
    """The real client and the real store over HTTP, with failures made by the fake servers."""

    def __init__(
        self, world: World, instagram: fake.FakeInstagram, upstash: FakeUpstash, connection: UpstashStore
    ) -> None:
        self._world = world
        self._instagram = instagram
        self._upstash = upstash
        self._store = Ageing(world, upstash, connection)
        self._renewals = 0
        instagram.clock = lambda: world.now
        instagram.issue(age=0 * SECOND, life=LIFETIMES[world.luck.lifetime] * SECOND, string="IGAA-0")
        instagram.renewal_changes_string = world.luck.strings != Strings.STAYS
        instagram.old_string_survives = world.luck.strings != Strings.OLD_DIES
        world.books = ServedBooks(instagram)  # type: ignore[assignment]

    def store(self, process: Process) -> Store:
        return self._store

    def store_fails(self, call: Callable[[], T], *, is_done: bool) -> T:
        self._upstash.fail("reset_after" if is_done else "redis_down")
        try:
            return call()
        finally:
            self._upstash.heal()

    def renew(self, process: Process, token: str, *, is_stillborn: bool) -> Token:
        return self._client(process).renew(token)

    def read(self, process: Process, token: str) -> None:
        self._client(process).profile(token)

    def instagram_fails(self, call: Callable[[], T], mood: Mood, *, is_done: bool) -> T:
        self._instagram.fail("*", fake.reset_after() if is_done else FAULTS[mood])
        try:
            return call()
        finally:
            self._instagram.heal()

    def _client(self, process: Process) -> InstagramClient:
        return InstagramClient(
            url=self._instagram.url,
            version="v25.0",
            media_origins=Origins(self._instagram.url),
            transport=Transport(user_agent="igfeed/test"),
            clock=CheckedClock(WorldClock(self._world, process.clock.ahead)),
            sleep=no_sleep,
        )


LEAST_HARM = [fate for fate in Fate if fate != Fate.STILLBORN]
"""Not STILLBORN: only the simulated Instagram can decide which value never works."""


def in_one_month(seed: int) -> Luck:
    """Few turns and many failures, because the real servers are slow."""
    chance = Random(seed)
    spells = tuple(Spell(mood, chance.randrange(5 * WEEK), chance.randint(1, WEEK)) for mood in Mood)
    mishaps = tuple(Mishap(chance.randint(1, 12), chance.randint(1, 10), chance.choice(LEAST_HARM)) for _ in range(9))
    return Luck(
        years=0.1,
        strings=chance.choice((Strings.CHANGES, Strings.STAYS, Strings.OLD_DIES)),
        turns_each=chance.choice((0, 1)),
        spells=spells,
        visits=(Visits(chance.randrange(5 * WEEK), 4, 30),),
        mishaps=mishaps,
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_simulation_ends_as_the_real_chain_over_http_does(
    seed: int, instagram: fake.FakeInstagram, upstash: FakeUpstash, upstash_connection: UpstashStore
) -> None:
    luck = in_one_month(seed)

    played = World(luck)
    served = World(luck, parts=lambda world: Served(world, instagram, upstash, upstash_connection))
    losses = played.live().loss is None, served.live().loss is None

    assert served.told == played.told
    assert losses[0] == losses[1]
    assert _shape(served) == _shape(played)


def _shape(world: World) -> list[tuple[bool, object]]:
    return [(each.value == "IGAA-0", each.issued) for each in in_document(world.document)]
