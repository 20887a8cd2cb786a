"""Many histories by chance, and their summary."""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from lab.simulation.checker import Loss, Violation
from lab.simulation.run import HistoryResult, Rule, Simulation, renews_whenever_it_may
from lab.simulation.scenario import (
    HOUR,
    HOURS_OF_A_YEAR,
    LIFETIMES,
    CallOutcome,
    Mishap,
    Outage,
    OutagePeriod,
    Scenario,
    StringPolicy,
    Visits,
)


def random_scenario(chance: random.Random, years: float, cron_days: int = 7) -> Scenario:
    """A scenario by chance: some with few faults, some with very many."""
    scenario = Scenario(
        years=years,
        string_policy=chance.choice(list(StringPolicy)),
        lifetime=chance.randrange(len(LIFETIMES)),
        has_environment=chance.random() < 0.3,
        clocks=(chance.randint(-5, 5), chance.randint(-5, 5)),
        call_seconds=chance.choice((0, 1, 7)),
        invocations_each=chance.choice((0, 1, 2, 5)),
        restarts_every=chance.choice((0, 0, 1, 3, 10)),
        first_cron=chance.randrange(7 * 24),
        cron_days=cron_days,
    )
    hours = int(years * HOURS_OF_A_YEAR)
    periods = [period for outage in Outage for period in _random_periods(chance, outage, hours)]
    visits = _random_visits(chance, hours)
    invocations = hours // (cron_days * 24) + sum(each.count for each in visits)
    return replace(
        scenario, periods=tuple(periods), visits=tuple(visits), mishaps=tuple(_random_mishaps(chance, invocations))
    )


def _random_periods(chance: random.Random, outage: Outage, hours: int) -> Iterator[OutagePeriod]:
    """Between two of them months or weeks, each some hours to some weeks long."""
    apart = chance.choice((0, 0, 250, 90, 40)) * 24
    longest = chance.choice((1, 3, 10, 25)) * 24
    begins = chance.randrange(apart + 1)
    while apart and begins < hours:
        length = chance.randint(1, longest)
        yield OutagePeriod(outage, begins, length)
        begins += length + chance.randint(1, 2 * apart)


def _random_visits(chance: random.Random, hours: int) -> list[Visits]:
    apart = chance.choice((0, 0, 60, 20, 7)) * 24
    if not apart:
        return []
    numbers = range(hours // apart)
    return [Visits(chance.randrange(hours), chance.randint(1, 4), chance.choice((1, 6, 40, 65, 600))) for _ in numbers]


def _random_mishaps(chance: random.Random, invocations: int) -> Iterator[Mishap]:
    share = chance.choice((0, 0.02, 0.1, 0.3))
    for _ in range(int(invocations * share)):
        yield Mishap(chance.randint(1, invocations), chance.randint(0, 12), chance.choice(list(CallOutcome)))


@dataclass
class Summary:
    """What many histories came to."""

    histories: int = 0
    lived: timedelta = timedelta()
    counts: Counter[str] = field(default_factory=Counter)
    losses: Counter[Loss] = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)

    def add(self, ending: HistoryResult) -> None:
        self.histories += 1
        self.lived += ending.lived
        self.counts += Counter(renewals=ending.renewals, cron_runs=ending.cron_runs, views=ending.views)
        if ending.loss:
            self.losses[ending.loss] += 1

    def join(self, other: Summary) -> None:
        self.histories += other.histories
        self.lived += other.lived
        self.counts += other.counts
        self.losses += other.losses
        self.violations += other.violations

    def __str__(self) -> str:
        years = self.lived / (HOURS_OF_A_YEAR * HOUR)
        lines = [f"histories {self.histories:>10,}", f"simulated years {years:>14,.0f}"]
        lines += [
            f"{name.replace('_', ' '):<10}{self.counts[name]:>20,}" for name in ("renewals", "cron_runs", "views")
        ]
        lines += [f"lost {sum(self.losses.values()):>10,}"]
        lines += [f"  {self.losses[loss]:>8,}  {loss}" for loss in Loss]
        lines += [f"claims broken {len(self.violations)}", *(f"  {seed}: {text}" for seed, text in self.violations[:9])]
        return "\n".join(lines)


def run_many(seeds: Iterable[int], years: float, rule: Rule = renews_whenever_it_may, cron_days: int = 7) -> Summary:
    """So many histories, each by its own seed: the same seed has the same scenario whatever the rule."""
    table = Summary()
    for seed in seeds:
        scenario = random_scenario(random.Random(seed), years, cron_days)
        try:
            table.add(Simulation(scenario, rule).live())
        except Violation as violation:
            table.violations.append((seed, str(violation)))
    return table


def _share(work: tuple[Sequence[int], float, Rule, int]) -> Summary:
    logging.disable(logging.CRITICAL)
    return run_many(*work)


def in_parallel(seeds: range, years: float, rule: Rule, cron_days: int = 7) -> Summary:
    shares = [seeds[start : start + 50] for start in range(0, len(seeds), 50)]
    table = Summary()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for part in pool.imap_unordered(_share, [(share, years, rule, cron_days) for share in shares]):
            table.join(part)
    return table
