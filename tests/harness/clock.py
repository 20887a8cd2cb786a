"""A clock that tests move by hand, and times compared loosely."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any


class MovingClock:
    """A wall clock and a monotonic one. Both move by `step` at each reading, and further when told to."""

    def __init__(self, step: timedelta = timedelta(microseconds=1)) -> None:
        self._wall = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
        self._monotonic = timedelta()
        self._step = step
        self._lock = RLock()

    def __call__(self) -> datetime:
        with self._lock:
            wall = self._wall
            self.now += self._step
            return wall

    def monotonic_ns(self) -> int:
        with self._lock:
            monotonic = self._monotonic
            self.now += self._step
            return monotonic // timedelta(microseconds=1) * 1000

    @property
    def now(self) -> datetime:
        """What the wall clock says at its next reading. Setting it lets time pass on both clocks."""
        return self._wall

    @now.setter
    def now(self, wall: datetime) -> None:
        assert wall >= self._wall, "time does not go back: see wall_jumps"
        with self._lock:
            self._monotonic += wall - self._wall
            self._wall = wall

    def forward(self, **units: float) -> None:
        """Let time pass: ``forward(hours=2)``."""
        self.now += timedelta(**units)

    def wall_jumps(self, **units: float) -> None:
        """Somebody sets the wall clock, back or ahead; no time passes."""
        self._wall += timedelta(**units)

    def stand_still(self) -> None:
        """Stop moving at each reading."""
        self._step = timedelta()


@dataclass(frozen=True, eq=False)
class _About:
    value: Any
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: Any) -> bool:
        return other is not None and bool(abs(other - self.value) < timedelta(minutes=2))


def about(value: datetime | timedelta) -> Any:
    """Equal to any time or duration less than two minutes away: a moving clock tells each reader another time."""
    return _About(value)
