"""The store and Instagram as a process reaches them, with faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from igfeed.errors import (
    InstagramError,
    InstagramUnreachable,
    PictureUnavailable,
    TokenRejected,
    UnexpectedAnswer,
)
from igfeed.instagram import RENEWAL_TIME_LIMIT
from igfeed.instagram.reading import IsShown, every_post
from igfeed.models import Media, Profile, Token
from igfeed.stores import Kind, Store
from igfeed.tokens.document import TOKEN_KEY
from lab.simulation.backends import REFUSALS, Backends
from lab.simulation.checker import Checker
from lab.simulation.invocation import FailureReason, ProcessKilled
from lab.simulation.scenario import SECOND, CallOutcome, Outage
from lab.simulation.state import SimulationState
from lab.simulation.tokens import ProcessKnowledge

T = TypeVar("T")


@dataclass(frozen=True)
class Network:
    """What lies between a process and the store or Instagram. It decides what happens to each call."""

    state: SimulationState
    backends: Backends
    checker: Checker
    interleave: Callable[[ProcessKnowledge], None]
    """Lets the other processes have a whole turn."""

    def begin_call(self, process: ProcessKnowledge) -> CallOutcome | None:
        """Begin a call to the store or to Instagram: what happens to it, None if nothing special does."""
        state, invocation = self.state, self.state.invocation
        state.now += state.scenario.call_seconds * SECOND
        invocation.calls += 1
        outcome = invocation.outcomes.pop(invocation.calls, None)
        if outcome == CallOutcome.KILLED:
            raise ProcessKilled
        if outcome == CallOutcome.INTERLEAVED:
            self.interleave(process)
            return None
        return outcome


class FaultyStore(Store):
    """The store as one process reaches it: each call may fail, or end the process."""

    kind: Kind = "memory"

    def __init__(self, network: Network, process: ProcessKnowledge) -> None:
        self._network = network
        self._process = process
        self._state = network.state
        self._checker = network.checker
        self._store = network.backends.store()

    def get(self, key: str) -> str | None:
        outcome = self._network.begin_call(self._process)
        if outcome in (CallOutcome.STALE, CallOutcome.OLD):
            self._checker.had_old_read(self._process, key)
            return self._state.earlier.get(key) if outcome == CallOutcome.OLD else None
        text = self._ask(lambda: self._store.get(key), outcome)
        if key == TOKEN_KEY:
            self._checker.has_read(self._process, text)
        return text

    def get_if_changed(self, key: str, known: str | None) -> str | None:
        return self.get(key)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        return [self.get(key) for key in keys]

    def set(self, key: str, value: str) -> None:
        outcome = self._network.begin_call(self._process)
        self._ask(lambda: self._write(key, value), outcome)

    def swap(self, key: str, old: str | None, new: str) -> bool:
        outcome = self._network.begin_call(self._process)
        return self._ask(lambda: self._swap(key, old, new), outcome)

    def delete(self, *keys: str) -> None:
        outcome = self._network.begin_call(self._process)
        self._ask(lambda: self._store.delete(*keys), outcome)

    def delete_prefix(self, prefix: str) -> None:
        outcome = self._network.begin_call(self._process)
        self._ask(lambda: self._store.delete_prefix(prefix), outcome)

    def claim(self, key: str, ttl: timedelta) -> bool:
        outcome = self._network.begin_call(self._process)
        return self._ask(lambda: self._store.claim(key, ttl), outcome)

    def check_writable(self, size: int | None = None) -> None:
        outcome = self._network.begin_call(self._process)
        self._ask(lambda: self._store.check_writable(size), outcome)

    def _swap(self, key: str, old: str | None, new: str) -> bool:
        if self._store.get(key) != old:
            return False
        self._write(key, new)
        return True

    def _write(self, key: str, value: str) -> None:
        old = self._store.get(key)
        self._state.earlier[key] = old
        self._store.set(key, value)
        if key == TOKEN_KEY:
            self._state.document = value
            self._checker.has_written(self._process, old, value)

    def _ask(self, call: Callable[[], T], outcome: CallOutcome | None) -> T:
        is_down = self._state.is_now(Outage.STORE_DOWN)
        if is_down or outcome in (CallOutcome.FAILS, CallOutcome.REPLY_LOST):
            self._checker.has_failed(self._process)
            return self._network.backends.store_fails(call, is_done=not is_down and outcome == CallOutcome.REPLY_LOST)
        answer = call()
        self._process.is_cut_off = False
        if outcome == CallOutcome.KILLED_AFTER:
            raise ProcessKilled
        return answer


class FaultyInstagram:
    """Instagram as one process reaches it: each call may fail, or end the process."""

    def __init__(self, network: Network, process: ProcessKnowledge, while_waiting: Callable[[], None]) -> None:
        """``while_waiting`` is called at the beginning of each call."""
        self._network = network
        self._process = process
        self._while_waiting = while_waiting
        self._state = network.state
        self._checker = network.checker
        self._backends = network.backends

    def renew(self, token: str, seconds: float = RENEWAL_TIME_LIMIT) -> Token:
        outcome = self._begin_call()
        attempts = self._checker.begins_attempt(self._process, token)
        try:
            renewed = self._renew(token, outcome)
        except InstagramError as error:
            attempts(self._reason(error, outcome))
            raise
        except ProcessKilled:
            attempts(FailureReason.ENDED)
            raise
        attempts(None)
        self._checker.has_renewed(self._process, renewed)
        return renewed

    def profile(self, token: str) -> Profile:
        """Stands for the two calls of a fetch."""
        outcome = self._begin_call()

        def read() -> None:
            self._backends.read(self._process, token)

        if self._state.is_now(Outage.INSTAGRAM_DOWN) or outcome in (CallOutcome.FAILS, CallOutcome.REPLY_LOST):
            self._state.invocation.could_not_read = True
            self._backends.instagram_fails(
                lambda: self._backends.read(self._process, token), Outage.INSTAGRAM_DOWN, is_done=False
            )
        self._backends.read(self._process, token)
        if outcome == CallOutcome.KILLED_AFTER:
            raise ProcessKilled
        return Profile("studio.nord")

    def media(self, token: str, limit: int, is_shown: IsShown = every_post) -> Media:
        self.profile(token)
        return Media(())

    def exchange(self, token: str, app_secret: str) -> Token:
        raise UnexpectedAnswer("Nobody logs in here.")

    def picture(self, url: str) -> bytes:
        raise PictureUnavailable("There are none here.")

    def _begin_call(self) -> CallOutcome | None:
        outcome = self._network.begin_call(self._process)
        self._while_waiting()
        return outcome

    def _renew(self, token: str, outcome: CallOutcome | None) -> Token:
        def call() -> Token:
            return self._backends.renew(self._process, token, is_new_dead=outcome == CallOutcome.NEW_STRING_DEAD)

        outage = self._state.first_of(Outage.INSTAGRAM_DOWN, *REFUSALS)
        if outage or outcome in (CallOutcome.FAILS, CallOutcome.REPLY_LOST):
            is_done = outage is None and outcome == CallOutcome.REPLY_LOST
            return self._backends.instagram_fails(call, outage or Outage.INSTAGRAM_DOWN, is_done=is_done)
        renewed = call()
        if outcome == CallOutcome.KILLED_AFTER:
            raise ProcessKilled
        return renewed

    def _reason(self, error: InstagramError, outcome: CallOutcome | None) -> FailureReason:
        if outcome == CallOutcome.REPLY_LOST and isinstance(error, InstagramUnreachable):
            return FailureReason.REPLY_LOST
        if self._state.first_of(Outage.INSTAGRAM_DOWN, *REFUSALS) or outcome == CallOutcome.FAILS:
            return FailureReason.INSTAGRAM
        return FailureReason.DEAD if isinstance(error, TokenRejected) else FailureReason.YOUNG
