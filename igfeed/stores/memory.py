"""A store in this process: for tests, for the demo on Vercel, and for claims while the real store is down."""

from collections.abc import Sequence
from datetime import timedelta
from threading import Lock

from igfeed.clock import Clock, Pause
from igfeed.stores import Kind, Store


class MemoryStore(Store):
    """Threads may share it. Everything is lost when the process ends."""

    kind: Kind = "memory"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._values: dict[str, str] = {}
        self._claims: dict[str, Pause] = {}
        self._lock = Lock()

    def get(self, key: str) -> str | None:
        return self._values.get(key)

    def get_if_changed(self, key: str, known: str | None) -> str | None:  # noqa: ARG002  memory transfers nothing
        return self.get(key)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        with self._lock:  # At one moment, as ``Store`` promises.
            return [self._values.get(key) for key in keys]

    def set(self, key: str, value: str) -> None:
        with self._lock:  # Otherwise a swap of another thread could overwrite it after it has compared.
            self._values[key] = value

    def swap(self, key: str, old: str | None, new: str) -> bool:
        with self._lock:
            if self._values.get(key) != old:
                return False
            self._values[key] = new
            return True

    def delete(self, *keys: str) -> None:
        with self._lock:
            for key in keys:
                self._values.pop(key, None)

    def delete_prefix(self, prefix: str) -> None:
        with self._lock:
            self._values = {key: text for key, text in self._values.items() if not key.startswith(prefix)}
            self._claims = {key: claim for key, claim in self._claims.items() if not key.startswith(prefix)}

    def claim(self, key: str, ttl: timedelta) -> bool:
        with self._lock:
            # Ended claims are dropped, because many keys are claimed once only.
            self._claims = {name: claim for name, claim in self._claims.items() if not claim.is_over}
            if key in self._claims:
                return False
            self._claims[key] = Pause(self._clock, max(ttl, timedelta(seconds=1)))
            return True

    def check_writable(self, size: int | None = None) -> None:
        """A store in memory always accepts writes."""
