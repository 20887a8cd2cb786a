"""Tokens, as Instagram records them and as a process knows them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from igfeed.errors import (
    TokenRejected,
    UnexpectedAnswer,
)
from igfeed.models import Token
from lab.simulation.scenario import DAY, LIFETIMES, ONE_BY_ONE, SECOND, Scenario, StringPolicy


@dataclass
class TokenRecord:
    """What Instagram knows of a string."""

    issued: datetime
    expires: datetime
    is_dead: bool = False
    successor: str | None = None


class InstagramRecords:
    """What Instagram knows of its tokens, by its own rules."""

    def __init__(self, scenario: Scenario, now: datetime) -> None:
        self._scenario = scenario
        self._renewals = 0
        self.lives = {"IGAA-0": TokenRecord(now, now + LIFETIMES[scenario.lifetime] * SECOND)}

    def works(self, string: str, now: datetime) -> bool:
        life = self.lives.get(string)
        return life is not None and not life.is_dead and now < life.expires

    def renew(self, string: str, now: datetime, *, is_new_dead: bool) -> tuple[str, timedelta]:
        """The new string and its lifetime. Raises what the HTTP client makes of Instagram's refusal."""
        if not self.works(string, now):
            raise TokenRejected("Dead.")
        life = self.lives[string]
        if now - life.issued < DAY:
            raise UnexpectedAnswer("Too young.")
        self._renewals += 1
        seconds = LIFETIMES[(self._scenario.lifetime + self._renewals) % len(LIFETIMES)]
        new = self._next(string, StringPolicy.CHANGES if is_new_dead else self._behaviour(), life)
        self.lives[new] = TokenRecord(now, now + seconds * SECOND, is_dead=is_new_dead)
        return new, seconds * SECOND

    def _behaviour(self) -> StringPolicy:
        if self._scenario.string_policy != StringPolicy.VARIES:
            return self._scenario.string_policy
        return ONE_BY_ONE[self._renewals * 7 // 3 % 3]

    def _next(self, string: str, behaviour: StringPolicy, life: TokenRecord) -> str:
        if behaviour == StringPolicy.STAYS:
            return string
        life.successor = f"IGAA-{self._renewals}"
        life.is_dead = behaviour == StringPolicy.OLD_DIES
        return life.successor


@dataclass(frozen=True)
class KnownToken:
    """A token string that a process could use. Its times are those that Instagram has told; None if unknown."""

    value: str
    issued: datetime | None = None
    expires: datetime | None = None

    def is_past(self, now: datetime) -> bool:
        return self.expires is not None and now >= self.expires


def known_token(token: Token) -> KnownToken:
    return KnownToken(token.value, token.issued_at, token.expires_at)


def in_document(text: str | None) -> list[KnownToken]:
    """The stored string, then its predecessor."""
    return list(_in_document(text))


@lru_cache(maxsize=64)
def _in_document(text: str | None) -> Iterable[KnownToken]:
    data = json.loads(text) if text else None
    found = []
    while data:
        times = (datetime.fromisoformat(data[name]) if data[name] else None for name in ("issued_at", "expires_at"))
        found.append(KnownToken(data["value"], *times))
        data = data["predecessor"]
    return tuple(found)


@dataclass(eq=False)
class ProcessKnowledge:
    """What one process knows of the token, as its calls to the store and to Instagram show."""

    ahead: timedelta
    """How far its clock is ahead of the simulated time."""
    known: list[KnownToken] = field(default_factory=list)
    unsaved: KnownToken | None = None
    """The token that it renewed last, until that is in the store."""
    replaces: set[str] = field(default_factory=set)
    """The strings that it knew when it renewed ``unsaved``."""
    is_misled: bool = False
    """The store has told it something old since it last told something true."""
    is_cut_off: bool = False
    """The last call to the store failed."""

    def forget(self) -> None:
        """What a restart does. The clock stays."""
        self.known, self.unsaved, self.replaces = [], None, set()
        self.is_misled = self.is_cut_off = False
