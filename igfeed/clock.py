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

    The wall clock gives dates that other machines understand, but it jumps when it is set. The monotonic clock never
    jumps.
    """

    def __call__(self) -> datetime:
        """The present time of the wall clock, as an aware datetime in UTC."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since a fixed moment, which is arbitrary but the same for the whole process.

        Why not a ``timedelta``: every view reads it, and making one takes as long as the rest of a cached view.
        """


class SystemClock:
    """The clocks of this machine."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        return _since_boot()


def _monotonic_clock() -> Callable[[], int]:
    """A monotonic clock that also counts while the machine is suspended. On Linux ``time.monotonic_ns`` does not."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)
    return time.monotonic_ns


_since_boot = _monotonic_clock()


system_clock = SystemClock()


class Pause:
    """A length of time that begins now.

    It is measured on the monotonic clock, so setting the wall clock changes nothing.
    """

    def __init__(self, clock: Clock, length: timedelta) -> None:
        self._monotonic_ns = clock.monotonic_ns
        # Integers only: a float cannot hold so many nanoseconds exactly.
        self._end = clock.monotonic_ns() + length // MICROSECOND * 1000

    @property
    def is_over(self) -> bool:
        return self._end <= self._monotonic_ns()

    @property
    def left(self) -> timedelta:
        """The time until it is over. Negative after that."""
        return span(self._end - self._monotonic_ns())


MICROSECOND = timedelta(microseconds=1)
MILLISECOND = timedelta(milliseconds=1)


def span(nanoseconds: int) -> timedelta:
    """The nanoseconds as a ``timedelta``, rounded down to microseconds."""
    return timedelta(microseconds=nanoseconds // 1000)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second: ``2026-05-03T12:00:00Z``."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


class Beginning:
    """Remembers when something began.

    ``moment`` is computed only when it is read, because the clock may be corrected in the meantime.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.monotonic_ns()

    @property
    def moment(self) -> datetime:
        return self._clock() - self.elapsed

    @property
    def elapsed(self) -> timedelta:
        return span(self._clock.monotonic_ns() - self._since)


class CheckedClock:
    """The machine's clock, until ``check`` shows that it is wrong. From then on it gives the time of the other server.

    ``ahead`` is how far the machine's clock is ahead. It is negative if the clock is behind, zero while the clock
    counts as right.
    """

    ahead = timedelta()

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reference: tuple[datetime, int] | None = None
        self.monotonic_ns = clock.monotonic_ns

    def __call__(self) -> datetime:
        reference = self._reference
        if reference is None:
            return self._clock()
        moment, since = reference
        return moment + span(self.monotonic_ns() - since)

    def check(self, moment: datetime) -> None:
        """Compare the machine's clock with ``moment``, the present time according to another server."""
        ahead = self._clock() - moment
        if abs(ahead) <= CLOCKS_DIFFER:
            self.ahead, self._reference = timedelta(), None
            return
        # Logged once, not with each reply.
        if self._reference is None:
            log.warning("%s %s", clock_is_wrong(ahead), SET_THE_CLOCK)
        self.ahead, self._reference = ahead, (moment, self.monotonic_ns())


SET_THE_CLOCK = "Set it, best by NTP (`timedatectl set-ntp true`). Until then igfeed goes by Instagram's time."


def clock_is_wrong(ahead: timedelta) -> str:
    """The problem as one sentence for the log and the status."""
    minutes = round(abs(ahead) / timedelta(minutes=1))
    units = (("days", 24 * 60), ("hours", 60), ("minutes", 1))
    # From two of a unit on, so that every unit is a plural.
    amount = next(f"{minutes // size} {unit}" for unit, size in units if minutes >= 2 * size)
    direction = "ahead of" if ahead > timedelta() else "behind"
    return f"The server's clock is {amount} {direction} the real time."


class Deadline:
    """A time limit in real seconds.

    Unlike ``Pause`` it uses no clock that is passed in, because it limits waits that really happen, in tests too.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the limit, 0.0 after it."""
        return max(0.0, self._end - time.monotonic())


class RateLimit:
    """Allows each text once in ``seconds``, so that a repeated message does not fill the log."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[str, Deadline] = {}

    def allows(self, text: str) -> bool:
        until = self._until.get(text)
        if until and until.left():
            return False
        # Ended limits are dropped, so that the dict does not grow as long as the process lives.
        self._until = {known: end for known, end in self._until.items() if end.left()}
        self._until[text] = Deadline(self._seconds)
        return True
