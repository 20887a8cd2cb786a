"""Which token counts: the one in the store, this process's copy of it, or the environment's.

A document in the store is only ever replaced by one that goes before it, in one step that fails if another process was
faster (`Store.swap`). Whoever holds what is better than the stored one offers it until the store takes it.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from igfeed.clock import Clock
from igfeed.encryption import Cipher
from igfeed.errors import StoreError, TokenExpired, TokenMissing
from igfeed.models import UNREADABLE, Token
from igfeed.stores import Store

log = logging.getLogger(__name__)

KEY = "token:v1"

MOST_SPARES = 8
"""Tokens this process remembers beside the one it uses; a year's cron runs without a store leave fewer alive."""

MOST_SWAPS = 3
"""How often another process may be faster before this one leaves its offer for the next turn."""

Source = Literal["store", "memory", "environment"]


@dataclass(frozen=True)
class Held:
    """The token we would use, where it comes from, and whether the store has it.

    ``is_current`` is False when it lies there in another encryption than the settings want.
    """

    token: Token
    source: Source
    is_saved: bool
    is_current: bool = True
    store_error: StoreError | None = None


class Custody:
    """Threads may share it. Whatever it lets go of, it keeps as a spare until the process ends."""

    def __init__(self, store: Store, clock: Clock, cipher: Cipher, from_environment: str | None) -> None:
        self._store = store
        self._clock = clock
        self._cipher = cipher
        self._environment = Token(from_environment, from_environment=True) if from_environment else None
        self._copy: Token | None = None
        self._stored: Token | None = None
        self._spares: tuple[Token, ...] = ()
        self._lock = Lock()

    def find(self) -> Held | None:
        """What there is, expired or not.

        Raises StoreError when the store cannot be read and nothing else has a token.
        """
        try:
            text, stored = self._read()
        except StoreError as error:
            if last_resort := self._without_store(error):
                return last_resort
            raise
        best = self._hold(stored) if stored else self._copy
        if self._environment and self._environment_comes_before(best):
            return Held(self._environment, "environment", is_saved=False)
        if best is None or best != stored:
            # One empty reading does not prove that the store has lost the token: a replica may be behind.
            return Held(best, "memory", is_saved=False) if best else None
        return Held(best, "store", is_saved=True, is_current=text is None or self._cipher.is_current(text))

    def living(self) -> Held:
        """Raises as ``find`` does, TokenMissing and TokenExpired."""
        held = self.find()
        if held is None:
            raise TokenMissing("No access token is set up.")
        if held.token.is_expired(self._clock()):
            raise TokenExpired(f"The access token expired on {held.token.expires_at:%Y-%m-%d}.")
        return held

    def settled(self) -> Held:
        """The living one, once the store has been offered what it has not got yet, or not as it should."""
        held = self.living()
        if held.source == "environment" or (held.is_saved and held.is_current):
            return held
        self.save(held.token)
        return self.living()

    def save(self, token: Token) -> None:
        """Make it the token, in the store too unless that has one by now that goes before it.

        What the store cannot take lives on in this process and is offered again at every turn.
        """
        self._hold(token)
        try:
            for _ in range(MOST_SWAPS):
                text, stored = self._read()
                if not self._is_wanted(token, text, stored) or self._store.swap(KEY, text, self._sealed(token)):
                    return
        except StoreError as error:
            log.warning("The token could not be saved and lives on in this process: %s", error)

    def replace(self, token: Token) -> None:
        """Store what a person has set up, whatever was there. Raises StoreError."""
        self._store.set(KEY, self._sealed(token))
        with self._lock:
            self._copy, self._stored, self._spares = token, token, ()

    def others(self, rejected: Token) -> Iterator[Token]:
        """What else may work, the likeliest first: other processes' and earlier ones of its line, the environment's."""
        try:
            _, stored = self._read()
        except StoreError:
            stored = None
        family = [each for each in (self._copy, *self._spares) if each and each.line == rejected.line]
        known = [stored, *family, rejected, *([self._environment] if self._may_help(rejected) else [])]
        tried, now = {rejected.value}, self._clock()
        for other in (*known, *(each.predecessor for each in known if each)):
            if other and other.value not in tried and not other.is_expired(now):
                tried.add(other.value)
                yield other

    def _may_help(self, rejected: Token) -> bool:
        return self._environment is not None and self._environment.line != rejected.line

    def _without_store(self, error: StoreError) -> Held | None:
        if copy := self._copy:
            return Held(copy, "memory", is_saved=copy == self._stored, store_error=error)
        if self._environment:
            return Held(self._environment, "environment", is_saved=False, store_error=error)
        return None

    def _hold(self, token: Token) -> Token:
        """The better one of it and our copy, which becomes the copy; the other one becomes a spare."""
        with self._lock:
            copy = self._copy
            better, other = (copy, token) if copy and self._goes_before(copy, token) else (token, copy)
            self._copy = better
            if other and other.value != better.value:
                rest = (each for each in self._spares if each.value != other.value)
                self._spares = (other, *rest)[:MOST_SPARES]
            return better

    def _is_wanted(self, token: Token, text: str | None, stored: Token | None) -> bool:
        """Whether the store should have it instead of what is there."""
        if text is None or stored is None:
            return True
        return self._goes_before(token, stored) or (token == stored and not self._cipher.is_current(text))

    def _goes_before(self, token: Token, other: Token) -> bool:
        is_of_environment = self._environment is not None and token.line == self._environment.line
        if is_of_environment and self._environment_comes_before(other):
            return True
        return token.supersedes(other, self._clock())

    def _environment_comes_before(self, other: Token | None) -> bool:
        """A changed variable is newer than what came of its earlier value; else it is the last resort."""
        if other is None or self._environment is None:
            return other is None
        if other.line == self._environment.line:
            return False
        is_changed = other.from_environment and self._environment.fingerprint not in other.refused
        return is_changed or other.is_expired(self._clock())

    def _read(self) -> tuple[str | None, Token | None]:
        text = self._store.get(KEY)
        self._stored = None if text is None else self._opened(text)
        return text, self._stored

    def _opened(self, text: str) -> Token:
        try:
            return Token.from_json(json.loads(self._cipher.decrypt(text)))
        except UNREADABLE:
            hint = f"Set the token up again with `flask igfeed setup-token`; that replaces {KEY!r}."
            raise StoreError(f"What the store has under {KEY!r} is no token.", hint) from None

    def _sealed(self, token: Token) -> str:
        return self._cipher.encrypt(json.dumps(token.to_json()))
