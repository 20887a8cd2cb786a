"""A part of a store: every key in it begins with the same prefix, which its users do not know."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta

from igfeed.errors import WriteRefused
from igfeed.stores import Store


class ScopedStore(Store):
    """Wraps a store that others use too. What is known about that store's health is shared with them.

    ``check_write`` is called before each text is stored. It raises StoreError if nothing may be stored any more.
    """

    def __init__(self, store: Store, prefix: str, check_write: Callable[[], None]) -> None:
        self.kind = store.kind
        self._store = store
        self._prefix = prefix
        self._check_write = check_write

    def get(self, key: str) -> str | None:
        return self._store.get(self._whole(key))

    def get_if_changed(self, key: str, known: str | None) -> str | None:
        return self._store.get_if_changed(self._whole(key), known)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        return self._store.get_all([self._whole(key) for key in keys])

    def set(self, key: str, value: str) -> None:
        self._check_write()
        self._store.set(self._whole(key), value)

    def swap(self, key: str, old: str | None, new: str) -> bool:
        self._check_write()
        return self._store.swap(self._whole(key), old, new)

    def delete(self, *keys: str) -> None:
        self._store.delete(*(self._whole(key) for key in keys))

    def delete_prefix(self, prefix: str) -> None:
        self._store.delete_prefix(self._whole(prefix))

    def claim(self, key: str, ttl: timedelta) -> bool:
        return self._store.claim(self._whole(key), ttl)

    def check_writable(self, size: int | None = None) -> None:
        self._store.check_writable(size)

    def recheck(self) -> None:
        self._store.recheck()

    @property
    def refusal(self) -> WriteRefused | None:
        return self._store.refusal

    def read_ahead(self, *keys: str) -> AbstractContextManager[None]:
        return self._store.read_ahead(*(self._whole(key) for key in keys))

    def _whole(self, key: str) -> str:
        return f"{self._prefix}{key}"
