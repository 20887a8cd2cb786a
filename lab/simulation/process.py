"""A process of the app: the real token manager and the real circuit breaker, on a simulated clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from igfeed.stores.guarded import GuardedStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.tokens.encryption import NoCipher
from igfeed.tokens.manager import TokenManager
from lab.simulation.clock import SimulationClock
from lab.simulation.faulty import FaultyInstagram, FaultyStore
from lab.simulation.records import KnownToken
from lab.simulation.scenario import CLOCK_STEP, MINUTE, RENEW_WITHIN

if TYPE_CHECKING:
    from lab.simulation.run import Simulation


class SimulatedProcess:
    """One process of the app, with a clock of its own; `known` has the tokens of which it was told."""

    def __init__(self, simulation: Simulation, number: int) -> None:
        self.simulation = simulation
        self.number = number
        self.clock = SimulationClock(simulation, simulation.scenario.clocks[number] * MINUTE, CLOCK_STEP)
        self.start()

    def start(self) -> None:
        """Empty of all memory."""
        self.life = object()
        self.known: list[KnownToken] = []
        self.unsaved: KnownToken | None = None
        self.replaces: set[str] = set()
        self.is_misled = False
        self.is_cut_off = False
        self.later: list[Callable[[], None]] = []
        self.store = ReadAhead(GuardedStore(FaultyStore(self), self.clock, self.later.append))
        self.tokens = TokenManager(
            FaultyInstagram(self),
            self.store,
            self.clock,
            renew_within=RENEW_WITHIN,
            cipher=NoCipher(),
            from_environment=self.simulation.environment,
            sleep=lambda _: None,
        )

    def catch_up(self) -> None:
        """Do what was put off to another thread: that has its time while this one waits for Instagram."""
        while self.later:
            self.later.pop(0)()
