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
from lab.simulation.backends import InMemoryBackends
from lab.simulation.checker import Loss, Violation
from lab.simulation.histories import random_scenario, run_many
from lab.simulation.run import Rule, Simulation, only_under_seven_days, renews_whenever_it_may
from lab.simulation.scenario import (
    HOURS_OF_A_YEAR,
    LIFETIMES,
    SECOND,
    CallOutcome,
    Mishap,
    Outage,
    OutagePeriod,
    Scenario,
    StringPolicy,
    Visits,
)
from lab.simulation.state import SimulationClock, SimulationState
from lab.simulation.tokens import ProcessKnowledge, TokenRecord, in_document
from tests.harness.site import no_sleep
from tests.servers import instagram as fake
from tests.servers.upstash import FakeUpstash

T = TypeVar("T")

WEEK = 7 * 24
TEN_YEARS = 10 * HOURS_OF_A_YEAR
FIRST_CRON = Scenario().first_cron
THE_SAVING_FAILS = Mishap(1, 7, CallOutcome.FAILS)
"""The store fails when the first cron run saves its renewed token, which so stays in its process."""


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Without this, writing thousands of intended warnings would take most of the time."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def broken_claim(scenario: Scenario) -> str | None:
    """What the token manager did against its claim in all these years; None if nothing."""
    try:
        Simulation(scenario).live()
    except Violation as violation:
        return str(violation)
    return None


def scenarios(years: float, weeks: float, mishaps: int) -> st.SearchStrategy[Scenario]:
    """Spells of failures that begin in any of these years, and single mishaps in the turns of the first weeks."""
    hours = st.integers(0, int(years * HOURS_OF_A_YEAR))
    periods = st.builds(OutagePeriod, st.sampled_from(Outage), hours, st.integers(1, 9 * WEEK))
    visits = st.builds(Visits, hours, st.integers(1, 20), st.sampled_from((1, 6, 45, 65, 24 * 60, 9 * 24 * 60)))
    mishap = st.builds(Mishap, st.integers(1, int(weeks)), st.integers(0, 14), st.sampled_from(CallOutcome))
    minutes = st.integers(-5, 5)
    return st.builds(
        Scenario,
        years=st.just(years),
        string_policy=st.sampled_from(StringPolicy),
        lifetime=st.integers(0, len(LIFETIMES) - 1),
        has_environment=st.booleans(),
        clocks=st.tuples(minutes, minutes),
        call_seconds=st.sampled_from((0, 1, 7)),
        invocations_each=st.sampled_from((0, 1, 2, 5)),
        restarts_every=st.sampled_from((0, 1, 3)),
        first_cron=st.integers(0, WEEK),
        periods=st.lists(periods, max_size=20).map(tuple),
        visits=st.lists(visits, max_size=6).map(tuple),
        mishaps=st.lists(mishap, max_size=mishaps).map(tuple),
    )


# The claim


@given(scenarios(years=10, weeks=500, mishaps=40))
@settings(max_examples=8)
def test_in_ten_years_the_token_is_lost_only_if_every_chance_failed_for_reasons_outside(scenario: Scenario) -> None:
    assert broken_claim(scenario) is None


@given(scenarios(years=0.5, weeks=25, mishaps=30))
@settings(max_examples=60)
def test_no_mishap_in_the_middle_of_a_turn_makes_the_token_worse(scenario: Scenario) -> None:
    assert broken_claim(scenario) is None


def test_histories_of_every_kind_of_luck_keep_the_claim() -> None:
    table = run_many(range(1, 5), years=10)

    assert table.violations == []
    assert table.counts["renewals"] > 1000


@pytest.mark.parametrize("string_policy", StringPolicy)
@pytest.mark.parametrize("restarts_every", [0, 1], ids=["server", "serverless"])
def test_with_good_luck_every_cron_run_of_ten_years_renews(string_policy: StringPolicy, restarts_every: int) -> None:
    ending = Simulation(Scenario(string_policy=string_policy, restarts_every=restarts_every, invocations_each=1)).live()

    assert ending.loss is None
    assert ending.renewals == ending.cron_runs == 522


def test_a_daily_cron_keeps_the_claim_and_renews_every_day_or_two() -> None:
    table = run_many(range(1, 5), years=2, cron_days=1)
    lucky = Simulation(Scenario(years=1, cron_days=1)).live()

    assert table.violations == []
    assert lucky.loss is None
    assert lucky.cron_runs / 2 <= lucky.renewals <= lucky.cron_runs


