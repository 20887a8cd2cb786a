"""One history, from the first token to its loss or to the end of the years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from igfeed.errors import (
    IgfeedError,
)
from igfeed.models import Token
from igfeed.tokens.document import TOKEN_KEY
from lab.simulation.backends import Backends, InMemoryBackends
from lab.simulation.checker import Checker, Loss
from lab.simulation.faulty import FaultyInstagram
from lab.simulation.invocation import FailureReason, Invocation, ProcessKilled
from lab.simulation.process import SimulatedProcess
from lab.simulation.records import InstagramRecords
from lab.simulation.scenario import SECOND, START, CallOutcome, Mishap, Outage, Scenario, What, covers, events


@dataclass(frozen=True)
class HistoryResult:
    """What became of one history."""

    lived: timedelta
    renewals: int
    cron_runs: int
    views: int
    loss: Loss | None
    reasons: Counter[FailureReason]


def renews_whenever_it_may(process: SimulatedProcess) -> str:
    """What our cron does, before it fetches: look for the store, then renew any token that is a day old."""
    process.store.recheck()
    try:
        return process.tokens.renew()
    except IgfeedError as error:
        return type(error).__name__


def only_under_seven_days(process: SimulatedProcess) -> str:
    """What peers do: the cron renews a token that has less than seven days left, as any view does."""
    return "not asked"


Rule = Callable[[SimulatedProcess], str]


class Simulation:
    """One history: `live` lets it happen."""

    def __init__(
        self,
        scenario: Scenario,
        rule: Rule = renews_whenever_it_may,
        backends: Callable[[Simulation], Backends] = InMemoryBackends,
    ) -> None:
        self.scenario = scenario
        self._rule = rule
        self.now = START
        self.invocations = 0
        self.earlier: dict[str, str | None] = {}
        self.document: str | None = None
        self.records = InstagramRecords(scenario, START)
        self.environment = "IGAA-0" if scenario.has_environment else None
        self.backends = backends(self)
        # Another rule than ours breaks the claim by design: of that one only the losses are told.
        self.checker = Checker(self, is_strict=rule is renews_whenever_it_may)
        self.processes = [SimulatedProcess(self, number) for number in range(2 if scenario.invocations_each else 1)]
        self.invocation = Invocation(self.processes[0], "view", START, {})
        self.told: list[str] = []
        self._outcomes = _by_invocation(scenario.mishaps)
        self._outages = [period for period in scenario.periods if period.outage != Outage.NO_CRON]
        self._counts = Counter[str]()
        if not scenario.has_environment:
            self._set_up()

    def live(self) -> HistoryResult:
        """Until the years are over or the token is lost."""
        loss = None
        for after, what in events(self.scenario):
            self.now = max(self.now, START + after)
            self._run_invocation(what)
            loss = self.checker.loss()
            if loss:
                break
        counts = self._counts
        checker = self.checker
        return HistoryResult(self.now - START, checker.renewals, counts["cron"], counts["view"], loss, checker.failed)

    def begin_call(self, process: SimulatedProcess) -> CallOutcome | None:
        """Begin a call to the store or to Instagram: what happens to it, None if nothing special does."""
        self.now += self.scenario.call_seconds * SECOND
        self.invocation.calls += 1
        outcome = self.invocation.outcomes.pop(self.invocation.calls, None)
        if outcome == CallOutcome.KILLED:
            raise ProcessKilled
        if outcome == CallOutcome.INTERLEAVED:
            self._interleave(process)
            return None
        return outcome

    def is_now(self, outage: Outage) -> bool:
        when = self.now - START
        return any(period.outage == outage and covers(period, when) for period in self._outages)

    def first_of(self, *outages: Outage) -> Outage | None:
        return next((outage for outage in outages if self.is_now(outage)), None)

    def _set_up(self) -> None:
        """As `setup-token` does."""
        life = self.records.lives["IGAA-0"]
        token = Token("IGAA-0", life.issued, life.expires)
        self.document = token.to_text()
        self.backends.store(self.processes[0]).set(TOKEN_KEY, self.document)

    def _run_invocation(self, what: What) -> None:
        self.invocations += 1
        self._counts[what] += 1
        scenario = self.scenario
        number = (self.invocations - 1) // scenario.invocations_each % 2 if scenario.invocations_each else 0
        process, outcomes = self.processes[number], dict(self._outcomes.get(self.invocations, {}))
        if 0 in outcomes or (scenario.restarts_every and self.invocations % scenario.restarts_every == 0):
            process.start()
        self._invoke(process, what, outcomes)

    def _interleave(self, process: SimulatedProcess) -> None:
        others = [each for each in self.processes if each is not process]
        interrupted = self.invocation
        for other in others:
            self._invoke(other, interrupted.what, {}, is_within=True)
        self.invocation = interrupted
        self.invocation.was_shared = self.invocation.was_shared or bool(others)

    def _invoke(
        self, process: SimulatedProcess, what: What, outcomes: dict[int, CallOutcome], *, is_within: bool = False
    ) -> None:
        invocation = self.invocation = Invocation(process, what, self.now, outcomes, was_shared=is_within)
        self.checker.begins(invocation)
        try:
            invocation.result = self._act(process, what)
        except ProcessKilled:
            invocation.was_killed = True
            invocation.result = "killed"
        self.told.append(f"{what}: {invocation.result}")
        self.checker.ends(invocation)
        if invocation.was_killed:
            process.start()

    def _act(self, process: SimulatedProcess, what: What) -> str:
        results = [self._rule(process)] if what == "cron" else []
        try:
            process.tokens.use(FaultyInstagram(process).profile)
            results.append("used")
        except IgfeedError as error:
            results.append(type(error).__name__)
        process.catch_up()
        return ", ".join(results)


def _by_invocation(mishaps: Iterable[Mishap]) -> dict[int, dict[int, CallOutcome]]:
    outcomes: dict[int, dict[int, CallOutcome]] = {}
    for mishap in mishaps:
        outcomes.setdefault(mishap.invocation, {})[mishap.call] = mishap.outcome
    return outcomes
