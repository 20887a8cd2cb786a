"""Where documents, claims and pictures are kept: the protocol ``Store``, and one module for each implementation."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Literal, Protocol

from igfeed.errors import WriteRefused

Kind = Literal["upstash", "sqlite", "memory"]


class Store(Protocol):
    """Texts under keys. Each method that reads or writes is one command, and raises ``StoreError`` if it failed.

    The error is a ``WriteRefused`` if the store answers but accepts no writes: the database is over its size, the
    token may only read, the disk is full. A replica may lag for moments, so one empty ``get`` does not prove that a key
    is gone.

    The methods with a body are defaults for a plain store. ``GuardedStore``, ``ReadAhead`` and ``ScopedStore`` wrap
    another store and override them.
    """

    kind: Kind

    def get(self, key: str) -> str | None:
        """The text under the key, None if there is none."""

    def get_if_changed(self, key: str, known: str | None) -> str | None:
        """Like ``get``, but a text that equals ``known`` is not transferred again."""

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        """What ``get`` gives for each key, in this order, all read at the same moment."""

    def set(self, key: str, value: str) -> None:
        """Store the text under the key, without expiry, whatever was there."""

    def swap(self, key: str, old: str | None, new: str) -> bool:
        """Compare and swap: store ``new`` if the text is still ``old`` (None: if there is none). False if it is not.

        The primary compares, never a replica. After a ``StoreError`` the swap may have happened or not.
        """

    def delete(self, *keys: str) -> None:
        """Delete the keys. A key that does not exist is no error."""

    def delete_prefix(self, prefix: str) -> None:
        """Delete every key that begins with ``prefix``, claims too. Not one command: it looks through all keys.

        A key that another process writes meanwhile may stay.
        """

    def claim(self, key: str, ttl: timedelta) -> bool:
        """Claim the key for that long. True for exactly one of several callers, False while another claim lasts.

        A claim cannot be released: it ends with its time (whole seconds, at least one).
        """

    def check_writable(self, size: int | None = None) -> None:
        """Raises StoreError unless the store accepts a text of ``size`` characters now. Leaves nothing behind.

        Without a ``size``: that of the last refused write if there was one, else an empty text.
        """

    def recheck(self) -> None:
        """If the store is known to fail, test it now: later commands then depend on its present state. Never raises."""
        return

    @property
    def refusal(self) -> WriteRefused | None:
        """Why the store refused the last write, None if it did not."""
        return None

    def read_ahead(self, *keys: str) -> AbstractContextManager[None]:  # noqa: ARG002  a plain store ignores the hint
        """For a block that reads these keys: the store may read them all with one command beforehand. Never raises."""
        return nullcontext()


PROBE_KEY = "probe"
"""A key with nothing under it: reading it is the cheapest command there is."""
