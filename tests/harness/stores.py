"""What tests do with stores: one that fails when told, and the one behind those that `igfeed.services` adds."""

import threading
from collections.abc import Sequence
from datetime import timedelta

from igfeed.clock import Clock
from igfeed.errors import StoreError
from igfeed.stores import Store
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.memory import MemoryStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.stores.scoped import ScopedStore
from igfeed.stores.upstash import UpstashStore


class FrailStore(MemoryStore):
    """A memory store that is away whenever `away` is set; counts what it is asked."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.away = False
        self.asked = 0
        self.gate: threading.Event | None = None
        self.reached = threading.Event()

    def get(self, key: str) -> str | None:
        self._check()
        return super().get(key)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        self._check()
        return super().get_all(keys)

    def set(self, key: str, value: str) -> None:
        self._check()
        super().set(key, value)

    def delete(self, *keys: str) -> None:
        self._check()
        super().delete(*keys)

    def swap(self, key: str, old: str | None, new: str) -> bool:
        self._check()
        return super().swap(key, old, new)

    def claim(self, key: str, ttl: timedelta) -> bool:
        self._check()
        return super().claim(key, ttl)

    def check_writable(self, size: int | None = None) -> None:
        self._check()

    def _check(self) -> None:
        self.asked += 1
        if self.gate:
            self.reached.set()
            assert self.gate.wait(10)
        if self.away:
            raise StoreError("The store is away.", "Call the owner.")


def innermost(store: Store) -> Store:
    """The store that keeps things, without those that `igfeed.services` puts around it."""
    while isinstance(store, ReadAhead | GuardedStore | ScopedStore):
        store = store._store
    return store


def close(store: Store) -> None:
    """Close its connections. The app never does, as its process ends; in the tests they would be a leak."""
    store = innermost(store)
    if isinstance(store, UpstashStore):
        store._run(lambda redis: redis.close())
