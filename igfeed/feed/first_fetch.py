"""The first fetch, for which visitors have to wait: there is nothing to show yet."""

from datetime import timedelta
from threading import Lock, Semaphore

from igfeed.clock import Clock, Pause, Sleep
from igfeed.feed.fetch_failures import FetchFailures, first_fetch_under_way
from igfeed.feed.fetcher import Fetcher
from igfeed.feed.local_copy import LocalCopy
from igfeed.models import FeedSnapshot
from igfeed.stores import Store

FIRST_FETCH_WAIT = 5.0
"""Seconds that a visitor waits for another process's first fetch."""

MAX_WAITING_FOR_FEED = 2
"""Threads of a process that may wait for the first fetch: the one that fetches and one more. A server has eight."""

FIRST_FETCH_POLL_WAITS = (0.2, 0.4, 0.8, 1.6, 2.0)
"""Seconds before each sync while waiting for another process. They are few, because the owner pays for commands."""


class FirstFetch:
    """What views do while this process has no snapshot. Threads may share it."""

    _wait_pause: Pause | None = None
    """Begins with each poll. While it lasts, no other thread of this process polls."""

    def __init__(
        self,
        fetcher: Fetcher,
        local: LocalCopy,
        failures: FetchFailures,
        store: Store,
        clock: Clock,
        *,
        check_ttl: timedelta,
        sleep: Sleep,
    ) -> None:
        self._fetcher = fetcher
        self._local = local
        self._failures = failures
        self._store = store
        self._clock = clock
        self._check_ttl = check_ttl
        self._sleep = sleep
        self._places = Semaphore(MAX_WAITING_FOR_FEED)
        self._waiting = Lock()
        self._syncing = Lock()

    def sync(self) -> None:
        """Ask the store for a snapshot, unless that was done lately. Other threads wait for the one that asks."""
        with self._syncing:
            if self._local.is_sync_due:
                self._sync()

    def get(self) -> FeedSnapshot:
        """The first snapshot: fetch it, or wait up to FIRST_FETCH_WAIT seconds while another fetches it.

        Raises FeedUnavailable if there is still none, and at once if enough threads wait: while Instagram hangs, more
        of them would block the whole server.
        """
        if not self._places.acquire(blocking=False):
            raise first_fetch_under_way()
        try:
            return self._get()
        finally:
            self._places.release()

    def _get(self) -> FeedSnapshot:
        if self._waiting.acquire(timeout=FIRST_FETCH_WAIT):
            try:
                self._fetch_or_wait()
            finally:
                self._waiting.release()
        snapshot = self._local.shown
        if snapshot is None:
            raise self._failures.as_unavailable()
        return snapshot

    def _fetch_or_wait(self) -> None:
        if self._local.snapshot is None:
            self.sync()
        if self._local.snapshot is None and not self._failures.is_backing_off():
            self._fetcher.refresh(is_awaited=True)
        if self._wait_pause is None or self._wait_pause.is_over:
            self._wait_for_other_process()

    def _wait_for_other_process(self) -> None:
        for seconds in FIRST_FETCH_POLL_WAITS:
            if self._local.snapshot or self._failures.is_backing_off():
                return
            self._wait_pause = Pause(self._clock, self._check_ttl)
            self._sleep(seconds)
            self._sync()

    def _sync(self) -> None:
        """One command also reads whether a view may fetch."""
        with self._store.read_ahead(*self._fetcher.keys, *self._local.keys_without_feed):
            self._local.sync()
            if self._local.snapshot is None:
                self._failures.load_with_token()
