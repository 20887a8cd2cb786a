"""The store and the Instagram behind a simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from igfeed.errors import (
    InstagramError,
    InstagramUnreachable,
    PermissionRefused,
    RateLimited,
    StoreError,
    TokenRejected,
    UnexpectedAnswer,
)
from igfeed.models import Token
from igfeed.stores import Store
from igfeed.stores.memory import MemoryStore
from lab.simulation.scenario import Outage
from lab.simulation.state import SimulationClock, SimulationState
from lab.simulation.tokens import ProcessKnowledge

T = TypeVar("T")


REFUSALS: dict[Outage, Callable[[], InstagramError]] = {
    Outage.RENEWALS_LIMITED: lambda: RateLimited("Too many calls."),
    Outage.RENEWALS_UNEXPECTED: lambda: UnexpectedAnswer("Something else."),
    Outage.RENEWALS_REFUSED: lambda: PermissionRefused("May not."),
}


class Backends(Protocol):
    """The store and Instagram of a simulation, and how they are made to fail."""

    def store(self) -> Store: ...

    def store_fails(self, call: Callable[[], T], *, is_done: bool) -> T: ...

    def renew(self, process: ProcessKnowledge, token: str, *, is_new_dead: bool) -> Token: ...

    def read(self, process: ProcessKnowledge, token: str) -> None: ...

    def instagram_fails(self, call: Callable[[], T], outage: Outage, *, is_done: bool) -> T: ...


class InMemoryBackends:
    """Both in memory: thousands of times faster than servers."""

    def __init__(self, state: SimulationState, store: Store | None = None) -> None:
        self._state = state
        self._store = store or MemoryStore(SimulationClock(state))

    def store(self) -> Store:
        return self._store

    def store_fails(self, call: Callable[[], T], *, is_done: bool) -> T:
        if is_done:
            call()
        raise StoreError("The store is away.")

    def renew(self, process: ProcessKnowledge, token: str, *, is_new_dead: bool) -> Token:
        asked_at = self._state.now + process.ahead
        value, life = self._state.records.renew(token, self._state.now, is_new_dead=is_new_dead)
        return Token(value, issued_at=asked_at, expires_at=asked_at + life)

    def read(self, process: ProcessKnowledge, token: str) -> None:
        if not self._state.records.works(token, self._state.now):
            raise TokenRejected("Dead.")

    def instagram_fails(self, call: Callable[[], T], outage: Outage, *, is_done: bool) -> T:
        if is_done:
            call()
        raise REFUSALS[outage]() if outage in REFUSALS else InstagramUnreachable("Nobody answers.")
