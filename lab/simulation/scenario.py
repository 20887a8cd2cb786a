"""What a history depends on: which outages, which visits, which faults of single calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from heapq import merge
from typing import Literal

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CLOCK_STEP = timedelta(microseconds=1)
START = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
TOLERANCE = 15 * MINUTE
"""For two clocks that are a few minutes wrong, and for the time that an invocation takes."""
RENEW_WITHIN = 7 * DAY
RENEWAL_PAUSE = HOUR
RENEWAL_PAUSE_ON_LAST_DAY = 5 * MINUTE
RENEWAL_CLAIM = 90 * SECOND
LIFETIMES = (5183944, 5184000, 5143192, 5110824)
"""Seconds in `expires_in`, as they have been seen."""
HOURS_OF_A_YEAR = 8766


class Outage(StrEnum):
    """What may be out of order for hours or weeks."""

    NO_CRON = "the cron does not run"
    STORE_DOWN = "the store is down"
    INSTAGRAM_DOWN = "Instagram is out of reach"
    RENEWALS_LIMITED = "renewals are refused: too many calls"
    RENEWALS_UNEXPECTED = "renewals are answered by something else"
    RENEWALS_REFUSED = "renewals are refused: no permission"


class CallOutcome(StrEnum):
    """What may happen to one call to the store or to Instagram, the harmless first."""

    FAILS = "it fails and nothing is done"
    STALE = "a reading of the store finds nothing"
    OLD = "a reading of the store finds what was there before the last write"
    REPLY_LOST = "it is done, but the reply is lost"
    NEW_STRING_DEAD = "the renewed string never works, the old one goes on"
    INTERLEAVED = "the other process has a whole turn before it"
    KILLED = "the process ends before it"
    KILLED_AFTER = "it is done, but the process ends before it learns of it"


class StringPolicy(StrEnum):
    """What a renewal does to the token's string: undocumented, so everything is played."""

    CHANGES = "changes, the old one goes on"
    STAYS = "stays"
    OLD_DIES = "changes, the old one dies"
    VARIES = "now this, now that"


ONE_BY_ONE = (StringPolicy.CHANGES, StringPolicy.STAYS, StringPolicy.OLD_DIES)


@dataclass(frozen=True)
class OutagePeriod:
    outage: Outage
    begins: int
    """Hours after the start."""
    hours: int


@dataclass(frozen=True)
class Visits:
    """So many views, so many minutes apart."""

    begins: int
    count: int
    minutes: int


@dataclass(frozen=True)
class Mishap:
    """What happens to one call of one invocation, both counted from 1. `call` 0: the process is restarted before it."""

    invocation: int
    call: int
    outcome: CallOutcome = CallOutcome.KILLED


@dataclass(frozen=True)
class Scenario:
    """All that a history depends on. By default nothing goes wrong."""

    years: float = 10
    string_policy: StringPolicy = StringPolicy.CHANGES
    lifetime: int = 0
    """Where in LIFETIMES the renewals begin."""
    has_environment: bool = False
    """The token came as INSTAGRAM_ACCESS_TOKEN, not by `setup-token`."""
    clocks: tuple[int, int] = (0, 0)
    """Minutes by which each process's clock is ahead, at most five."""
    call_seconds: int = 0
    invocations_each: int = 0
    """How many invocations a process has before the other one takes over; 0: there is one process only."""
    restarts_every: int = 0
    """The process is restarted every so many invocations; 1: a serverless platform. 0: never by itself."""
    first_cron: int = 24
    """Hours after the start."""
    cron_days: int = 7
    """Days between two runs of the cron. `vercel.json` has a daily one; a weekly one has to be enough, too."""
    periods: tuple[OutagePeriod, ...] = ()
    visits: tuple[Visits, ...] = ()
    mishaps: tuple[Mishap, ...] = ()


What = Literal["cron", "view"]


def events(scenario: Scenario) -> Iterator[tuple[timedelta, What]]:
    """When the app is asked: by the cron every `cron_days` within its hour, and by views."""
    end = timedelta(hours=scenario.years * HOURS_OF_A_YEAR)
    for when, what in merge(_cron_runs(scenario, end), *map(_views, scenario.visits)):
        if when >= end:
            return
        yield when, what


def _cron_runs(scenario: Scenario, end: timedelta) -> Iterator[tuple[timedelta, What]]:
    missed = [period for period in scenario.periods if period.outage == Outage.NO_CRON]
    run, when = 0, scenario.first_cron * HOUR
    while when < end:
        if not any(covers(period, when) for period in missed):
            # A platform's cron comes at any minute of its hour.
            yield when + (run * 37 % 60) * MINUTE, "cron"
        run, when = run + 1, when + scenario.cron_days * DAY


def _views(visits: Visits) -> Iterator[tuple[timedelta, What]]:
    for number in range(visits.count):
        yield visits.begins * HOUR + (number * visits.minutes + 1) * MINUTE, "view"


def covers(period: OutagePeriod, when: timedelta) -> bool:
    begins, ends = span(period)
    return begins <= when < ends


def span(period: OutagePeriod) -> tuple[timedelta, timedelta]:
    """When it begins and when it has ended."""
    return period.begins * HOUR, (period.begins + period.hours) * HOUR
