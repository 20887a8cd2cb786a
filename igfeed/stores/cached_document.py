"""One document in the store with a copy in this process, so that nothing is lost while the store is down."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from igfeed.errors import StoreError
from igfeed.stores import Store
from igfeed.stores.document import Document, HasText

log = logging.getLogger(__name__)


class Dated(HasText, Protocol):
    """The type of the object. ``at`` is when it was written: of two versions, the later one is used."""

    @property
    def at(self) -> datetime: ...


T = TypeVar("T", bound=Dated)


class CachedDocument(Generic[T]):
    """A document that igfeed can do without: no method raises StoreError."""

    def __init__(self, store: Store, key: str, from_text: Callable[[str], T]) -> None:
        self._document = Document(store, key, from_text)
        self._copy: T | None = None
        self._unsaved: T | None = None

    @property
    def cached(self) -> T | None:
        """This process's copy: what it last loaded or saved, None after a delete. Sends no command."""
        return self._copy

    def load(self) -> T | None:
        """What the store has, or this process's copy if the store is down or has not accepted that newer copy yet."""
        try:
            stored = self._document.read().value
        except StoreError:
            return self._copy
        unsaved = self._unsaved
        self._copy = unsaved if unsaved and (stored is None or stored.at <= unsaved.at) else stored
        return self._copy

    def save(self, value: T) -> None:
        """Keep it in this process and in the store.

        If the store does not accept it, ``load`` returns this copy until the store has a later version.
        """
        self._copy = value
        written = self._try(lambda: self._document.write(value))
        self._unsaved = None if written else value

    def delete(self) -> None:
        self._copy = self._unsaved = None
        self._try(self._document.delete)

    def _try(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except StoreError as error:
            log.warning("%r could not be written: %s", self._document.key, error)
            return False
        return True
