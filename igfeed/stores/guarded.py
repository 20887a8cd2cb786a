"""A circuit breaker around a store: one request finds out that the store is down, later ones fail at once."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from igfeed.background import Background
from igfeed.clock import Clock
from igfeed.errors import StoreError, WriteRefused
from igfeed.stores import PROBE_KEY, Store
from igfeed.stores.circuit_breaker import CircuitBreaker
from igfeed.stores.memory import MemoryStore

log = logging.getLogger(__name__)

STORE_RETRY_PAUSE = timedelta(seconds=5)
"""How long no command is sent after a failure. Then one probe runs in the background; callers still fail at once."""

LONGEST_WRITE_RETRY_PAUSE = timedelta(minutes=5)
"""The pause between probes doubles up to this while writes are refused. That may last for weeks, and the owner pays for
each probe."""

T = TypeVar("T")


@dataclass(frozen=True)
class Refusal:
    """A write that the store refused. ``size`` is the length of its text: a smaller text may still fit."""

    error: WriteRefused
    size: int


class GuardedStore(Store):
    """Another store. While that one is known to be down, every command fails at once without being sent.

    Claims do not fail: they are then decided in this process, so that it can go on fetching.

    There are two circuit breakers, because a store that refuses writes can still be read: then only writes fail,
    and claims are decided here. ``background`` runs the probes.
    """

    def __init__(self, store: Store, clock: Clock, background: Background) -> None:
        self.kind = store.kind
        self._store = store
        self._background = background
        self._claims = MemoryStore(clock)
        self._away = CircuitBreaker(STORE_RETRY_PAUSE, clock)
        self._refusing = CircuitBreaker(STORE_RETRY_PAUSE, clock, LONGEST_WRITE_RETRY_PAUSE)
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

    def claim(self, key: str, ttl: timedelta) -> bool:
        try:
            return self._write(lambda: self._store.claim(key, ttl), 0)
        except StoreError:
            return self._claims.claim(key, ttl)

    def check_writable(self, size: int | None = None) -> None:
        """Sends the command at once, also during a pause."""
        asked = size if size is not None else self._refusal.size if self._refusal else 0
        self._watched(lambda: self._watched_write(lambda: self._store.check_writable(asked), asked))

    def recheck(self) -> None:
        """Sends no command if the store accepted the last write of this process."""
        if self._away.error or self._refusal or not self._has_written:
            with suppress(StoreError):
                self.check_writable()

    def _ask(self, command: Callable[[], T]) -> T:
        if self._away.is_probe_due():
            self._background(self._probe)
        if error := self._away.error:
            raise StoreError(str(error), error.hint)
        return self._watched(command)

    def _write(self, command: Callable[[], T], size: int) -> T:
        if self._refusing.is_probe_due():
            self._background(self._probe_writing)
        if error := self._refusing.error:
            raise WriteRefused(str(error), error.hint)
        return self._ask(lambda: self._watched_write(command, size))

    def _probe(self) -> None:
        with suppress(StoreError):
            self._watched(lambda: self._store.get(PROBE_KEY))

    def _probe_writing(self) -> None:
        """Probe with the smallest text, because this is repeated often."""
        with suppress(StoreError):
            self.check_writable(0)

    def _watched(self, command: Callable[[], T]) -> T:
        """The result of the command. Trips the circuit breaker if the store is down, resets it if it answers.

        A refused write is an answer too.
        """
        try:
            answer = command()
        except WriteRefused:
            self._is_back()
            raise
        except StoreError as error:
            if self._away.trip(error):
                log.warning("The store is away, going on without it: %s", error)
            raise
        self._is_back()
        return answer

    def _is_back(self) -> None:
        if self._away.reset():
            log.info("The store is back")

    def _watched_write(self, write: Callable[[], T], size: int) -> T:
        try:
            answer = write()
        except WriteRefused as error:
            self._refusal = Refusal(error, size)
            if self._refusing.trip(error):
                log.warning("The store is read only, what it should keep stays in this process: %s", error)
            raise
        if answer is not False:  # A lost claim or swap has written nothing, so it does not show that writes work.
            self._has_accepted(size)
        return answer

    def _has_accepted(self, size: int) -> None:
        self._has_written = True
        if self._refusal and size >= self._refusal.size:
            self._refusal = None
        if self._refusing.reset():
            log.info("The store takes writes again")
