"""A guard before a store that may be down: one visitor pays for finding out, nobody else ever."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Lock, local
from typing import TypeVar

from igfeed.background import Background, WorkerThread
from igfeed.clock import Clock, Pause, system_clock
from igfeed.errors import StoreError
from igfeed.stores import Store
from igfeed.stores.memory import MemoryStore

log = logging.getLogger(__name__)

PAUSE = timedelta(seconds=5)
"""After a failure nobody asks for so long; then it is tried in the background while callers are still refused."""

PROBE = "probe"
"""A key with nothing under it: asking for it is the cheapest question there is."""

T = TypeVar("T")


class GuardedStore:
    """Fails at once while the store is known to be down; claims are then decided in this process."""

    def __init__(self, store: Store, clock: Clock = system_clock, background: Background | None = None) -> None:
        self.kind = store.kind
        self._store = store
        self._clock = clock
        self._background = background or WorkerThread()
        self._claims = MemoryStore(clock)
        self._lock = Lock()
        self._reading = local()
        self._closed: Pause | None = None
        """None while the store is well."""
        self._error = StoreError("The store was not asked yet.")

    def get(self, key: str) -> str | None:
        read = self._read_before()
        return read.pop(key) if key in read else self._ask(lambda: self._store.get(key))

    def reread(self, key: str, known: str | None) -> str | None:
        read = self._read_before()
        return read.pop(key) if key in read else self._ask(lambda: self._store.reread(key, known))

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        return self._ask(lambda: self._store.get_all(keys))

    @contextmanager
    def read_at_once(self, *keys: str) -> Iterator[None]:
        """Read all of them by one command: inside the block this thread's first reading of each asks nobody.

        A second reading of the same key does ask, as it wants to know what has become of it; so does one after a write.
        """
        outside = self._read_before()
        with suppress(StoreError):  # Whoever asks inside hears of it.
            self._reading.texts = dict(zip(keys, self.get_all(keys), strict=True))
        try:
            yield
        finally:
            self._reading.texts = outside

    def set(self, key: str, value: str) -> None:
        self._read_before().pop(key, None)
        self._ask(lambda: self._store.set(key, value))

    def swap(self, key: str, old: str | None, new: str) -> bool:
        self._read_before().pop(key, None)
        return self._ask(lambda: self._store.swap(key, old, new))

    def delete(self, *keys: str) -> None:
        for key in keys:
            self._read_before().pop(key, None)
        self._ask(lambda: self._store.delete(*keys))

    def prove(self) -> None:
        """Raises StoreError unless the store takes what it is given."""
        self.set(PROBE, "")
        self.delete(PROBE)

    def claim(self, key: str, ttl: timedelta) -> bool:
        try:
            return self._ask(lambda: self._store.claim(key, ttl))
        except StoreError:
            return self._claims.claim(key, ttl)

    def ask_again(self) -> None:
        """Find out now whether the store is back: the owner's tasks come seldom, and can wait."""
        if self._closed is not None:
            self._probe()

    def _read_before(self) -> dict[str, str | None]:
        texts: dict[str, str | None] = getattr(self._reading, "texts", {})
        return texts

    def _ask(self, command: Callable[[], T]) -> T:
        if self._is_probe_due():
            self._background(self._probe)
        if self._closed is not None:
            raise StoreError(str(self._error), self._error.hint)
        return self._watched(command)

    def _is_probe_due(self) -> bool:
        """True for one caller after each pause."""
        with self._lock:
            is_due = self._closed is not None and self._closed.is_over
            if is_due:
                self._closed = Pause(self._clock, PAUSE)
            return is_due

    def _probe(self) -> None:
        with suppress(StoreError):
            self._watched(lambda: self._store.get(PROBE))

    def _watched(self, command: Callable[[], T]) -> T:
        try:
            answer = command()
        except StoreError as error:
            self._close(error)
            raise
        self._open()
        return answer

    def _close(self, error: StoreError) -> None:
        with self._lock:
            if self._closed is None:
                log.warning("The store is away, going on without it: %s", error)
            self._error = error
            self._closed = Pause(self._clock, PAUSE)

    def _open(self) -> None:
        with self._lock:
            if self._closed is not None:
                log.info("The store is back")
            self._closed = None
