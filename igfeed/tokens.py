"""A usable access token, renewed when due.

Instagram's tokens die after some sixty days, and a dead one can only be replaced by a person. So no failure here ever
costs a living token: it is replaced in one write by what came back from a renewal, by what the owner sets up, and by
nothing else.
"""

import json
import logging
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from threading import Lock
from typing import Literal, TypeVar

from igfeed.clock import Clock
from igfeed.encryption import Cipher
from igfeed.errors import InstagramError, StoreError, TokenExpired, TokenMissing, TokenRejected
from igfeed.instagram import Instagram
from igfeed.models import UNREADABLE, Renewal, Token, Trouble, fingerprint
from igfeed.notes import Note
from igfeed.stores import Store

log = logging.getLogger(__name__)

KEY = "token:v1"
RENEWAL_KEY = "renewal:v1"

CLAIM = timedelta(seconds=60)
"""How long one renewal may take, all its tries included, before another process may begin."""

PAUSE = timedelta(hours=1)
PAUSE_ON_LAST_DAY = timedelta(minutes=5)
LAST_DAY = timedelta(days=1)

AGE_UNKNOWN = "A token younger than 24 hours cannot be renewed yet; it is used as it is and tried again by itself."

Source = Literal["store", "memory", "environment"]
T = TypeVar("T")


class Outcome(StrEnum):
    RENEWED = "renewed"
    NOT_DUE = "not_due"
    TOO_YOUNG = "too_young"
    LEFT_TO_OTHERS = "left_to_others"
    FAILED = "failed"


@dataclass(frozen=True)
class Held:
    """The token we would use, where it comes from, and what the store has (None: nothing, or ``store_error``).

    ``is_current`` is False when the store has it in another encryption than the settings want.
    """

    token: Token
    source: Source
    is_saved: bool
    stored: Token | None = None
    is_current: bool = True
    store_error: StoreError | None = None


@dataclass(frozen=True)
class Copy:
    """This process's copy of the token: whether the store has it too, and if not, which values it may replace there."""

    token: Token
    is_saved: bool = True
    replaces: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True)
class TokenReport:
    """What there is to say about the token: ``token`` is None when there is none."""

    last_renewal: Renewal | None
    token: Token | None = None
    source: Source | None = None
    is_due: bool = False
    is_saved: bool = False
    store_error: StoreError | None = None


