"""Where work goes that nobody shall wait for."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger(__name__)

Work = Callable[[], None]
Background = Callable[[Work], None]
"""Takes work after an answer has gone out, and never raises what the work raises."""


def in_place(work: Work) -> None:
    """Do it here and now: for Vercel, which may freeze a thread once the invocation has ended."""
    try:
        work()
    except Exception:
        log.exception("Work after an answer failed")


class WorkerThread:
    """Hand it to one thread of our own: for servers that live on.

    The next request of a kept-alive connection waits for ``call_on_close``, so a browser's pictures would hang on a
    slow Instagram if the work were done there. The thread starts with the first work, hence after any fork.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="igfeed")

    def __call__(self, work: Work) -> None:
        self._executor.submit(in_place, work)
