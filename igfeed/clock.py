"""The only reader of the time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

Sleep = Callable[[float], None]
"""Waits so many seconds."""

sleep: Sleep = time.sleep


class Clock(Protocol):
    """Two times. The wall clock dates what others read, and somebody may set it; the monotonic one only goes on."""

    def __call__(self) -> datetime:
        """The present moment by the wall clock, as an aware datetime in UTC."""

    def monotonic(self) -> timedelta:
        """The time since some moment that stays the same while this process lives."""


class SystemClock:
    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> timedelta:
        return timedelta(seconds=time.clock_gettime(SINCE_BOOT))


SINCE_BOOT: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""With the time that the machine was suspended, which Linux leaves out of ``time.monotonic``."""


system_clock = SystemClock()


class Pause:
    """So much time from now on. It is measured on the monotonic clock: setting the wall clock does not prolong it."""

    def __init__(self, clock: Clock, length: timedelta) -> None:
        self._clock = clock
        self._end = clock.monotonic() + length

    @property
    def is_over(self) -> bool:
        return self._end <= self._clock.monotonic()

    @property
    def left(self) -> timedelta:
        """Negative once it is over."""
        return self._end - self._clock.monotonic()


def iso(moment: datetime) -> str:
    """As others read it: to the second, in UTC."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


class Deadline:
    """A limit for work that is under way, in real seconds: it is not driven by the clock that is passed in."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then, 0.0 once it has passed."""
        return max(0.0, self._end - time.monotonic())


class RateLimit:
    """Allows each text once in so many seconds on the monotonic clock, for what would fill a log."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[str, Deadline] = {}

    def allows(self, text: str) -> bool:
        until = self._until.get(text)
        if until and until.left():
            return False
        self._until = {known: end for known, end in self._until.items() if end.left()}
        self._until[text] = Deadline(self._seconds)
        return True
