"""A document in the store with a copy in this process, so that a store which is away loses nothing."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from igfeed.errors import StoreError
from igfeed.models.record import UNREADABLE
from igfeed.stores import Store

log = logging.getLogger(__name__)


class Dated(Protocol):
    @property
    def at(self) -> datetime: ...

    def to_text(self) -> str: ...


T = TypeVar("T", bound=Dated)


class Document(Generic[T]):
    """One noun under one key. Nothing here raises: what cannot be read counts as absent."""

    def __init__(self, store: Store, key: str, from_text: Callable[[str], T]) -> None:
        self._store = store
        self._key = key
        self._from_text = from_text
        self._copy: T | None = None
        self._unsaved: T | None = None

    @property
    def cached(self) -> T | None:
        """What it said when it was last recalled, or what we last made of it."""
        return self._copy

    def load(self) -> T | None:
        """What the store has, or this process's copy while the store is away or has not got it yet."""
        try:
            stored = self._read(self._store.get(self._key))
        except StoreError:
            return self._copy
        unsaved = self._unsaved
        self._copy = unsaved if unsaved and (stored is None or stored.at <= unsaved.at) else stored
        return self._copy

    def save(self, value: T) -> None:
        self._copy = value
        written = self._try(lambda: self._store.set(self._key, value.to_text()))
        self._unsaved = None if written else value

    def delete(self) -> None:
        self._copy = self._unsaved = None
        self._try(lambda: self._store.delete(self._key))

    def _read(self, text: str | None) -> T | None:
        try:
            return None if text is None else self._from_text(text)
        except UNREADABLE:
            log.warning("What the store has under %r cannot be read and counts as absent", self._key)
            return None

    def _try(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except StoreError as error:
            log.warning("%r could not be written: %s", self._key, error)
            return False
        return True
