"""The only reader of the time."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

log = logging.getLogger(__name__)

CLOCKS_DIFFER = timedelta(minutes=5)
"""The largest difference between two clocks that both count as right. A time further ahead is from a wrong clock."""

Sleep = Callable[[float], None]
"""Waits so many seconds."""

sleep: Sleep = time.sleep


class Clock(Protocol):
    """Two clocks. The wall clock gives the dates that others read, and it may be set. The monotonic one never jumps."""

    def __call__(self) -> datetime:
        """The present moment by the wall clock, as an aware datetime in UTC."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since some moment that stays the same while this process lives.

        It is a number because every view reads it: to make a ``timedelta`` takes as long as the rest of a view.
        """


class SystemClock:
    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        return _since_boot()


def _chosen() -> Callable[[], int]:
    """A clock that also counts the time of suspend. On Linux ``time.monotonic_ns`` does not count it."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)
    return time.monotonic_ns


_since_boot = _chosen()


system_clock = SystemClock()


class Pause:
    """So much time from now on. It is measured on the monotonic clock: setting the wall clock does not prolong it."""

    def __init__(self, clock: Clock, length: timedelta) -> None:
        self._monotonic_ns = clock.monotonic_ns
        self._end = clock.monotonic_ns() + length // MICROSECOND * 1000

    @property
    def is_over(self) -> bool:
        return self._end <= self._monotonic_ns()

    @property
    def left(self) -> timedelta:
        """Negative once it is over."""
        return span(self._end - self._monotonic_ns())


MICROSECOND = timedelta(microseconds=1)


def span(nanoseconds: int) -> timedelta:
    return timedelta(microseconds=nanoseconds // 1000)


def iso(moment: datetime) -> str:
    """As others read it: to the second, in UTC."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


class Beginning:
    """When something began. It is computed when asked for, because the clock may have been corrected since."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.monotonic_ns()

    @property
    def moment(self) -> datetime:
        return self._clock() - span(self._clock.monotonic_ns() - self._since)


class CheckedClock:
    """The machine's clock until ``check`` shows that it is wrong. After that, the time that was told, counted on.

    ``ahead`` is how far the machine's clock is ahead, negative when it is behind, zero while it counts as right.
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
        """Compare with ``moment``, the present time as another server has just told it."""
        ahead = self._clock() - moment
        if abs(ahead) <= CLOCKS_DIFFER:
            self.ahead, self._told = timedelta(), None
            return
        if self._told is None:
            log.warning("%s %s", clock_is_wrong(ahead), SET_THE_CLOCK)
        self.ahead, self._told = ahead, (moment, self.monotonic_ns())


SET_THE_CLOCK = "Set it, best by NTP (`timedatectl set-ntp true`). Until then igfeed goes by Instagram's time."


def clock_is_wrong(ahead: timedelta) -> str:
    minutes = round(abs(ahead) / timedelta(minutes=1))
    units = (("days", 24 * 60), ("hours", 60), ("minutes", 1))
    amount = next(f"{minutes // size} {unit}" for unit, size in units if minutes >= 2 * size)
    direction = "ahead of" if ahead > timedelta() else "behind"
    return f"The server's clock is {amount} {direction} the real time."


class Deadline:
    """A limit for work that is under way, in real seconds: it is not driven by the clock that is passed in."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then, 0.0 once it has passed."""
        return max(0.0, self._end - time.monotonic())


class RateLimit:
    """Allows each text once in so many seconds (monotonic clock), so that a repeated message does not fill the log."""

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
