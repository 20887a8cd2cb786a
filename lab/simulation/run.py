"""One history, from the first token to its loss or to the end of the years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from igfeed.errors import IgfeedError
from igfeed.models import Token
from igfeed.tokens.document import TOKEN_KEY
from lab.simulation.backends import Backends, InMemoryBackends
from lab.simulation.checker import Checker, Loss
from lab.simulation.faulty import Network
from lab.simulation.invocation import FailureReason, Invocation, ProcessKilled
from lab.simulation.process import SimulatedProcess
from lab.simulation.scenario import START, CallOutcome, Mishap, Scenario, What, events
from lab.simulation.state import SimulationState
from lab.simulation.tokens import ProcessKnowledge


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
        backends: Callable[[SimulationState], Backends] = InMemoryBackends,
    ) -> None:
        self.state = SimulationState(scenario)
        self.told: list[str] = []
        # Another rule than ours breaks the claim by design: of that one only the losses are told.
        self.checker = Checker(self.state, is_strict=rule is renews_whenever_it_may)
        self._rule = rule
        self._scenario = scenario
        self._backends = backends(self.state)
        network = Network(self.state, self._backends, self.checker, self._interleave)
        self._processes = [SimulatedProcess(network, number) for number in range(2 if scenario.invocations_each else 1)]
        self._outcomes = _by_invocation(scenario.mishaps)
        self._counts = Counter[str]()
        if not scenario.has_environment:
            self._set_up()

    def live(self) -> HistoryResult:
        """Until the years are over or the token is lost."""
        loss, state = None, self.state
        for after, what in events(self._scenario):
            state.now = max(state.now, START + after)
            self._run_invocation(what)
            loss = self.checker.loss(process.knowledge for process in self._processes)
            if loss:
                break
        counts = self._counts
        checker = self.checker
        return HistoryResult(state.now - START, checker.renewals, counts["cron"], counts["view"], loss, checker.failed)

    def _set_up(self) -> None:
        """As `setup-token` does."""
        life = self.state.records.lives["IGAA-0"]
        token = Token("IGAA-0", life.issued, life.expires)
        self.state.document = token.to_text()
        self._backends.store().set(TOKEN_KEY, self.state.document)

    def _run_invocation(self, what: What) -> None:
        self.state.invocations += 1
        self._counts[what] += 1
        scenario, count = self._scenario, self.state.invocations
        number = (count - 1) // scenario.invocations_each % 2 if scenario.invocations_each else 0
        process, outcomes = self._processes[number], dict(self._outcomes.get(count, {}))
        if 0 in outcomes or (scenario.restarts_every and count % scenario.restarts_every == 0):
            process.start()
        self._invoke(process, what, outcomes)

    def _interleave(self, interrupted: ProcessKnowledge) -> None:
        others = [each for each in self._processes if each.knowledge is not interrupted]
        invocation = self.state.invocation
        for other in others:
            self._invoke(other, invocation.what, {}, is_within=True)
        self.state.invocation = invocation
        invocation.was_shared = invocation.was_shared or bool(others)

    def _invoke(
        self, process: SimulatedProcess, what: What, outcomes: dict[int, CallOutcome], *, is_within: bool = False
    ) -> None:
        invocation = Invocation(process.knowledge, what, self.state.now, outcomes, was_shared=is_within)
        self.state.invocation = invocation
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
            process.tokens.use(process.instagram.profile)
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
