"""How many posts to ask for at once.

Meta's advice for "Please reduce the amount of data you're asking for" (HTTP 500, code 1) is a smaller ``limit``. The
same helps if a page does not arrive in time or is larger than our limit. The codes do not distinguish these cases from
other temporary faults. So after any such error the page size is halved, down to a size that cannot be the reason.
"""

from datetime import timedelta
from threading import Lock

from igfeed.clock import Clock, Pause

MAX_PAGE_SIZE = 100
MIN_PAGE_SIZE = 5

SMALLER_PAGES_FOR = timedelta(days=1)
"""How long the smaller size stays in use after it was needed once."""


def smaller(size: int) -> int | None:
    """Half of it, None if that is fewer than MIN_PAGE_SIZE."""
    half = size // 2
    return half if half >= MIN_PAGE_SIZE else None


class PageSize:
    """Remembers, in this process only, which size was too large. Threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._smaller: tuple[int, Pause] | None = None
        self._lock = Lock()

    def of(self, limit: int) -> int:
        """How many posts to ask for at once if ``limit`` posts are wanted."""
        with self._lock:
            if self._smaller and self._smaller[1].is_over:
                self._smaller = None
            return min(limit, self._smaller[0] if self._smaller else MAX_PAGE_SIZE)

    def failed(self, size: int) -> None:
        """Halve the page size for a day. If half is too small, the size was not the reason: use full pages again."""
        fewer = smaller(size)
        with self._lock:
            self._smaller = (fewer, Pause(self._clock, SMALLER_PAGES_FOR)) if fewer else None
