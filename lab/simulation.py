"""Whether the token outlives years of bad luck can only be seen in years: here one takes some milliseconds.

A history is what one deployment lives through: a weekly cron, visitors or none, one or two processes with clocks of
their own, Instagram and the store with their moods. The token manager and the guard before the store are the real ones;
the clock, the store's moods and Instagram's books are played. Beside them an `Oracle` keeps books of its own and says

- **lost**: no string that still works is in the store, in a living process's hands or in the environment.
- **a chance**: a cron run from the token's second day on, or a view in its last seven days that no pause held back,
  while the process whose turn it is has a string that works within reach: in the store, in its own hands (what it last
  read there, and what it has renewed and not yet saved), or in the environment where the store has none. A pause is
  the hour after a failed try to renew, five minutes on the last day. A try that was begun less than a minute and a
  half ago, or another process's turn in the middle of this one, makes it the other's chance. All ages are those that
  Instagram has told whoever holds the token.
- **a failure for reasons outside** (`Reason`): only these excuse a chance that did not end in a renewed token.
- **worse** (in the store): dead where the one before lives, or expiring earlier; but for the way back to the
  predecessor of a string that Instagram does not take.

Whatever contradicts raises `Violation`. Everywhere a quarter of an hour of tolerance stands for clocks that differ.
Run `python -m lab.simulation --histories 20000 --years 10 --seed 1` for the table.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from heapq import merge
from typing import Literal, Protocol, TypeVar

from igfeed.errors import (
    IgfeedError,
    InstagramError,
    InstagramUnreachable,
    PermissionRefused,
    PictureUnavailable,
    RateLimited,
    StoreError,
    TokenRejected,
    UnexpectedAnswer,
)
from igfeed.instagram import RENEWAL_TIME_LIMIT
from igfeed.models import Media, Profile, Token
from igfeed.stores import Kind, Store
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.memory import MemoryStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.tokens.document import TOKEN_KEY
from igfeed.tokens.encryption import NoCipher
from igfeed.tokens.manager import TokenManager

T = TypeVar("T")

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
A_MOMENT = timedelta(microseconds=1)
WEEK = timedelta(days=7)

START = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
TOLERANCE = 15 * MINUTE
"""Between two clocks that are a few minutes wrong, with what a turn itself may take."""

RENEW_WITHIN = 7 * DAY
PAUSE = HOUR
PAUSE_ON_LAST_DAY = 5 * MINUTE
CLAIM = 90 * SECOND

LIFETIMES = (5183944, 5184000, 5143192, 5110824)
"""Seconds in `expires_in`, as they have been seen."""

HOURS_OF_A_YEAR = 8766


class Violation(AssertionError):
    """The token manager has broken its claim."""


class Killed(BaseException):
    """The process has ended in the middle of what it did."""


# --- What luck is made of


class Mood(StrEnum):
    """What may last for hours or weeks."""

    NO_CRON = "the cron does not run"
    STORE_DOWN = "the store is down"
    INSTAGRAM_DOWN = "Instagram is out of reach"
    RENEWALS_LIMITED = "renewals are refused: too many calls"
    RENEWALS_UNEXPECTED = "renewals are answered by something else"
    RENEWALS_REFUSED = "renewals are refused: no permission"


REFUSALS: dict[Mood, Callable[[], InstagramError]] = {
    Mood.RENEWALS_LIMITED: lambda: RateLimited("Too many calls."),
    Mood.RENEWALS_UNEXPECTED: lambda: UnexpectedAnswer("Something else."),
    Mood.RENEWALS_REFUSED: lambda: PermissionRefused("May not."),
}


class Fate(StrEnum):
    """What may befall one call to the outside, in the order in which they do least harm."""

    FAILS = "it fails and nothing is done"
    STALE = "a reading of the store finds nothing"
    OLD = "a reading of the store finds what was there before the last write"
    REPLY_LOST = "it is done, but the reply is lost"
    STILLBORN = "the renewed string never works, the old one goes on"
    OTHER_TURN = "the other process has a whole turn before it"
    KILLED = "the process ends before it"
    KILLED_AFTER = "it is done, but the process ends before it learns of it"


class Strings(StrEnum):
    """What a renewal does to the token's string: undocumented, so everything is played."""

    CHANGES = "changes, the old one goes on"
    STAYS = "stays"
    OLD_DIES = "changes, the old one dies"
    VARIES = "now this, now that"


ONE_BY_ONE = (Strings.CHANGES, Strings.STAYS, Strings.OLD_DIES)


@dataclass(frozen=True)
class Spell:
    mood: Mood
    begins: int
    """Hours after the start."""
    hours: int


@dataclass(frozen=True)
class Visits:
    """So many views, so many minutes apart."""

    begins: int
    count: int
    minutes: int


@dataclass(frozen=True)
class Mishap:
    """The fate of one call in one turn, both counted from 1; `call` 0: the process is started anew before the turn."""

    turn: int
    call: int
    fate: Fate = Fate.KILLED


