"""Which token counts: the one in the store, this process's copy of it, or the environment's.

A document in the store is only ever replaced by one that goes before it, in one step that fails if another process was
faster (`Store.swap`). Whoever holds what is better than the stored one offers it until the store takes it.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from igfeed.clock import Clock
from igfeed.errors import StoreError, TokenMissing, WrongToken
from igfeed.models import Token
from igfeed.models.pasted import other_kind
from igfeed.models.record import UNREADABLE
from igfeed.stores import Store
from igfeed.tokens.encryption import Cipher

log = logging.getLogger(__name__)

KEY = "token:v1"

MOST_SPARES = 8
"""Tokens this process remembers beside the one it uses; a year's cron runs without a store leave fewer alive."""

MOST_SWAPS = 3
"""How often another process may be faster before this one leaves its offer for the next turn."""

Source = Literal["store", "memory", "environment"]


@dataclass(frozen=True)
class StoredToken:
    """The token we would use, where it comes from, and whether the store has it.

    ``is_current`` is False when it lies there in another encryption than the settings want. ``incumbent`` is set when
    the token is only a candidate: the variable has changed, and nobody has tried its new value yet. It is then the
    token that goes on if Instagram does not accept the candidate.
    """

    token: Token
    source: Source
    is_saved: bool
    is_current: bool = True
    store_error: StoreError | None = None
    incumbent: "StoredToken | None" = None

    @property
    def tried(self) -> "StoredToken":
        """The incumbent if there is one."""
        return self.incumbent or self

    @property
    def is_unsaved(self) -> bool:
        """Whether the store should be offered it: it has not got it, or not as it should."""
        return self.source != "environment" and not (self.is_saved and self.is_current)


class TokenVault:
    """Threads may share it. Whatever it lets go of, it keeps as a spare until the process ends."""

    key = KEY

    def __init__(self, store: Store, clock: Clock, cipher: Cipher, from_environment: str | None) -> None:
        self._store = store
        self._clock = clock
        self._cipher = cipher
        kind = other_kind(from_environment or "")
        self.environment_problem = f"INSTAGRAM_ACCESS_TOKEN holds {kind}; it is not used." if kind else None
        is_wanted = from_environment and not kind
        self._environment = Token(str(from_environment), from_environment=True) if is_wanted else None
        self._copy: Token | None = None
        self._stored: Token | None = None
        self._spares: tuple[Token, ...] = ()
        self._lock = Lock()

    def find(self) -> StoredToken | None:
        """What there is, expired or not.

        Raises StoreError when the store cannot be read and nothing else has a token.
        """
        held = self._kept()
        if self._environment is None:
            return held
        if held is None or self._is_last_resort(self._environment, held.token):
            return StoredToken(self._environment, "environment", is_saved=False)
        candidate = self._candidate(self._environment, held.token)
        return StoredToken(candidate, "environment", is_saved=False, incumbent=held) if candidate else held

    def present(self) -> StoredToken:
        """Raises as ``find`` does, TokenMissing and WrongToken."""
        held = self.find()
        if held is None:
            if self.environment_problem:
                raise WrongToken(self.environment_problem)
            raise TokenMissing("No access token is set up.")
        return held

    def present_and_saved(self) -> StoredToken:
        """The present one, once the store has been offered what it has not got yet, or not as it should."""
        held = self.present()
        if not held.tried.is_unsaved:
            return held
        self.save(held.tried.token)
        return self.present()

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

    def fallbacks(self, rejected: StoredToken) -> Iterator[Token]:
        """What else may work, the likeliest first: other processes' and earlier ones of its line, the environment's."""
        try:
            _, stored = self._read()
        except StoreError:
            stored = None
        known = [stored, *self._at_hand(rejected)]
        tried, now = {rejected.token.value}, self._clock()
        for other in (*known, *(earlier for each in known if each for earlier in each.predecessors)):
            if other and other.value not in tried and not other.is_expired(now):
                tried.add(other.value)
                yield other

    def _at_hand(self, rejected: StoredToken) -> Iterator[Token]:
        """What may help without the store, the rejected one too: it may have a predecessor."""
        if rejected.incumbent:
            yield rejected.incumbent.token
        line = rejected.token.lineage
        yield from (each for each in (self._copy, *self._spares) if each and each.lineage == line)
        yield rejected.token
        if self._environment and self._environment.lineage != line:
            yield self._environment

    def _kept(self) -> StoredToken | None:
        """What the store has or this process holds. Raises StoreError as ``find`` does."""
        try:
            text, stored = self._read()
        except StoreError as error:
            return self._without_store(error)
        best = self._hold(stored) if stored else self._copy
        if best is None or best != stored:
            # One empty reading does not prove that the store has lost the token: a replica may be behind.
            return StoredToken(best, "memory", is_saved=False) if best else None
        return StoredToken(best, "store", is_saved=True, is_current=text is None or self._cipher.is_current(text))

    def _without_store(self, error: StoreError) -> StoredToken:
        if copy := self._copy:
            return StoredToken(copy, "memory", is_saved=copy == self._stored, store_error=error)
        if self._environment:
            return StoredToken(self._environment, "environment", is_saved=False, store_error=error)
        raise error

    def _is_last_resort(self, environment: Token, kept: Token) -> bool:
        return environment.lineage != kept.lineage and kept.is_expired(self._clock())

    def _candidate(self, environment: Token, kept: Token) -> Token | None:
        """The variable's token if it has changed, or what this process has renewed it to while the store was away.

        A process with an earlier value of the variable may still run beside one with the new value. So a value counts
        as changed only until it has once been replaced by another one, or rejected: both stand in ``refused``.
        """
        is_changed = kept.from_environment and kept.lineage != environment.lineage
        if not is_changed or environment.fingerprint in kept.refused:
            return None
        now = self._clock()
        renewed = (
            each for each in self._spares if each.lineage == environment.lineage and each.supersedes(environment, now)
        )
        return next(renewed, environment)

    def _hold(self, token: Token) -> Token:
        """The better one of it and our copy, which becomes the copy; the other one becomes a spare."""
        with self._lock:
            copy = self._copy
            is_copy_better = copy is not None and copy.supersedes(token, self._clock())
            better, other = (copy, token) if copy and is_copy_better else (token, copy)
            self._copy = better
            if other and other.value != better.value:
                rest = (each for each in self._spares if each.value != other.value)
                self._spares = (other, *rest)[:MOST_SPARES]
            return better

    def _is_wanted(self, token: Token, text: str | None, stored: Token | None) -> bool:
        """Whether the store should have it instead of what is there."""
        if text is None or stored is None:
            return True
        is_better = token.supersedes(stored, self._clock())
        return is_better or (token == stored and not self._cipher.is_current(text))

    def _read(self) -> tuple[str | None, Token | None]:
        text = self._store.get(KEY)
        self._stored = None if text is None else self._opened(text)
        return text, self._stored

    def _opened(self, text: str) -> Token:
        try:
            return Token.from_text(self._cipher.decrypt(text))
        except UNREADABLE:
            hint = f"Set the token up again with `flask igfeed setup-token`; that replaces {KEY!r}."
            raise StoreError(f"What the store has under {KEY!r} is no token.", hint) from None

    def _sealed(self, token: Token) -> str:
        return self._cipher.encrypt(token.to_text())
