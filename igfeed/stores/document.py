"""One document in the store with a copy in this process, so that nothing is lost while the store is down."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from igfeed.errors import StoreError
from igfeed.models.record import UNREADABLE
from igfeed.stores import Store

log = logging.getLogger(__name__)


class Dated(Protocol):
    """What a document holds. ``at`` is when it was written: of two versions the later one counts."""

    @property
    def at(self) -> datetime: ...

    def to_text(self) -> str: ...


T = TypeVar("T", bound=Dated)


class Document(Generic[T]):
    """One frozen object under one key. No method raises: what cannot be read or parsed counts as absent.

    For documents that igfeed can do without. The token raises instead, because an unreadable token must not be
    overwritten; the feed keeps its text, so that an unchanged one is not transferred again.
    """

    def __init__(self, store: Store, key: str, from_text: Callable[[str], T]) -> None:
        self._store = store
        self._key = key
        self._from_text = from_text
        self._copy: T | None = None
        self._unsaved: T | None = None

    @property
    def cached(self) -> T | None:
        """What was last loaded, saved or deleted in this process. Sends no command."""
        return self._copy

    def load(self) -> T | None:
        """What the store has. This process's copy if the store is down or has not accepted the newer copy yet."""
        try:
            stored = self._read(self._store.get(self._key))
        except StoreError:
            return self._copy
        unsaved = self._unsaved
        self._copy = unsaved if unsaved and (stored is None or stored.at <= unsaved.at) else stored
        return self._copy

    def save(self, value: T) -> None:
        """Keep it here and in the store.

        If the store is down, ``load`` prefers this copy until a later one is there.
        """
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
