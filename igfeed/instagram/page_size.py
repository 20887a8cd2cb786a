"""How many posts to ask for at once.

Meta's cure for "Please reduce the amount of data you're asking for" (HTTP 500, code 1) is a smaller ``limit``. The same
helps where a page does not come in time or is larger than we read. Which of these it was cannot be told from other
trouble by codes, so any of them makes the page smaller, down to a size at which that was not the trouble.
"""

from datetime import timedelta
from threading import Lock

from igfeed.clock import Clock, Pause

LARGEST_PAGE = 100
SMALLEST_PAGE = 5

SMALLER_PAGES = timedelta(days=1)
"""How long we keep to the smaller pages that were needed once."""


def smaller(size: int) -> int | None:
    """Half as many posts, None where so few are never too many."""
    half = size // 2
    return half if half >= SMALLEST_PAGE else None


class PageSize:
    """Remembers in this process which size worked. Threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._smaller: tuple[int, Pause] | None = None
        self._lock = Lock()

    def of(self, limit: int) -> int:
        """How many to ask for where so many are wanted."""
        with self._lock:
            if self._smaller and self._smaller[1].is_over:
                self._smaller = None
            return min(limit, self._smaller[0] if self._smaller else LARGEST_PAGE)

    def failed(self, size: int) -> None:
        """Ask for fewer from now on; for as many as ever where fewer would be no help."""
        fewer = smaller(size)
        with self._lock:
            self._smaller = (fewer, Pause(self._clock, SMALLER_PAGES)) if fewer else None
