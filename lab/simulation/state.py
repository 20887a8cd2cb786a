"""What is true at one moment of a history: the time, the store's document, Instagram's records, the outages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lab.simulation.invocation import Invocation
from lab.simulation.scenario import START, Outage, Scenario, span
from lab.simulation.tokens import InstagramRecords, KnownToken, ProcessKnowledge, in_document


class SimulationState:
    """The backends, the clocks, the processes and the checker of a history share one."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.now = START
        self.records = InstagramRecords(scenario, START)
        self.environment = "IGAA-0" if scenario.has_environment else None
        self.document: str | None = None
        """The token's document in the store."""
        self.earlier: dict[str, str | None] = {}
        """What each key of the store had before the last write to it."""
        self.invocation = Invocation(ProcessKnowledge(timedelta()), "view", START, {})
        """The one that runs now, or ran last."""
        self.invocations = 0
        self._outages: dict[Outage, list[tuple[timedelta, timedelta]]] = {}
        """When each kind of outage begins and ends: asked for at every call, so it is worked out once."""
        for period in scenario.periods:
            self._outages.setdefault(period.outage, []).append(span(period))

    def is_now(self, outage: Outage) -> bool:
        spans = self._outages.get(outage)
        if not spans:
            return False
        when = self.now - START
        return any(begins <= when < ends for begins, ends in spans)

    def first_of(self, *outages: Outage) -> Outage | None:
        return next((outage for outage in outages if self.is_now(outage)), None)

    def best(self, process: ProcessKnowledge, *, without_store: bool = False) -> KnownToken | None:
        """The string within the process's reach that works longest."""
        within_reach = [*process.known, *([] if without_store else in_document(self.document))]
        # The environment's string tells no age: what is known of it counts more.
        is_known = self.environment in {each.value for each in within_reach}
        if self.environment and not is_known and (without_store or not self.document):
            within_reach.append(KnownToken(self.environment))
        return max(filter(self.is_usable, within_reach), key=lambda each: each.expires or START, default=None)

    def is_usable(self, token: KnownToken) -> bool:
        """Whether Instagram takes it, and nobody has been told that it is past."""
        return self.records.works(token.value, self.now) and not token.is_past(self.now)


@dataclass(frozen=True)
class SimulationClock:
    """The simulated time as the clock of one process shows it; each reading takes ``step``."""

    state: SimulationState
    ahead: timedelta = timedelta()
    step: timedelta = timedelta()

    def __call__(self) -> datetime:
        now = self.state.now + self.ahead
        self.state.now += self.step
        return now

    def monotonic_ns(self) -> int:
        return (self() - START) // timedelta(microseconds=1) * 1000