class TokenManager:
    """Finds the token (in the store, else in this process, else in the environment) and keeps it alive.

    Threads may share it: its only state is the copy, replaced as a whole.
    """

    def __init__(
        self,
        instagram: Instagram,
        store: Store,
        clock: Clock,
        *,
        renew_within: timedelta,
        cipher: Cipher,
        from_environment: str | None = None,
    ) -> None:
        self._instagram = instagram
        self._store = store
        self._clock = clock
        self._renew_within = renew_within
        self._cipher = cipher
        self._environment = _of_environment(from_environment) if from_environment else None
        self._renewals = Note(store, RENEWAL_KEY, Renewal.from_json)
        self._copy: Copy | None = None
        self._lock = Lock()

    def usable(self) -> Token:
        """A token to call Instagram with, renewed first if it is due and no pause holds that back.

        Raises TokenMissing, TokenExpired, or StoreError when the store cannot be read and nothing else has a token.
        """
        held = self._settled()
        if not self._is_due(held.token) or not held.token.is_renewable(self._clock()):
            return held.token
        last = self._renewals.recall()
        if last and last.trouble and last.trouble.pauses(held.token.fingerprint, self._clock()):
            return held.token
        try:
            self._renew(held, last)
        except InstagramError as error:
            log.warning("The token could not be renewed and is used as it is: %s", error)
        return self._living().token

    def use(self, call: Callable[[str], T]) -> T:
        """Call with a usable token, and learn from the outcome.

        A rejected token is only given up for another one at hand that works. Raises what ``usable`` and ``call`` do.
        """
        token = self.usable()
        try:
            answer = call(token.value)
        except TokenRejected as rejection:
            return self._use_another(token, call, rejection)
        if token.predecessor:
            self._replace(replace(token, predecessor=None), {token.value})
        return answer

    def renew(self) -> Outcome:
        """Renew now, as a person or the cron asks for: however long it still lives, and whatever pause there is.

        Raises as ``usable`` does, and the InstagramError of a renewal that failed.
        """
        held = self._settled()
        last = self._renewals.recall()
        if held.token.is_renewable(self._clock()):
            return self._renew_or_fall_back(held, last)
        is_renewed = last and not last.trouble and last.token == held.token.fingerprint
        return Outcome.NOT_DUE if is_renewed else Outcome.TOO_YOUNG

    def adopt(self, token: Token, *, is_proven: bool) -> None:
        """Store a token that the owner sets up. An unproven one remembers the living one that it replaces.

        Raises StoreError.
        """
        predecessor = None if is_proven else self._living_or_none()
        token = replace(predecessor.succeeded_by(token) if predecessor else token, origin=None)
        self._write(token)
        self._copy = Copy(token)

    def fingerprint(self) -> str:
        """Which token we would use now, by a name that is no secret; empty when there is none."""
        token = self._living_or_none()
        return token.fingerprint if token else ""

    def report(self) -> TokenReport:
        """What there is to say; changes nothing that anybody else sees."""
        last = self._renewals.recall()
        try:
            held = self._find()
        except StoreError as error:
            return TokenReport(last, store_error=error)
        if held is None:
            return TokenReport(last)
        return TokenReport(last, held.token, held.source, self._is_due(held.token), held.is_saved, held.store_error)

    # Finding the token

    def _is_due(self, token: Token) -> bool:
        return token.has_less_than(self._renew_within, self._clock())

    def _settled(self) -> Held:
        """What we hold, once the store has been offered what it has not got yet, or not as it should."""
        held = self._living()
        if held.source == "environment" or (held.is_saved and held.is_current):
            return held
        self._replace(held.token, {held.token.value})
        return self._living()

    def _living(self) -> Held:
        held = self._find()
        if held is None:
            raise TokenMissing("No access token is set up.")
        if held.token.is_expired(self._clock()):
            raise TokenExpired(f"The access token expired on {held.token.expires_at:%Y-%m-%d}.")
        return held

    def _living_or_none(self) -> Token | None:
        try:
            return self._living().token
        except (TokenMissing, TokenExpired, StoreError):
            return None

    def _find(self) -> Held | None:
        copy = self._copy
        try:
            text = self._store.get(KEY)
            stored = self._parsed(text)
        except StoreError as error:
            if last_resort := self._without_store(error):
                return last_resort
            raise
        if copy and (stored is None or not (copy.is_saved or self._is_dead_beside(copy.token, stored))):
            # One empty read does not prove that the store has lost the token: a replica may be behind.
            return Held(copy.token, "memory", is_saved=False, stored=stored)
        if self._environment and self._environment_comes_before(stored):
            return Held(self._environment, "environment", is_saved=False, stored=stored)
        if text is None or stored is None:
            return None
        with self._lock:
            if self._copy is copy:  # Another thread may have renewed it while we read.
                self._copy = Copy(stored)
        is_current = self._cipher.is_current(text)
        return Held(stored, "store", is_saved=True, stored=stored, is_current=is_current)

    def _without_store(self, error: StoreError) -> Held | None:
        if self._copy:
            return Held(self._copy.token, "memory", self._copy.is_saved, store_error=error)
        if self._environment:
            return Held(self._environment, "environment", is_saved=False, store_error=error)
        return None

    def _environment_comes_before(self, stored: Token | None) -> bool:
        """A changed variable is newer than what came of its earlier value; else it is the last resort."""
        if stored is None:
            return True
        if self._environment and stored.origin == self._environment.origin:
            return False
        return stored.origin is not None or stored.is_expired(self._clock())

    # Replacing the token

    def _renew(self, held: Held, last: Renewal | None) -> Outcome:
        """One renewal at a time across all processes: each try, counted when it has ended, has a claim of its own."""
        attempt = last.attempt + 1 if last else 1
        if not self._store.claim(f"claim:renewal:{attempt}", CLAIM):
            return Outcome.LEFT_TO_OTHERS
        if self._living().token.differs_from(held.token):
            return Outcome.LEFT_TO_OTHERS  # Somebody has renewed it between our look and our claim.
        try:
            renewed = self._instagram.renew(held.token.value)
        except InstagramError as error:
            self._renewals.keep(self._failed(attempt, held.token, error))
            raise
        replaced = {held.token.value, *([held.stored.value] if held.stored else [])}
        self._replace(held.token.succeeded_by(renewed), replaced)
        self._renewals.keep(Renewal(attempt, self._clock(), renewed.fingerprint))
        log.info("The access token was renewed and lives until %s", renewed.expires_at)
        return Outcome.RENEWED

    def _renew_or_fall_back(self, held: Held, last: Renewal | None) -> Outcome:
        """A changed variable may hold a mistake, which must not cost the token that the store has."""
        try:
            return self._renew(held, last)
        except TokenRejected:
            if held.source != "environment" or held.stored is None:
                raise
            self._environment = None
            return self.renew()

    def _failed(self, attempt: int, token: Token, error: InstagramError) -> Renewal:
        now = self._clock()
        is_last_day = token.expires_at is not None and token.has_less_than(LAST_DAY, now)
        until = now + (PAUSE_ON_LAST_DAY if is_last_day else PAUSE)
        hint = error.hint if token.issued_at else AGE_UNKNOWN
        trouble = Trouble(type(error).__name__, str(error), hint, now, until, token.fingerprint)
        return Renewal(attempt, now, token.fingerprint, trouble)

    def _use_another(self, token: Token, call: Callable[[str], T], rejection: TokenRejected) -> T:
        rejection.token = token.fingerprint
        environment = self._environment
        gives_way = environment is not None and environment.value == token.value
        self._environment = None if gives_way else environment  # While we look: it may hide what the store has.
        others = tuple(self._others(token))
        self._environment = environment  # A rejection may pass, and without another one it is all there is.
        for other in others:
            try:
                answer = call(other.value)
            except TokenRejected:
                continue
            self._environment = None if gives_way else environment
            log.warning("The token in use was rejected; another one at hand works and takes its place")
            self._replace(other, {token.value})
            return answer
        raise rejection

    def _others(self, token: Token) -> Iterator[Token]:
        """What else may work: what another process has stored meanwhile, the one before, the environment's."""
        descends = self._environment is not None and self._environment.origin == token.origin
        candidates = (self._living_or_none(), token.predecessor, None if descends else self._environment)
        tried = {token.value}
        for other in candidates:
            if other and other.value not in tried and not other.is_expired(self._clock()):
                tried.add(other.value)
                yield other

    def _replace(self, token: Token, replaced: AbstractSet[str]) -> None:
        """Make it the token, in the store too unless that has been given yet another one: then we take that.

        What the store cannot take now lives on in this process and is offered again at every turn.
        """
        earlier = self._copy.replaces if self._copy else frozenset()
        replaces = earlier | replaced
        with self._lock:
            self._copy = Copy(token, is_saved=False, replaces=replaces)
        try:
            stored = self._parsed(self._store.get(KEY))
            if stored is None or self._takes_the_place_of(stored, token, replaces):
                self._write(token)
                stored = token
        except StoreError as error:
            log.warning("The token could not be saved and lives on in this process: %s", error)
        else:
            self._copy = Copy(stored)

    def _is_dead_beside(self, one: Token, other: Token) -> bool:
        now = self._clock()
        return one.is_expired(now) and not other.is_expired(now)

    def _takes_the_place_of(self, stored: Token, token: Token, replaces: AbstractSet[str]) -> bool:
        """Whether ``token`` is what became of ``stored``, or comes of an environment that goes before it."""
        if stored.value == token.value:
            return not stored.outlives(token)  # Another process may have renewed the same string after us.
        if self._is_dead_beside(stored, token):
            return True
        is_of_environment = self._environment is not None and token.origin == self._environment.origin
        return stored.value in replaces or (is_of_environment and self._environment_comes_before(stored))

    def _parsed(self, text: str | None) -> Token | None:
        if text is None:
            return None
        try:
            return Token.from_json(json.loads(self._cipher.decrypt(text)))
        except UNREADABLE:
            hint = f"Set the token up again with `flask igfeed setup-token`; that replaces {KEY!r}."
            raise StoreError(f"What the store has under {KEY!r} is no token.", hint) from None

    def _write(self, token: Token) -> None:
        self._store.set(KEY, self._cipher.encrypt(json.dumps(token.to_json())))


def _of_environment(value: str) -> Token:
    return Token(value, origin=fingerprint(value))