def test_without_any_cron_the_visitors_alone_keep_the_token_alive() -> None:
    no_cron = OutagePeriod(Outage.NO_CRON, 0, TEN_YEARS)
    one_every_five_days = Visits(0, 720, 5 * 24 * 60)

    ending = Simulation(Scenario(periods=(no_cron,), visits=(one_every_five_days,))).live()

    assert ending.loss is None
    assert ending.cron_runs == 0


# One thing at a time, at every place


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("string_policy", StringPolicy)
@pytest.mark.parametrize("outcome", CallOutcome)
def test_no_single_mishap_breaks_the_claim_wherever_it_falls(
    outcome: CallOutcome, string_policy: StringPolicy, processes: int
) -> None:
    broken = {}
    for call in range(1, 14):
        mishaps = (Mishap(3, call, outcome),)
        scenario = Scenario(years=0.12, string_policy=string_policy, invocations_each=processes - 1, mishaps=mishaps)
        broken[call] = broken_claim(scenario)

    assert [(call, claim) for call, claim in broken.items() if claim] == []


WHILE_SAVING_LATE = (CallOutcome.INTERLEAVED, CallOutcome.STALE, CallOutcome.OLD, CallOutcome.KILLED)


@pytest.mark.parametrize("string_policy", StringPolicy)
@pytest.mark.parametrize("outcome", WHILE_SAVING_LATE)
def test_no_mishap_while_a_late_save_is_made_up_for_breaks_the_claim(
    outcome: CallOutcome, string_policy: StringPolicy
) -> None:
    broken = {}
    for invocation, call, invocations_each in product((2, 3), range(1, 13), (1, 2)):
        mishaps = (THE_SAVING_FAILS, Mishap(invocation, call, outcome))
        scenario = Scenario(years=0.15, string_policy=string_policy, invocations_each=invocations_each, mishaps=mishaps)
        broken[invocation, call, invocations_each] = broken_claim(scenario)

    assert [(where, claim) for where, claim in broken.items() if claim] == []


def test_after_a_store_failure_a_week_ago_the_cron_still_renews() -> None:
    assert broken_claim(Scenario(years=0.1, mishaps=(Mishap(1, 1, CallOutcome.FAILS),))) is None


def test_an_unsaved_expired_token_is_replaced_by_the_unexpired_one_in_the_store() -> None:
    the_write_fails = Mishap(10, 7, CallOutcome.FAILS)

    assert broken_claim(Scenario(years=0.6, invocations_each=10, mishaps=(the_write_fails,))) is None


def test_an_unsaved_unexpired_token_is_not_replaced_by_an_expired_one_in_the_store() -> None:
    down_for_eight_weeks = OutagePeriod(Outage.STORE_DOWN, FIRST_CRON + 1, 8 * WEEK)

    assert (
        broken_claim(Scenario(years=0.3, invocations_each=1, has_environment=True, periods=(down_for_eight_weeks,)))
        is None
    )


@pytest.mark.parametrize("minutes_apart", range(-10, 11))
def test_the_pause_after_a_failure_holds_for_every_process_unless_clocks_differ_too_much(minutes_apart: int) -> None:
    no_renewals = OutagePeriod(Outage.RENEWALS_LIMITED, 0, 8 * WEEK)
    views_at_once = (Visits(0, 7, 9 * 24 * 60), Visits(0, 7, 9 * 24 * 60))
    clocks = (max(-minutes_apart, 0) - 5, max(minutes_apart, 0) - 5)

    scenario = Scenario(years=0.2, clocks=clocks, invocations_each=1, periods=(no_renewals,), visits=views_at_once)

    assert broken_claim(scenario) is None


# The weaker rule


def ordinary(seed: int) -> Scenario:
    """No visitors, and one bad week in about two months: the cron does not run, or Instagram renews nothing."""
    chance = Random(seed)
    periods = []
    begins = chance.randrange(60 * 24)
    while begins < TEN_YEARS:
        periods.append(OutagePeriod(chance.choice((Outage.NO_CRON, *_REFUSALS)), begins, 8 * 24))
        begins += chance.randint(30 * 24, 90 * 24)
    return Scenario(
        string_policy=chance.choice(list(StringPolicy)), first_cron=chance.randrange(WEEK), periods=tuple(periods)
    )


_REFUSALS = (Outage.RENEWALS_LIMITED, Outage.RENEWALS_UNEXPECTED, Outage.RENEWALS_REFUSED, Outage.INSTAGRAM_DOWN)


def losses(rule: Rule, seeds: range) -> int:
    return sum(Simulation(ordinary(seed), rule).live().loss is not None for seed in seeds)


