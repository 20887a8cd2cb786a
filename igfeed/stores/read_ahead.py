"""A store that reads several keys with one command, because the owner pays for each command."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import local

from igfeed.errors import StoreError, WriteRefused
from igfeed.stores import Store


class ReadAhead(Store):
    """Wraps another store and implements ``read_ahead``. Threads may share it: each sees only what it read ahead."""

    def __init__(self, store: Store) -> None:
        self.kind = store.kind
        self._store = store
        self._thread = local()

    @contextmanager
    def read_ahead(self, *keys: str) -> Iterator[None]:
        """Inside the block, this thread's first read of each key costs no command.

        A second read of the same key asks the store, because the caller wants to know what has changed since. So does a
        read after a write. In a block inside of another one, what the outer one has read ahead is not read again.
        """
        outer = self._texts
        self._thread.texts = {**outer}
        if missing := [key for key in keys if key not in outer]:
            with suppress(StoreError):  # Each read in the block then asks the store and raises its error.
                self._texts.update(zip(missing, self._store.get_all(missing), strict=True))
        try:
            yield
        finally:
            inner, self._thread.texts = self._texts, outer
            self._forget(*(outer.keys() - inner.keys()))

    def get(self, key: str) -> str | None:
        texts = self._texts
        return texts.pop(key) if key in texts else self._store.get(key)

    def get_if_changed(self, key: str, known: str | None) -> str | None:
        texts = self._texts
        return texts.pop(key) if key in texts else self._store.get_if_changed(key, known)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        return self._store.get_all(keys)

    def set(self, key: str, value: str) -> None:
        self._forget(key)
        self._store.set(key, value)

    def swap(self, key: str, old: str | None, new: str) -> bool:
        self._forget(key)
        return self._store.swap(key, old, new)

    def delete(self, *keys: str) -> None:
        self._forget(*keys)
        self._store.delete(*keys)

    def delete_prefix(self, prefix: str) -> None:
        self._forget(*(key for key in self._texts if key.startswith(prefix)))
        self._store.delete_prefix(prefix)

    def claim(self, key: str, ttl: timedelta) -> bool:
        return self._store.claim(key, ttl)

    def check_writable(self, size: int | None = None) -> None:
        self._store.check_writable(size)

    def recheck(self) -> None:
        self._store.recheck()

    @property
    def refusal(self) -> WriteRefused | None:
        return self._store.refusal

    @property
    def _texts(self) -> dict[str, str | None]:
        """What this thread has read ahead and not used yet."""
        # A thread has no attribute of its own before its first read_ahead.
        texts: dict[str, str | None] = getattr(self._thread, "texts", {})
        return texts

    def _forget(self, *keys: str) -> None:
        for key in keys:
            self._texts.pop(key, None)