@dataclass(frozen=True)
class Luck:
    """All that a history depends on; the default is a good one."""

    years: float = 10
    strings: Strings = Strings.CHANGES
    lifetime: int = 0
    """Where in LIFETIMES the renewals begin."""
    has_environment: bool = False
    """The token came as INSTAGRAM_ACCESS_TOKEN, not by `setup-token`."""
    clocks: tuple[int, int] = (0, 0)
    """Minutes by which each process's clock is ahead, at most five."""
    call_seconds: int = 0
    turns_each: int = 0
    """How many turns a process has before the other one takes over; 0: there is one process only."""
    restarts_every: int = 0
    """The process is started anew every so many turns; 1: a serverless platform. 0: never by itself."""
    first_cron: int = 24
    """Hours after the start."""
    spells: tuple[Spell, ...] = ()
    visits: tuple[Visits, ...] = ()
    mishaps: tuple[Mishap, ...] = ()


What = Literal["cron", "view"]


def moments(luck: Luck) -> Iterator[tuple[timedelta, What]]:
    """When somebody has a turn: the cron every week within its hour, and the views."""
    end = timedelta(hours=luck.years * HOURS_OF_A_YEAR)
    for when, what in merge(_cron_runs(luck, end), *map(_views, luck.visits)):
        if when >= end:
            return
        yield when, what


def _cron_runs(luck: Luck, end: timedelta) -> Iterator[tuple[timedelta, What]]:
    missed = [spell for spell in luck.spells if spell.mood == Mood.NO_CRON]
    run, when = 0, luck.first_cron * HOUR
    while when < end:
        if not any(_covers(spell, when) for spell in missed):
            # A platform's cron comes at any minute of its hour.
            yield when + (run * 37 % 60) * MINUTE, "cron"
        run, when = run + 1, when + WEEK


def _views(visits: Visits) -> Iterator[tuple[timedelta, What]]:
    for number in range(visits.count):
        yield visits.begins * HOUR + (number * visits.minutes + 1) * MINUTE, "view"


def _covers(spell: Spell, when: timedelta) -> bool:
    return spell.begins * HOUR <= when < (spell.begins + spell.hours) * HOUR


# --- The outside: Instagram's books and a store


@dataclass
class Life:
    """What Instagram knows of a string."""

    issued: datetime
    expires: datetime
    is_dead: bool = False
    successor: str | None = None