def test_on_the_same_luck_a_cron_that_renews_under_seven_days_only_loses_tokens_and_ours_none() -> None:
    seeds = range(3)

    assert losses(renews_whenever_it_may, seeds) == 0
    assert losses(only_under_seven_days, seeds) > 0


# Mistakes that other programs make


def day_by_day(scenario: Scenario) -> Simulation:
    simulation = Simulation(scenario)
    simulation.live()
    return simulation


@pytest.mark.parametrize("outage", _REFUSALS)
def test_a_failed_renewal_leaves_the_stored_token_as_it_is(outage: Outage) -> None:
    scenario = Scenario(years=0.1, periods=(OutagePeriod(outage, 0, TEN_YEARS),))
    before = Simulation(scenario).state.document

    simulation = day_by_day(scenario)

    assert simulation.state.document == before
    assert simulation.checker.renewals == 0


@pytest.mark.parametrize("start", range(0, WEEK, 12))
def test_the_cron_spacing_leaves_room_for_seven_failures_from_whatever_hour_it_starts(start: int) -> None:
    seven_of_eight = (start + 24 + week * WEEK for week in range(2, 100, 8))
    failing = tuple(OutagePeriod(Outage.RENEWALS_LIMITED, begins, 7 * WEEK - 1) for begins in seven_of_eight)
    scenario = Scenario(years=2, first_cron=start + 24 + WEEK, periods=failing)

    assert Simulation(scenario).live().loss is None
    assert Simulation(scenario, only_under_seven_days).live().loss is not None


def test_the_next_try_does_not_wait_for_a_success() -> None:
    simulation = Simulation(Scenario(years=0.12, periods=(OutagePeriod(Outage.RENEWALS_LIMITED, 0, 5 * WEEK),)))

    simulation.live()

    results = [told.split(": ")[1].split(",")[0] for told in simulation.told]
    assert results == ["RateLimited"] * 5 + ["renewed"] * 2


def test_a_renewed_value_that_could_not_be_written_is_written_once_the_store_takes_it() -> None:
    scenario = Scenario(years=0.01, string_policy=StringPolicy.OLD_DIES, mishaps=(THE_SAVING_FAILS,))
    finds_the_store_and_saves = Visits(FIRST_CRON + 1, 2, 1)

    lost_write, later = day_by_day(scenario), day_by_day(replace(scenario, visits=(finds_the_store_and_saves,)))

    assert in_document(lost_write.state.document)[0].value == "IGAA-0"
    assert in_document(later.state.document)[0].value == "IGAA-1"


def test_a_token_younger_than_a_day_is_left_alone_and_is_no_error() -> None:
    simulation = Simulation(Scenario(years=0.01, first_cron=23))

    simulation.live()

    assert simulation.told == ["cron: too_young, used"]


def test_an_expired_token_is_not_deleted() -> None:
    simulation = Simulation(
        Scenario(years=0.5, periods=(OutagePeriod(Outage.NO_CRON, 0, TEN_YEARS),), visits=(Visits(61 * 24, 3, 1),))
    )
    before = simulation.state.document

    ending = simulation.live()

    assert ending.loss == Loss.NO_CHANCE
    assert simulation.state.document == before


# The real stores, and the real chain over HTTP


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_the_same_history_happens_on_an_embedded_store(seed: int, tmp_path: Path) -> None:
    scenario = random_scenario(Random(seed), years=0.5)

    def on_disk(state: SimulationState) -> InMemoryBackends:
        return InMemoryBackends(state, SqliteStore(tmp_path / "store.sqlite3", SimulationClock(state)))

    in_memory, embedded = Simulation(scenario), Simulation(scenario, backends=on_disk)
    endings = in_memory.live(), embedded.live()

    assert endings[0] == endings[1]
    assert in_memory.told == embedded.told
    assert in_memory.state.document == embedded.state.document


FAULTS: dict[Outage, fake.Fault] = {
    Outage.INSTAGRAM_DOWN: fake.TEMPORARY,
    Outage.RENEWALS_LIMITED: fake.APP_LIMIT,
    Outage.RENEWALS_UNEXPECTED: fake.UNSUPPORTED_REQUEST,
    Outage.RENEWALS_REFUSED: fake.PERMISSION,
}


