"""The only reader of the time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment as an aware datetime in UTC."""

Sleep = Callable[[float], None]
"""Waits so many seconds."""

sleep: Sleep = time.sleep


def utcnow() -> datetime:
    return datetime.now(UTC)


class Deadline:
    """A moment so many seconds ahead on the monotonic clock, which no correction of the wall clock moves."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then, 0.0 once it has passed."""
        return max(0.0, self._end - time.monotonic())
