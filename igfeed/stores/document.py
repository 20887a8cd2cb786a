"""One document: a frozen object that the store keeps as a text under one key."""

import logging
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

from igfeed.models.record import UNREADABLE
from igfeed.stores import Store

log = logging.getLogger(__name__)


class HasText(Protocol):
    def to_text(self) -> str: ...


T = TypeVar("T", bound=HasText)


class Stored(NamedTuple, Generic[T]):
    """What the store has: the text as it is, and the object in it. Both are None if the key does not exist."""

    text: str | None
    value: T | None

    def __repr__(self) -> str:
        # Without the text: it may hold the token, and a repr ends up in logs and crash reports.
        return f"Stored({self.value!r})"


class Document(Generic[T]):
    """Reads and writes the object. Every method that uses the store raises StoreError.

    A text that ``from_text`` cannot read counts as absent, and a warning names the key. ``from_text`` may raise
    StoreError instead: then the text is not overwritten.

    ``last`` is what this process last read or wrote. A ``swap`` does not change it.
    """

    def __init__(
        self,
        store: Store,
        key: str,
        from_text: Callable[[str], T],
        to_text: Callable[[T], str] = lambda value: value.to_text(),
    ) -> None:
        self.key = key
        self.last: Stored[T] = Stored(None, None)
        self._store = store
        self._from_text = from_text
        self._to_text = to_text

    def read(self) -> Stored[T]:
        text = self._store.get(self.key)
        self.last = Stored(text, self._parse(text))
        return self.last

    def read_if_changed(self) -> T | None:
        """Like ``read``, but an unchanged text is neither transferred nor parsed again: the same object is returned."""
        last = self.last
        text = self._store.get_if_changed(self.key, last.text)
        if text != last.text:
            last = self.last = Stored(text, self._parse(text))
        return last.value

    def write(self, value: T) -> None:
        """Store the object, whatever was there."""
        text = self._to_text(value)
        self._store.set(self.key, text)
        self.last = Stored(text, value)

    def swap(self, text: str | None, value: T) -> bool:
        """Store the object if the stored text is still ``text``. False if another process has changed it."""
        return self._store.swap(self.key, text, self._to_text(value))

    def write_after(self, known: Stored[T], value: T) -> bool:
        """Store the object if the stored text is still that of ``known``, a former ``last``. False if it is not."""
        text = self._to_text(value)
        written = self._store.swap(self.key, known.text, text)
        if written:
            self.last = Stored(text, value)
        return written

    def delete(self) -> None:
        self._store.delete(self.key)

    def _parse(self, text: str | None) -> T | None:
        try:
            return None if text is None else self._from_text(text)
        except UNREADABLE:
            log.warning("What the store has under %r cannot be read and counts as absent", self.key)
            return None
