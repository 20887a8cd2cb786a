"""A circuit breaker around a store: one request finds out that the store is down, later ones fail at once."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from msgspec import Struct

from igfeed.background import Background
from igfeed.clock import Clock
from igfeed.errors import StoreError, WriteRefused
from igfeed.stores import PROBE_KEY, Store
from igfeed.stores.circuit_breaker import CircuitBreaker
from igfeed.stores.memory import MemoryStore

log = logging.getLogger(__name__)

STORE_RETRY_PAUSE = timedelta(seconds=5)
"""How long no command is sent after a failure. Then one probe runs in the background; callers still fail at once."""

MAX_WRITE_RETRY_PAUSE = timedelta(minutes=5)
"""The pause between probes doubles up to this while writes are refused. That may last for weeks, and the owner pays for
each probe."""

T = TypeVar("T")


class Refusal(Struct, frozen=True):
    """A write that the store refused. ``size`` is the length of its text: a smaller text may still fit."""

    error: WriteRefused
    size: int


class GuardedStore(Store):
    """Wraps another store. While that store is known to be down, every command fails at once without being sent.

    Claims never fail: without the store they are decided in this process, so that it can go on fetching.

    There are two circuit breakers, because a store that refuses writes can still be read: then only writes fail,
    and claims are decided here. ``background`` runs the probes.
    """

    def __init__(self, store: Store, clock: Clock, background: Background) -> None:
        self.kind = store.kind
        self._store = store
        self._background = background
        self._claims = MemoryStore(clock)
        self._outage = CircuitBreaker(STORE_RETRY_PAUSE, clock)
        self._write_outage = CircuitBreaker(STORE_RETRY_PAUSE, clock, MAX_WRITE_RETRY_PAUSE)
        self._refusal: Refusal | None = None
        self._has_written = False

    @property
    def refusal(self) -> WriteRefused | None:
        """Why the store refused the last write. None once it has accepted a write of at least that size."""
        return self._refusal.error if self._refusal else None

    def get(self, key: str) -> str | None:
        return self._ask(lambda: self._store.get(key))

    def get_if_changed(self, key: str, known: str | None) -> str | None:
        return self._ask(lambda: self._store.get_if_changed(key, known))

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        return self._ask(lambda: self._store.get_all(keys))

    def set(self, key: str, value: str) -> None:
        self._write(lambda: self._store.set(key, value), len(value))

    def swap(self, key: str, old: str | None, new: str) -> bool:
        return self._write(lambda: self._store.swap(key, old, new), len(new))

    def delete(self, *keys: str) -> None:
        """Sent even while writes are refused, because a full database still deletes."""
        self._ask(lambda: self._store.delete(*keys))

    def delete_prefix(self, prefix: str) -> None:
        """Sent even while writes are refused. Claims that were decided in this process stay: they end by themselves."""
        self._ask(lambda: self._store.delete_prefix(prefix))

    def claim(self, key: str, ttl: timedelta) -> bool:
        try:
            return self._write(lambda: self._store.claim(key, ttl), 0)
        except StoreError:
            return self._claims.claim(key, ttl)

    def check_writable(self, size: int | None = None) -> None:
        """Sends the command at once, also during a pause."""
        asked = size if size is not None else self._refusal.size if self._refusal else 0
        self._observed(lambda: self._observed_write(lambda: self._store.check_writable(asked), asked))

    def recheck(self) -> None:
        """Sends no command if the store accepted the last write of this process."""
        if self._outage.error or self._refusal or not self._has_written:
            with suppress(StoreError):
                self.check_writable()

    def _ask(self, command: Callable[[], T]) -> T:
        if self._outage.is_probe_due():
            self._background(self._probe)
        if error := self._outage.error:
            # A new error: each raise of the same object would add to its traceback, and threads would share it.
            raise StoreError(str(error), error.hint)
        return self._observed(command)

    def _write(self, command: Callable[[], T], size: int) -> T:
        if self._write_outage.is_probe_due():
            self._background(self._probe_writing)
        if error := self._write_outage.error:
            raise WriteRefused(str(error), error.hint)
        return self._ask(lambda: self._observed_write(command, size))

    def _probe(self) -> None:
        with suppress(StoreError):
            self._observed(lambda: self._store.get(PROBE_KEY))

    def _probe_writing(self) -> None:
        """Probe with the smallest text, because probes are repeated for as long as writes are refused."""
        with suppress(StoreError):
            self.check_writable(0)

    def _observed(self, command: Callable[[], T]) -> T:
        """The result of the command. Trips the circuit breaker if the store is down, resets it if it answers.

        A refused write is an answer too.
        """
        try:
            result = command()
        except WriteRefused:
            self._note_answer()
            raise
        except StoreError as error:
            if self._outage.trip(error):
                log.warning("The store is away, going on without it: %s", error)
            raise
        self._note_answer()
        return result

    def _note_answer(self) -> None:
        if self._outage.reset():
            log.info("The store is back")

    def _observed_write(self, write: Callable[[], T], size: int) -> T:
        try:
            result = write()
        except WriteRefused as error:
            self._refusal = Refusal(error, size)
            if self._write_outage.trip(error):
                log.warning("The store is read only, what it should keep stays in this process: %s", error)
            raise
        if result is not False:  # A lost claim or swap has written nothing, so it does not show that writes work.
            self._note_accepted(size)
        return result

    def _note_accepted(self, size: int) -> None:
        self._has_written = True
        # A smaller text may fit where the refused one did not, so it shows nothing about that one.
        if self._refusal and size >= self._refusal.size:
            self._refusal = None
        if self._write_outage.reset():
            log.info("The store takes writes again")
