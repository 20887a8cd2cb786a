"""A circuit breaker: after a failure, callers fail at once, and only one of them retries after each pause."""

from datetime import timedelta
from threading import Lock

from igfeed.clock import Clock, Pause
from igfeed.errors import StoreError


class CircuitBreaker:
    """Open after ``trip``, until ``reset``. After each pause one caller is told to probe. Threads may share it.

    Each pause is twice as long as the one before, up to ``longest_pause``. Without it, all pauses have the same
    length.
    """

    def __init__(self, pause: timedelta, clock: Clock, longest_pause: timedelta | None = None) -> None:
        self._first_length = self._length = pause
        self._longest_length = longest_pause or pause
        self._clock = clock
        self._lock = Lock()
        self._error: StoreError | None = None
        self._pause: Pause | None = None

    @property
    def error(self) -> StoreError | None:
        """The error that tripped it, None while it is closed."""
        return self._error

    def trip(self, error: StoreError) -> bool:
        """Open it, and begin a new pause. True if it was closed."""
        with self._lock:
            was_closed = self._error is None
            self._error = error
            self._pause = Pause(self._clock, self._length)
            return was_closed

    def reset(self) -> bool:
        """Close it. True if it was open."""
        with self._lock:
            was_open = self._error is not None
            self._error = self._pause = None
            self._length = self._first_length
            return was_open

    def is_probe_due(self) -> bool:
        """True for one caller after each pause."""
        with self._lock:
            is_due = self._pause is not None and self._pause.is_over
            if is_due:
                # The next pause begins at once, so that no second caller probes while the first one does.
                self._length = min(2 * self._length, self._longest_length)
                self._pause = Pause(self._clock, self._length)
            return is_due