class Ageing(UpstashStore):
    """Lets the server age by the simulated seconds before each claim, because Valkey counts real ones."""

    def __init__(self, state: SimulationState, upstash: FakeUpstash, store: UpstashStore) -> None:
        self._run = store._run  # type: ignore[method-assign]
        self._state = state
        self._upstash = upstash
        self._seen = state.now

    def claim(self, key: str, ttl: object) -> bool:
        self._upstash.elapse((self._state.now - self._seen).total_seconds())
        self._seen = self._state.now
        return super().claim(key, ttl)  # type: ignore[arg-type]


class ServedRecords:
    """The fake Instagram's tokens, in the shape that the oracle expects."""

    def __init__(self, instagram: fake.FakeInstagram) -> None:
        self._instagram = instagram

    @property
    def lives(self) -> dict[str, TokenRecord]:
        known = self._instagram._tokens.items()
        return {text: TokenRecord(token.issued, token.expires, token.refusal is not None) for text, token in known}

    def works(self, string: str, now: object) -> bool:
        return string in self._instagram._tokens and self._instagram.alive(string)


class HttpBackends:
    """The real client and the real store over HTTP, with failures made by the fake servers."""

    def __init__(
        self, state: SimulationState, instagram: fake.FakeInstagram, upstash: FakeUpstash, connection: UpstashStore
    ) -> None:
        self._state = state
        self._instagram = instagram
        self._upstash = upstash
        self._store = Ageing(state, upstash, connection)
        self._renewals = 0
        instagram.clock = lambda: state.now
        instagram.issue(age=0 * SECOND, life=LIFETIMES[state.scenario.lifetime] * SECOND, string="IGAA-0")
        instagram.renewal_changes_string = state.scenario.string_policy != StringPolicy.STAYS
        instagram.old_string_survives = state.scenario.string_policy != StringPolicy.OLD_DIES
        state.records = ServedRecords(instagram)  # type: ignore[assignment]

    def store(self) -> Store:
        return self._store

    def store_fails(self, call: Callable[[], T], *, is_done: bool) -> T:
        self._upstash.fail("reset_after" if is_done else "redis_down")
        try:
            return call()
        finally:
            self._upstash.heal()

    def renew(self, process: ProcessKnowledge, token: str, *, is_new_dead: bool) -> Token:
        return self._client(process).renew(token)

    def read(self, process: ProcessKnowledge, token: str) -> None:
        self._client(process).profile(token)

    def instagram_fails(self, call: Callable[[], T], outage: Outage, *, is_done: bool) -> T:
        self._instagram.fail("*", fake.reset_after() if is_done else FAULTS[outage])
        try:
            return call()
        finally:
            self._instagram.heal()

    def _client(self, process: ProcessKnowledge) -> InstagramClient:
        return InstagramClient(
            url=self._instagram.url,
            version="v25.0",
            media_origins=Origins(self._instagram.url),
            transport=Transport(user_agent="igfeed/test"),
            clock=CheckedClock(SimulationClock(self._state, process.ahead)),
            sleep=no_sleep,
        )


LEAST_HARM = [outcome for outcome in CallOutcome if outcome != CallOutcome.NEW_STRING_DEAD]
"""Not NEW_STRING_DEAD: only the simulated Instagram can decide which value never works."""


def in_one_month(seed: int) -> Scenario:
    """Few turns and many failures, because the real servers are slow."""
    chance = Random(seed)
    periods = tuple(OutagePeriod(outage, chance.randrange(5 * WEEK), chance.randint(1, WEEK)) for outage in Outage)
    mishaps = tuple(Mishap(chance.randint(1, 12), chance.randint(1, 10), chance.choice(LEAST_HARM)) for _ in range(9))
    return Scenario(
        years=0.1,
        string_policy=chance.choice((StringPolicy.CHANGES, StringPolicy.STAYS, StringPolicy.OLD_DIES)),
        invocations_each=chance.choice((0, 1)),
        periods=periods,
        visits=(Visits(chance.randrange(5 * WEEK), 4, 30),),
        mishaps=mishaps,
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_simulation_ends_as_the_real_chain_over_http_does(
    seed: int, instagram: fake.FakeInstagram, upstash: FakeUpstash, upstash_connection: UpstashStore
) -> None:
    scenario = in_one_month(seed)

    played = Simulation(scenario)
    served = Simulation(scenario, backends=lambda state: HttpBackends(state, instagram, upstash, upstash_connection))
    losses = played.live().loss is None, served.live().loss is None

    assert served.told == played.told
    assert losses[0] == losses[1]
    assert _shape(served) == _shape(played)


def _shape(simulation: Simulation) -> list[tuple[bool, object]]:
    return [(each.value == "IGAA-0", each.issued) for each in in_document(simulation.state.document)]
