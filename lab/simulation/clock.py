"""The simulated time, as each process's clock shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lab.simulation.scenario import START

if TYPE_CHECKING:
    from lab.simulation.run import Simulation


@dataclass(frozen=True)
class SimulationClock:
    """The simulated time as the clock of one process shows it; each reading takes ``step``."""

    simulation: Simulation
    ahead: timedelta = timedelta()
    step: timedelta = timedelta()

    def __call__(self) -> datetime:
        now = self.simulation.now + self.ahead
        self.simulation.now += self.step
        return now

    def monotonic_ns(self) -> int:
        return (self() - START) // timedelta(microseconds=1) * 1000
