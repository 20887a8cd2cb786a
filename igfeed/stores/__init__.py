"""Where documents, claims and pictures are kept: one promise, one file for each way to keep it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, Protocol

Kind = Literal["upstash", "sqlite", "memory"]


class Store(Protocol):
    """Texts under keys. Every method is one command, and raises ``StoreError`` when it could not be done.

    It is a ``WriteRefused`` where the store answers and does not take the write: a database over its size, a token
    that may only read, a full disk. A replica may be behind for moments: one empty ``get`` does not prove that a key
    is gone.
    """

    kind: Kind

    def get(self, key: str) -> str | None:
        """The text under the key, None if there is none."""

    def get_if_changed(self, key: str, known: str | None) -> str | None:
        """What ``get`` says, for who knows what it said last: only news is sent."""

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        """What ``get`` says of each, read at one moment."""

    def set(self, key: str, value: str) -> None:
        """Keep the text under the key, without expiry, whatever was there."""

    def swap(self, key: str, old: str | None, new: str) -> bool:
        """Set the text under the key if it still is the old one (None: if there is none), in one step; else False.

        It is the store itself that compares, never a replica. After a ``StoreError`` it may have been done or not.
        """

    def delete(self, *keys: str) -> None:
        """Delete the keys; one that does not exist is no error."""

    def claim(self, key: str, ttl: timedelta) -> bool:
        """Take the key for so long, if nobody has it: True for exactly one of many who ask at once.

        There is no release: the claim ends with its time (whole seconds, at least one).
        """

    def prove(self, size: int) -> None:
        """Raises StoreError unless the store would take a text of so many characters now; leaves nothing behind."""


PROBE = "probe"
"""A key with nothing under it: asking for it is the cheapest question there is."""
