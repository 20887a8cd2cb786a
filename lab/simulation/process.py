"""A process of the app: the real token manager and the real circuit breaker, on a simulated clock."""

from __future__ import annotations

from collections.abc import Callable

from igfeed.history import History
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.tokens.encryption import NoCipher
from igfeed.tokens.manager import TokenManager
from lab.simulation.faulty import FaultyInstagram, FaultyStore, Network
from lab.simulation.scenario import CLOCK_STEP, MINUTE, RENEW_WITHIN
from lab.simulation.state import SimulationClock
from lab.simulation.tokens import ProcessKnowledge


class SimulatedProcess:
    """One process of the app, with a clock of its own; ``knowledge`` is what it has been told of tokens."""

    def __init__(self, network: Network, number: int) -> None:
        self._network = network
        self._environment = network.state.environment
        self.knowledge = ProcessKnowledge(network.state.scenario.clocks[number] * MINUTE)
        self._clock = SimulationClock(network.state, self.knowledge.ahead, CLOCK_STEP)
        self.start()

    def start(self) -> None:
        """Empty of all memory."""
        self.knowledge.forget()
        self._later: list[Callable[[], None]] = []
        self.instagram = FaultyInstagram(self._network, self.knowledge, self.catch_up)
        self.store = ReadAhead(
            GuardedStore(FaultyStore(self._network, self.knowledge), self._clock, self._later.append)
        )
        self.tokens = TokenManager(
            self.instagram,
            self.store,
            self._clock,
            renew_within=RENEW_WITHIN,
            cipher=NoCipher(),
            history=History(self.store, self._clock),
            from_environment=self._environment,
            sleep=lambda _: None,
        )

    def catch_up(self) -> None:
        """Do what was put off to another thread: that has its time while this one waits for Instagram."""
        while self._later:
            self._later.pop(0)()
