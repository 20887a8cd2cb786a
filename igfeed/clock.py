"""The only module that reads the time. Everything else gets a clock passed in."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

log = logging.getLogger(__name__)

CLOCKS_DIFFER = timedelta(minutes=5)
"""Two clocks that differ by at most this both count as right. A time further in the future comes from a wrong clock."""

Sleep = Callable[[float], None]
"""Waits for that many seconds."""

sleep: Sleep = time.sleep


class Clock(Protocol):
    """Two clocks in one.

    The wall clock gives the dates that others read, but it may be set. The monotonic never jumps.
    """

    def __call__(self) -> datetime:
        """The present time of the wall clock, as an aware datetime in UTC."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since a moment that stays the same for this process.

        Why not a ``timedelta``: every view reads it, and making one takes as long as the rest of a cached view.
        """


class SystemClock:
    """The clocks of this machine."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        return _since_boot()


def _chosen() -> Callable[[], int]:
    """A monotonic clock that counts while the machine is suspended. ``time.monotonic_ns`` on Linux does not."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)
    return time.monotonic_ns


_since_boot = _chosen()


system_clock = SystemClock()


class Pause:
    """A length of time that begins now.

    It is measured on the monotonic clock, so setting the wall clock changes nothing.
    """

    def __init__(self, clock: Clock, length: timedelta) -> None:
        self._monotonic_ns = clock.monotonic_ns
        self._end = clock.monotonic_ns() + length // MICROSECOND * 1000

    @property
    def is_over(self) -> bool:
        return self._end <= self._monotonic_ns()

    @property
    def left(self) -> timedelta:
        """The time until it is over. Negative after that."""
        return span(self._end - self._monotonic_ns())


MICROSECOND = timedelta(microseconds=1)


def span(nanoseconds: int) -> timedelta:
    """The nanoseconds as a ``timedelta``, rounded down to microseconds."""
    return timedelta(microseconds=nanoseconds // 1000)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second: ``2026-05-03T12:00:00Z``."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


class Beginning:
    """Remembers when something began.

    ``moment`` is computed when it is read, as the clock may be corrected until then.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.monotonic_ns()

    @property
    def moment(self) -> datetime:
        return self._clock() - span(self._clock.monotonic_ns() - self._since)


class CheckedClock:
    """The machine's clock, until ``check`` shows that it is wrong. From then on, the other server's time.

    ``ahead`` is how far the machine's clock is ahead. It is negative if the clock is behind, zero while it counts as
    right.
    """

    ahead = timedelta()

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: tuple[datetime, int] | None = None
        self.monotonic_ns = clock.monotonic_ns

    def __call__(self) -> datetime:
        told = self._told
        if told is None:
            return self._clock()
        moment, since = told
        return moment + span(self.monotonic_ns() - since)

    def check(self, moment: datetime) -> None:
        """Compare the machine's clock with ``moment``, the present time by another server."""
        ahead = self._clock() - moment
        if abs(ahead) <= CLOCKS_DIFFER:
            self.ahead, self._told = timedelta(), None
            return
        if self._told is None:
            log.warning("%s %s", clock_is_wrong(ahead), SET_THE_CLOCK)
        self.ahead, self._told = ahead, (moment, self.monotonic_ns())


SET_THE_CLOCK = "Set it, best by NTP (`timedatectl set-ntp true`). Until then igfeed goes by Instagram's time."


def clock_is_wrong(ahead: timedelta) -> str:
    """The problem as one sentence for the log and the status."""
    minutes = round(abs(ahead) / timedelta(minutes=1))
    units = (("days", 24 * 60), ("hours", 60), ("minutes", 1))
    amount = next(f"{minutes // size} {unit}" for unit, size in units if minutes >= 2 * size)
    direction = "ahead of" if ahead > timedelta() else "behind"
    return f"The server's clock is {amount} {direction} the real time."


class Deadline:
    """A time limit in real seconds.

    It does not use the clock that is passed in, because it limits waits that really happen.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the limit, 0.0 after it."""
        return max(0.0, self._end - time.monotonic())


class RateLimit:
    """Allows each text once in that many seconds, so that a repeated message does not fill the log."""

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
