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