class Books:
    """Instagram's own knowledge, by its true rules."""

    def __init__(self, luck: Luck, now: datetime) -> None:
        self._luck = luck
        self._renewals = 0
        self.lives = {"IGAA-0": Life(now, now + LIFETIMES[luck.lifetime] * SECOND)}

    def works(self, string: str, now: datetime) -> bool:
        life = self.lives.get(string)
        return life is not None and not life.is_dead and now < life.expires

    def renew(self, string: str, now: datetime, *, is_stillborn: bool) -> tuple[str, timedelta]:
        """The new string and its lifetime. Raises what the HTTP client makes of Instagram's refusal."""
        if not self.works(string, now):
            raise TokenRejected("Dead.")
        life = self.lives[string]
        if now - life.issued < DAY:
            raise UnexpectedAnswer("Too young.")
        self._renewals += 1
        seconds = LIFETIMES[(self._luck.lifetime + self._renewals) % len(LIFETIMES)]
        new = self._next(string, Strings.CHANGES if is_stillborn else self._behaviour(), life)
        self.lives[new] = Life(now, now + seconds * SECOND, is_dead=is_stillborn)
        return new, seconds * SECOND

    def _behaviour(self) -> Strings:
        if self._luck.strings != Strings.VARIES:
            return self._luck.strings
        return ONE_BY_ONE[self._renewals * 7 // 3 % 3]

    def _next(self, string: str, behaviour: Strings, life: Life) -> str:
        if behaviour == Strings.STAYS:
            return string
        life.successor = f"IGAA-{self._renewals}"
        life.is_dead = behaviour == Strings.OLD_DIES
        return life.successor


@dataclass(frozen=True)
class Belief:
    """A string within reach, with the times told by Instagram to whoever holds it (None: nobody told)."""

    value: str
    issued: datetime | None = None
    expires: datetime | None = None

    def is_past(self, now: datetime) -> bool:
        return self.expires is not None and now >= self.expires


def believed(token: Token) -> Belief:
    return Belief(token.value, token.issued_at, token.expires_at)


def in_document(text: str | None) -> list[Belief]:
    """The stored string, then its predecessor."""
    data = json.loads(text) if text else None
    found = []
    while data:
        times = (datetime.fromisoformat(data[name]) if data[name] else None for name in ("issued_at", "expires_at"))
        found.append(Belief(data["value"], *times))
        data = data["predecessor"]
    return found


@dataclass(frozen=True)
class Try:
    """One call that asks Instagram to renew; `failure` is None if it was answered with a new token."""

    at: datetime
    turn: Turn
    value: str
    failure: Reason | None
    was_last_day: bool
    was_blind: bool
    """The process had not been able to look whether the store has another one."""


class Reason(StrEnum):
    """Why a chance may pass without a renewed token."""

    INSTAGRAM = "Instagram down or refusing"
    REPLY_LOST = "the renewal's reply was lost"
    ENDED = "the process ended in the middle"
    STORE = "the store away"
    STALE = "the store said something old"
    STILLBORN = "Instagram gave out a dead string"
    DEAD = "the tried string was dead"
    YOUNG = "younger than a day"


class Loss(StrEnum):
    """How the last string that worked went out of reach."""

    NO_CHANCE = "expired, and nobody came in all its life"
    ALL_FAILED = "expired, and every chance failed outside"
    REPLY_LOST = "a renewal's reply was lost and the old string died"
    ENDED = "the process ended before it could save, the old string dead"


@dataclass(eq=False)
class Turn:
    """What one turn has met so far."""

    process: Process
    what: What
    began: datetime
    fates: dict[int, Fate]
    calls: int = 0
    is_chance: bool = False
    was_cut_off: bool = False
    """A view of a process that has not found the store since that was away: it does not wait to find out."""
    had_store_trouble: bool = False
    has_read: bool = False
    was_lied_to: bool = False
    could_not_read: bool = False
    """Instagram did not answer a read, which comes before a renewal whose last try was never answered."""
    was_shared: bool = False
    was_killed: bool = False
    tries: list[Try] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    result: str = ""


@dataclass(frozen=True)
class WorldClock:
    """The world's time as somebody's clock has it; each reading takes ``step``."""

    world: World
    ahead: timedelta = timedelta()
    step: timedelta = timedelta()

    def __call__(self) -> datetime:
        now = self.world.now + self.ahead
        self.world.now += self.step
        return now

    def monotonic_ns(self) -> int:
        return (self() - START) // timedelta(microseconds=1) * 1000


class Process:
    """One process of ours, with a clock of its own; `hands` is what Instagram or the store has told it."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.clock = WorldClock(world, world.luck.clocks[number] * MINUTE, A_MOMENT)
        self.start()

    def start(self) -> None:
        """Empty of all memory."""
        self.life = object()
        self.hands: list[Belief] = []
        self.unsaved: Belief | None = None
        self.replaces: set[str] = set()
        self.is_misled = False
        self.is_cut_off = False
        self.later: list[Callable[[], None]] = []
        self.store = ReadAhead(GuardedStore(StoreLine(self), self.clock, self.later.append))
        self.tokens = TokenManager(
            InstagramLine(self),
            self.store,
            self.clock,
            renew_within=RENEW_WITHIN,
            cipher=NoCipher(),
            from_environment=self.world.environment,
            sleep=lambda _: None,
        )

    def catch_up(self) -> None:
        """Do what was put off to another thread: that has its time while this one waits for Instagram."""
        while self.later:
            self.later.pop(0)()


class Parts(Protocol):
    """What a world is made of, and how a fault is brought about in it."""

    def store(self, process: Process) -> Store: ...

    def store_fails(self, call: Callable[[], T], *, is_done: bool) -> T: ...

    def renew(self, process: Process, token: str, *, is_stillborn: bool) -> Token: ...

    def read(self, process: Process, token: str) -> None: ...

    def instagram_fails(self, call: Callable[[], T], mood: Mood, *, is_done: bool) -> T: ...


class Played:
    """The outside in this process, thousands of times faster than the servers."""

    def __init__(self, world: World, store: Store | None = None) -> None:
        self._world = world
        self._store = store or MemoryStore(WorldClock(world))

    def store(self, process: Process) -> Store:
        return self._store

    def store_fails(self, call: Callable[[], T], *, is_done: bool) -> T:
        if is_done:
            call()
        raise StoreError("The store is away.")

    def renew(self, process: Process, token: str, *, is_stillborn: bool) -> Token:
        asked_at = self._world.now + process.clock.ahead
        value, life = self._world.books.renew(token, self._world.now, is_stillborn=is_stillborn)
        return Token(value, issued_at=asked_at, expires_at=asked_at + life)

    def read(self, process: Process, token: str) -> None:
        if not self._world.books.works(token, self._world.now):
            raise TokenRejected("Dead.")

    def instagram_fails(self, call: Callable[[], T], mood: Mood, *, is_done: bool) -> T:
        if is_done:
            call()
        raise REFUSALS[mood]() if mood in REFUSALS else InstagramUnreachable("Nobody answers.")


class StoreLine(Store):
    """A process's line to the store, with what may happen on it."""

    kind: Kind = "memory"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world
        self._store = process.world.parts.store(process)

    def get(self, key: str) -> str | None:
        fate = self._world.reach(self._process)
        if fate in (Fate.STALE, Fate.OLD):
            self._world.oracle.was_lied_to(self._process, key)
            return self._world.earlier.get(key) if fate == Fate.OLD else None
        text = self._ask(lambda: self._store.get(key), fate)
        if key == TOKEN_KEY:
            self._world.oracle.has_read(self._process, text)
        return text

    def get_if_changed(self, key: str, known: str | None) -> str | None:
        return self.get(key)

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        return [self.get(key) for key in keys]

    def set(self, key: str, value: str) -> None:
        fate = self._world.reach(self._process)
        self._ask(lambda: self._write(key, value), fate)

    def swap(self, key: str, old: str | None, new: str) -> bool:
        fate = self._world.reach(self._process)
        return self._ask(lambda: self._swap(key, old, new), fate)

    def delete(self, *keys: str) -> None:
        fate = self._world.reach(self._process)
        self._ask(lambda: self._store.delete(*keys), fate)

    def claim(self, key: str, ttl: timedelta) -> bool:
        fate = self._world.reach(self._process)
        return self._ask(lambda: self._store.claim(key, ttl), fate)

    def check_writable(self, size: int | None = None) -> None:
        fate = self._world.reach(self._process)
        self._ask(lambda: self._store.check_writable(size), fate)

    def _swap(self, key: str, old: str | None, new: str) -> bool:
        if self._store.get(key) != old:
            return False
        self._write(key, new)
        return True

    def _write(self, key: str, value: str) -> None:
        old = self._store.get(key)
        self._world.earlier[key] = old
        self._store.set(key, value)
        if key == TOKEN_KEY:
            self._world.document = value
            self._world.oracle.has_written(self._process, old, value)

    def _ask(self, call: Callable[[], T], fate: Fate | None) -> T:
        is_down = self._world.is_now(Mood.STORE_DOWN)
        if is_down or fate in (Fate.FAILS, Fate.REPLY_LOST):
            self._world.oracle.has_failed(self._process)
            return self._world.parts.store_fails(call, is_done=not is_down and fate == Fate.REPLY_LOST)
        answer = call()
        self._process.is_cut_off = False
        if fate == Fate.KILLED_AFTER:
            raise Killed
        return answer


class InstagramLine:
    """A process's line to Instagram, with what may happen on it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world

    def renew(self, token: str, seconds: float = RENEWAL_TIME_LIMIT) -> Token:
        fate = self._reach()
        tries = self._world.oracle.begins_try(self._process, token)
        try:
            renewed = self._renew(token, fate)
        except InstagramError as error:
            tries(self._reason(error, fate))
            raise
        except Killed:
            tries(Reason.ENDED)
            raise
        tries(None)
        self._world.oracle.has_renewed(self._process, renewed)
        return renewed

    def profile(self, token: str) -> Profile:
        """Stands for the two calls of a fetch."""
        fate = self._reach()
        parts = self._world.parts
        if self._world.is_now(Mood.INSTAGRAM_DOWN) or fate in (Fate.FAILS, Fate.REPLY_LOST):
            self._world.turn.could_not_read = True
            parts.instagram_fails(lambda: parts.read(self._process, token), Mood.INSTAGRAM_DOWN, is_done=False)
        parts.read(self._process, token)
        if fate == Fate.KILLED_AFTER:
            raise Killed
        return Profile("studio.nord")

    def media(self, token: str, limit: int) -> Media:
        self.profile(token)
        return Media(())

    def exchange(self, token: str, app_secret: str) -> Token:
        raise UnexpectedAnswer("Nobody logs in here.")

    def picture(self, url: str) -> bytes:
        raise PictureUnavailable("There are none here.")

    def _reach(self) -> Fate | None:
        fate = self._world.reach(self._process)
        self._process.catch_up()
        return fate

    def _renew(self, token: str, fate: Fate | None) -> Token:
        parts = self._world.parts

        def call() -> Token:
            return parts.renew(self._process, token, is_stillborn=fate == Fate.STILLBORN)

        mood = self._world.first_of(Mood.INSTAGRAM_DOWN, *REFUSALS)
        if mood or fate in (Fate.FAILS, Fate.REPLY_LOST):
            is_done = mood is None and fate == Fate.REPLY_LOST
            return parts.instagram_fails(call, mood or Mood.INSTAGRAM_DOWN, is_done=is_done)
        renewed = call()
        if fate == Fate.KILLED_AFTER:
            raise Killed
        return renewed

    def _reason(self, error: InstagramError, fate: Fate | None) -> Reason:
        if fate == Fate.REPLY_LOST and isinstance(error, InstagramUnreachable):
            return Reason.REPLY_LOST
        if self._world.first_of(Mood.INSTAGRAM_DOWN, *REFUSALS) or fate == Fate.FAILS:
            return Reason.INSTAGRAM
        return Reason.DEAD if isinstance(error, TokenRejected) else Reason.YOUNG


# --- The judge


class Oracle:
    """Keeps its own books and raises Violation; of the manager it knows only what goes over the lines."""

    def __init__(self, world: World, *, is_strict: bool) -> None:
        self._world = world
        self._is_strict = is_strict
        self._tries: list[Try] = []
        self.failed = Counter[Reason]()
        self.renewals = 0
        self.delivered: set[str] = set()
        self.saved: set[str] = set()

    # What it is told

    def has_read(self, process: Process, text: str | None) -> None:
        self._world.turn.has_read = True
        process.is_misled = False
        if text:
            process.hands = in_document(text) + ([process.unsaved] if process.unsaved else [])

    def was_lied_to(self, process: Process, key: str) -> None:
        self._world.turn.was_lied_to = True
        process.is_misled = process.is_misled or key == TOKEN_KEY

    def has_failed(self, process: Process) -> None:
        self._world.turn.had_store_trouble = True
        process.is_cut_off = True

    def has_renewed(self, process: Process, renewed: Token) -> None:
        self.renewals += 1
        self.delivered.add(renewed.value)
        self._world.turn.renewed.append(renewed.value)
        process.unsaved = believed(renewed)
        if not process.is_misled:
            process.replaces |= {each.value for each in process.hands}
        process.hands = [process.unsaved, *process.hands]

    def begins_try(self, process: Process, value: str) -> Callable[[Reason | None], None]:
        """Judge a try at its beginning; the result takes its end."""
        turn, now = self._world.turn, self._world.now
        self._check_pause(turn, value)
        expires = next((each.expires for each in process.hands if each.value == value), None)
        was_last_day = expires is None or expires - now < DAY + TOLERANCE
        was_blind = not turn.has_read and (turn.had_store_trouble or turn.was_cut_off)

        def ends(failure: Reason | None) -> None:
            done = Try(now, turn, value, failure, was_last_day, was_blind)
            turn.tries.append(done)
            self._tries = [*self._tries[-20:], done]

        return ends

    def has_written(self, process: Process, old: str | None, new: str) -> None:
        before, kept = next(iter(in_document(old)), None), in_document(new)
        process.hands = kept
        self.saved.add(kept[0].value)
        if before and self._is_worse(before, kept):
            self._violated(f"{before} was overwritten by {kept}")

    # What it checks

    def _is_worse(self, before: Belief, kept: list[Belief]) -> bool:
        books, now, after = self._world.books, self._world.now, kept[0]
        if not books.works(before.value, now) or before.is_past(now):
            return False
        if not books.works(after.value, now):
            # A dead new string is known only once it is tried: until then the one before must stay beside it.
            return before.value not in [each.value for each in kept]
        return bool(before.expires and after.expires and after.expires < before.expires - TOLERANCE)

    def _check_pause(self, turn: Turn, value: str) -> None:
        if turn.what == "cron":
            return
        for earlier in self._tries:
            pause = PAUSE_ON_LAST_DAY if earlier.was_last_day else PAUSE
            # Beyond the tolerance of two clocks; one process has one clock.
            pause -= min(TOLERANCE, pause) if earlier.turn.process is not turn.process else SECOND
            is_within = earlier.failure is not None and earlier.value == value and turn.began < earlier.at + pause
            if is_within and self._could_know(earlier, turn):
                self._violated(f"renewed within the pause after {earlier.at}")

    def _could_know(self, earlier: Try, turn: Turn) -> bool:
        if earlier.turn.was_killed or earlier.failure == Reason.ENDED or turn.was_lied_to or turn.was_shared:
            return False
        if earlier.turn.was_shared or earlier.turn is turn:
            return False
        return not (earlier.turn.had_store_trouble or turn.had_store_trouble or turn.was_cut_off)

    # Chances

    def best(self, process: Process, *, without_store: bool = False) -> Belief | None:
        """The string within the process's reach that works longest."""
        within_reach = [*process.hands, *([] if without_store else in_document(self._world.document))]
        # The environment's string tells no age: what is known of it counts more.
        is_known = self._world.environment in {each.value for each in within_reach}
        if self._world.environment and not is_known and (without_store or not self._world.document):
            within_reach.append(Belief(self._world.environment))
        books, now = self._world.books, self._world.now
        works = [each for each in within_reach if books.works(each.value, now) and not each.is_past(now)]
        return max(works, key=lambda each: each.expires or START, default=None)

    def begins(self, turn: Turn) -> None:
        turn.was_cut_off = turn.what == "view" and turn.process.is_cut_off
        best = self.best(turn.process)
        turn.is_chance = best is not None and self._is_chance(best, turn)

    def _is_chance(self, best: Belief, turn: Turn) -> bool:
        now, life = self._world.now, self._world.books.lives[best.value]
        issued, expires = best.issued or life.issued, best.expires or life.expires
        if now < issued + DAY + TOLERANCE or now >= expires - TOLERANCE:
            return False
        if self._tries and now < self._tries[-1].at + CLAIM:
            return False
        if turn.what == "cron":
            return True
        left = expires - now
        pause = PAUSE_ON_LAST_DAY if left < DAY - TOLERANCE - HOUR else PAUSE
        is_held_back = any(earlier.failure and now < earlier.at + pause + TOLERANCE for earlier in self._tries)
        return left < RENEW_WITHIN - TOLERANCE and not is_held_back

    def ends(self, turn: Turn) -> None:
        best = None if turn.was_killed else self.best(turn.process)
        self._check_saved(turn)
        is_new = best is not None and best.issued is not None and best.issued > turn.began - TOLERANCE
        if is_new:
            self.failed.clear()
        is_out_of_reach = best is None and turn.has_read  # The store has none that works, another process may.
        if not turn.is_chance or is_new or is_out_of_reach:
            return
        reason = self._excuse(turn)
        if reason is None:
            if not turn.was_shared:
                self._violated(f"a chance was wasted ({turn.result}) with {best}")
            return
        self.failed[reason] += 1

    def _excuse(self, turn: Turn) -> Reason | None:
        """The reason outside for which a chance may pass, None if there was none."""
        if turn.was_killed:
            return Reason.ENDED
        failures = [each.failure for each in turn.tries if each.failure]
        failures += [Reason.INSTAGRAM] if turn.could_not_read and not turn.tries else []
        for reason in (Reason.REPLY_LOST, Reason.INSTAGRAM):
            if reason in failures:
                return reason
        if turn.was_lied_to or turn.process.is_misled:
            return Reason.STALE
        if self._was_without_store(turn) or self._could_not_keep(turn):
            return Reason.STORE
        if any(map(self._is_stillborn, turn.renewed)):
            return Reason.STILLBORN
        # Nobody could know: a renewal's reply was lost, or Instagram's own string was dead from the start.
        return next((each for each in (Reason.YOUNG, Reason.DEAD) if self._is_blameless(each, turn)), None)

    def _was_without_store(self, turn: Turn) -> bool:
        """Whether all it had, while the store was away, was nothing or a string long dead."""
        if any(each.was_blind and each.failure == Reason.DEAD for each in turn.tries):
            return True
        is_away = turn.had_store_trouble or turn.was_cut_off
        return is_away and not turn.has_read and not self.best(turn.process, without_store=True)

    def _could_not_keep(self, turn: Turn) -> bool:
        """Whether the store was away while there was time left: a renewed string in this process alone is a risk."""
        best = self.best(turn.process)
        is_long_lived = best and best.expires and best.expires - self._world.now > RENEW_WITHIN - TOLERANCE
        return turn.what == "cron" and turn.had_store_trouble and bool(is_long_lived)

    def _is_blameless(self, failure: Reason, turn: Turn) -> bool:
        """Whether the refused string was the best that anybody could know of."""
        refused = [each.value for each in turn.tries if each.failure == failure]
        books, now = self._world.books, self._world.now
        if failure == Reason.YOUNG:
            return any(now - books.lives[value].issued < DAY for value in refused)
        return any(self._is_stillborn(value) or self._has_unheard_successor(value) for value in refused)

    def _is_stillborn(self, value: str) -> bool:
        life = self._world.books.lives[value]
        return life.is_dead and life.successor is None

    def _has_unheard_successor(self, value: str) -> bool:
        """Whether it died by a renewal of which the store has never heard: lost with its reply, or in its process."""
        return self._world.books.lives[value].successor not in {None, *self.saved}

    def _check_saved(self, turn: Turn) -> None:
        """Whether what the process could not save earlier is saved, now that the store takes it."""
        process, now = turn.process, self._world.now
        if turn.was_lied_to:
            process.replaces = set()  # It took the old reading for somebody else's new token.
        unsaved, stored = process.unsaved, next(iter(in_document(self._world.document)), None)
        if unsaved is None or turn.was_killed or turn.had_store_trouble or turn.was_lied_to or turn.was_shared:
            return
        if turn.was_cut_off:
            return
        is_needed = self._world.books.works(unsaved.value, now) and not unsaved.is_past(now)
        stored_works = stored is not None and self._world.books.works(stored.value, now)
        if is_needed and not stored_works and "TokenRejected" in turn.result:
            self._violated(f"{unsaved} works and was not used, but {stored}")
        if is_needed and stored and stored.value in process.replaces and not self._is_as_good(stored, unsaved):
            self._violated(f"{unsaved} is still not saved, but {stored}")
        if stored_works or not is_needed:
            process.unsaved, process.replaces = None, set()

    def _is_as_good(self, stored: Belief, unsaved: Belief) -> bool:
        """Whether it lives about as long: it is the same one, or somebody has prolonged the other string since."""
        return stored.expires is not None and unsaved.expires is not None and stored.expires > unsaved.expires - DAY

    # Losses

    def loss(self) -> Loss | None:
        """How the token was lost, None while it is not."""
        if any(self.best(process) for process in self._world.processes):
            return None
        stored = next(iter(in_document(self._world.document)), Belief("IGAA-0"))
        life = self._world.books.lives[stored.value]
        if life.is_dead and life.successor:
            return self._loss_by_renewal(life.successor)
        return Loss.ALL_FAILED if self.failed else Loss.NO_CHANCE

    def _loss_by_renewal(self, successor: str) -> Loss:
        return Loss.ENDED if successor in self.delivered else Loss.REPLY_LOST

    def _violated(self, claim: str) -> None:
        if self._is_strict:
            world = self._world
            raise Violation(f"turn {world.turns} ({world.turn.what}, day {(world.now - START) / DAY:.2f}): {claim}")


# --- The world


@dataclass(frozen=True)
class Ending:
    """What became of one history."""

    lived: timedelta
    renewals: int
    cron_runs: int
    views: int
    loss: Loss | None
    reasons: Counter[Reason]


def renews_whenever_it_may(process: Process) -> str:
    """What our cron does, before it fetches: look for the store, then renew any token that is a day old."""
    process.store.recheck()
    try:
        return process.tokens.renew()
    except IgfeedError as error:
        return type(error).__name__


def only_under_seven_days(process: Process) -> str:
    """What peers do: the cron renews a token that has less than seven days left, as any view does."""
    return "not asked"


Rule = Callable[[Process], str]


class World:
    """One history: `live` lets it happen."""

    def __init__(
        self,
        luck: Luck,
        rule: Rule = renews_whenever_it_may,
        parts: Callable[[World], Parts] = Played,
    ) -> None:
        self.luck = luck
        self._rule = rule
        self.now = START
        self.turns = 0
        self.earlier: dict[str, str | None] = {}
        self.document: str | None = None
        self.books = Books(luck, START)
        self.environment = "IGAA-0" if luck.has_environment else None
        self.parts = parts(self)
        # Another rule than ours breaks the claim by design: of that one only the losses are told.
        self.oracle = Oracle(self, is_strict=rule is renews_whenever_it_may)
        self.processes = [Process(self, number) for number in range(2 if luck.turns_each else 1)]
        self.turn = Turn(self.processes[0], "view", START, {})
        self.told: list[str] = []
        self._fates = _by_turn(luck.mishaps)
        self._moods = [spell for spell in luck.spells if spell.mood != Mood.NO_CRON]
        self._counts = Counter[str]()
        if not luck.has_environment:
            self._set_up()

    def live(self) -> Ending:
        """Until the years are over or the token is lost."""
        loss = None
        for after, what in moments(self.luck):
            self.now = max(self.now, START + after)
            self._pass_turn(what)
            loss = self.oracle.loss()
            if loss:
                break
        counts = self._counts
        oracle = self.oracle
        return Ending(self.now - START, oracle.renewals, counts["cron"], counts["view"], loss, oracle.failed)

    def reach(self, process: Process) -> Fate | None:
        """A call to the outside begins: its fate, once what comes before it has happened."""
        self.now += self.luck.call_seconds * SECOND
        self.turn.calls += 1
        fate = self.turn.fates.pop(self.turn.calls, None)
        if fate == Fate.KILLED:
            raise Killed
        if fate == Fate.OTHER_TURN:
            self._let_other_in(process)
            return None
        return fate

    def is_now(self, mood: Mood) -> bool:
        when = self.now - START
        return any(spell.mood == mood and _covers(spell, when) for spell in self._moods)

    def first_of(self, *moods: Mood) -> Mood | None:
        return next((mood for mood in moods if self.is_now(mood)), None)

    def _set_up(self) -> None:
        """As `setup-token` does."""
        life = self.books.lives["IGAA-0"]
        token = Token("IGAA-0", life.issued, life.expires)
        self.document = token.to_text()
        self.parts.store(self.processes[0]).set(TOKEN_KEY, self.document)

    def _pass_turn(self, what: What) -> None:
        self.turns += 1
        self._counts[what] += 1
        luck = self.luck
        number = (self.turns - 1) // luck.turns_each % 2 if luck.turns_each else 0
        process, fates = self.processes[number], dict(self._fates.get(self.turns, {}))
        if 0 in fates or (luck.restarts_every and self.turns % luck.restarts_every == 0):
            process.start()
        self._let(process, what, fates)

    def _let_other_in(self, process: Process) -> None:
        others = [each for each in self.processes if each is not process]
        interrupted = self.turn
        for other in others:
            self._let(other, interrupted.what, {}, is_within=True)
        self.turn = interrupted
        self.turn.was_shared = self.turn.was_shared or bool(others)

    def _let(self, process: Process, what: What, fates: dict[int, Fate], *, is_within: bool = False) -> None:
        turn = self.turn = Turn(process, what, self.now, fates, was_shared=is_within)
        self.oracle.begins(turn)
        try:
            turn.result = self._act(process, what)
        except Killed:
            turn.was_killed = True
            turn.result = "killed"
        self.told.append(f"{what}: {turn.result}")
        self.oracle.ends(turn)
        if turn.was_killed:
            process.start()

    def _act(self, process: Process, what: What) -> str:
        results = [self._rule(process)] if what == "cron" else []
        try:
            process.tokens.use(InstagramLine(process).profile)
            results.append("used")
        except IgfeedError as error:
            results.append(type(error).__name__)
        process.catch_up()
        return ", ".join(results)


def _by_turn(mishaps: Iterable[Mishap]) -> dict[int, dict[int, Fate]]:
    fates: dict[int, dict[int, Fate]] = {}
    for mishap in mishaps:
        fates.setdefault(mishap.turn, {})[mishap.call] = mishap.fate
    return fates


# --- Many histories


def drawn(chance: random.Random, years: float) -> Luck:
    """A history's luck: now nearly good, now very bad."""
    luck = Luck(
        years=years,
        strings=chance.choice(list(Strings)),
        lifetime=chance.randrange(len(LIFETIMES)),
        has_environment=chance.random() < 0.3,
        clocks=(chance.randint(-5, 5), chance.randint(-5, 5)),
        call_seconds=chance.choice((0, 1, 7)),
        turns_each=chance.choice((0, 1, 2, 5)),
        restarts_every=chance.choice((0, 0, 1, 3, 10)),
        first_cron=chance.randrange(7 * 24),
    )
    hours = int(years * HOURS_OF_A_YEAR)
    spells = [spell for mood in Mood for spell in _drawn_spells(chance, mood, hours)]
    visits = _drawn_visits(chance, hours)
    turns = hours // (7 * 24) + sum(each.count for each in visits)
    return replace(luck, spells=tuple(spells), visits=tuple(visits), mishaps=tuple(_drawn_mishaps(chance, turns)))


def _drawn_spells(chance: random.Random, mood: Mood, hours: int) -> Iterator[Spell]:
    """Between two of them months or weeks, each some hours to some weeks long."""
    apart = chance.choice((0, 0, 250, 90, 40)) * 24
    longest = chance.choice((1, 3, 10, 25)) * 24
    begins = chance.randrange(apart + 1)
    while apart and begins < hours:
        length = chance.randint(1, longest)
        yield Spell(mood, begins, length)
        begins += length + chance.randint(1, 2 * apart)


def _drawn_visits(chance: random.Random, hours: int) -> list[Visits]:
    apart = chance.choice((0, 0, 60, 20, 7)) * 24
    if not apart:
        return []
    numbers = range(hours // apart)
    return [Visits(chance.randrange(hours), chance.randint(1, 4), chance.choice((1, 6, 40, 65, 600))) for _ in numbers]


def _drawn_mishaps(chance: random.Random, turns: int) -> Iterator[Mishap]:
    share = chance.choice((0, 0.02, 0.1, 0.3))
    for _ in range(int(turns * share)):
        yield Mishap(chance.randint(1, turns), chance.randint(0, 12), chance.choice(list(Fate)))


@dataclass
class Table:
    """What many histories came to."""

    histories: int = 0
    lived: timedelta = timedelta()
    counts: Counter[str] = field(default_factory=Counter)
    losses: Counter[Loss] = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)

    def add(self, ending: Ending) -> None:
        self.histories += 1
        self.lived += ending.lived
        self.counts += Counter(renewals=ending.renewals, cron_runs=ending.cron_runs, views=ending.views)
        if ending.loss:
            self.losses[ending.loss] += 1

    def join(self, other: Table) -> None:
        self.histories += other.histories
        self.lived += other.lived
        self.counts += other.counts
        self.losses += other.losses
        self.violations += other.violations

    def __str__(self) -> str:
        years = self.lived / (HOURS_OF_A_YEAR * HOUR)
        lines = [f"histories {self.histories:>10,}", f"simulated years {years:>14,.0f}"]
        lines += [
            f"{name.replace('_', ' '):<10}{self.counts[name]:>20,}" for name in ("renewals", "cron_runs", "views")
        ]
        lines += [f"lost {sum(self.losses.values()):>10,}"]
        lines += [f"  {self.losses[loss]:>8,}  {loss}" for loss in Loss]
        lines += [f"claims broken {len(self.violations)}", *(f"  {seed}: {text}" for seed, text in self.violations[:9])]
        return "\n".join(lines)


def many(seeds: Iterable[int], years: float, rule: Rule = renews_whenever_it_may) -> Table:
    """So many histories, each by its own seed: the same seed has the same luck whatever the rule."""
    table = Table()
    for seed in seeds:
        luck = drawn(random.Random(seed), years)
        try:
            table.add(World(luck, rule).live())
        except Violation as violation:
            table.violations.append((seed, str(violation)))
    return table


def _share(work: tuple[Sequence[int], float, Rule]) -> Table:
    logging.disable(logging.CRITICAL)
    return many(*work)


def in_parallel(seeds: range, years: float, rule: Rule) -> Table:
    shares = [seeds[start : start + 50] for start in range(0, len(seeds), 50)]
    table = Table()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for part in pool.imap_unordered(_share, [(share, years, rule) for share in shares]):
            table.join(part)
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=20000)
    parser.add_argument("--years", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.histories)
    broken = 0
    for rule in (renews_whenever_it_may, only_under_seven_days):
        began = time.monotonic()
        table = in_parallel(seeds, options.years, rule)
        broken += len(table.violations)
        name = rule.__name__.replace("_", " ")
        sys.stdout.write(f"The cron {name} ({time.monotonic() - began:.0f} s)\n{table}\n\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
