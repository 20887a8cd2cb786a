"""Runs work that no visitor should wait for."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger(__name__)

Work = Callable[[], None]
Background = Callable[[Work], None]
"""Runs the work after a response was sent. It never raises; errors of the work are logged."""


def in_place(work: Work) -> None:
    """Run the work now, in this thread. For Vercel, which may freeze other threads after the response."""
    try:
        work()
    except Exception:
        log.exception("Work after an answer failed")


class WorkerThread:
    """Runs the work in one thread, first in, first out. For long-lived servers.

    Why not in ``call_on_close`` itself: the next request on a kept-alive connection would wait for it, so a browser's
    pictures would wait for a slow Instagram. The thread starts with the first work, so it always starts after a fork.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="igfeed")

    def __call__(self, work: Work) -> None:
        try:
            self._executor.submit(in_place, work)
        except RuntimeError:  # The process is ending, so its threads take no new work.
            in_place(work)
