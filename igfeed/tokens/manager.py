"""A usable access token, renewed when due.

Instagram's tokens die after some sixty days, and a dead one can only be replaced by a person. So no failure here ever
costs a living token: it is replaced by what came back from a renewal, by what the owner sets up, or by another one at
hand that works where Instagram rejects it, and by nothing else.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

from igfeed.clock import Clock, Deadline, Sleep, sleep
from igfeed.errors import (
    IgfeedError,
    InstagramError,
    InstagramUnreachable,
    PermissionRefused,
    StoreError,
    TokenExpired,
    TokenRejected,
    TooYoung,
    UnexpectedAnswer,
)
from igfeed.instagram import RENEWAL_LIMIT, Instagram
from igfeed.models import Failure, Renewal, Token
from igfeed.models.record import fingerprint
from igfeed.models.token import USUAL_LIFE
from igfeed.stores import Store
from igfeed.stores.document import Document
from igfeed.tokens.encryption import Cipher
from igfeed.tokens.vault import Source, StoredToken, TokenVault

log = logging.getLogger(__name__)

RENEWAL_KEY = "renewal:v1"

CLAIM = timedelta(seconds=60)
"""How long one renewal may take, all its tries included, before another process may begin."""

MOST_TRIES = 3

TIME_TO_ASK_AGAIN = 25.0
"""Seconds for a read with the old string and another renewal. If less time is left, there is no retry now."""

PAUSES_FOR_OTHERS = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""Seconds between two looks for the token that another process is renewing right now."""

A_SECOND = timedelta(seconds=1)

PAUSE = timedelta(hours=1)
PAUSE_ON_LAST_DAY = timedelta(minutes=5)
LAST_DAY = timedelta(days=1)

LOST = "Instagram took a renewal, its answer never came, and the old token does not work any more."

T = TypeVar("T")


class Outcome(StrEnum):
    RENEWED = "renewed"
    NOT_DUE = "not_due"
    TOO_YOUNG = "too_young"
    LEFT_TO_OTHERS = "left_to_others"
    FAILED = "failed"


@dataclass(frozen=True)
class TokenReport:
    """What there is to say about the token at that time: ``token`` is None when there is none.

    ``fingerprint`` is that of the token that the next call is made with, which may still be a changed variable's.
    """

    at: datetime
    last_renewal: Renewal | None
    token: Token | None = None
    fingerprint: str = ""
    source: Source | None = None
    is_due: bool = False
    is_saved: bool = False
    store_error: StoreError | None = None
    environment_problem: str | None = None


class TokenManager:
    """Keeps the token alive that its vault finds. Threads may share it."""

    use_keys = (TokenVault.key,)
    """The keys that ``use`` reads in any case, for who reads them ahead."""

    report_keys = (TokenVault.key, RENEWAL_KEY)
    """The keys that ``report`` reads, for who reads them ahead."""

    def __init__(
        self,
        instagram: Instagram,
        store: Store,
        clock: Clock,
        *,
        renew_within: timedelta,
        cipher: Cipher,
        from_environment: str | None = None,
        sleep: Sleep = sleep,
    ) -> None:
        self._instagram = instagram
        self._store = store
        self._clock = clock
        self._renew_within = renew_within
        self._sleep = sleep
        self._vault = TokenVault(store, clock, cipher, from_environment)
        self._renewals = Document(store, RENEWAL_KEY, Renewal.from_text)

    def usable(self) -> Token:
        """A token to call Instagram with, renewed first if it is due and no pause holds that back.

        It may have expired: see ``use``. Raises TokenMissing, or StoreError when the store cannot be read and nothing
        else has a token.
        """
        return self._ready().token

    def use(self, call: Callable[[str], T], *, is_awaited: bool = False) -> T:
        """Call with a usable token, and learn from the outcome.

        The token of a changed variable is stored once this call has succeeded with it; until then the stored one stays.
        A rejected token is only replaced by another known token that works. An expired token is tried too, because only
        Instagram knows for sure. ``is_awaited``: a visitor waits, so we neither renew now nor wait for others to renew.
        Raises what ``usable`` and ``call`` do, and TokenExpired.
        """
        held = self._vault.present_and_saved() if is_awaited else self._ready()
        try:
            token, answer = self._accepted(held, call)
        except TokenRejected:
            if not is_awaited and self._have_others_renewed(held):
                return self.use(call, is_awaited=True)
            if held.token.is_expired(self._clock()):
                raise TokenExpired(f"The access token expired on {held.token.expires_at:%Y-%m-%d}.") from None
            raise
        self._learn(held, token)
        return answer

    def keep_alive(self) -> None:
        """Renew what is due, after a visitor has been answered. Never raises."""
        try:
            self.usable()
        except IgfeedError as error:
            log.warning("The token could not be looked after: %s", error)

    def renew(self) -> Outcome:
        """Renew now, as a person or the cron asks for: however long it still lives, and whatever pause there is.

        Raises as ``usable`` does, and the InstagramError of a renewal that failed. While the store is away, only a
        token that is due is renewed: nobody knows whether the old string survives, and a process may end any time.
        """
        held = self._vault.present_and_saved().tried
        if held.token.is_expired(self._clock()):
            self.use(self._instagram.profile)
            held = self._vault.present_and_saved().tried
        last, now = self._renewals.load(), self._clock()
        if not held.token.is_renewable(now):
            is_renewed = last and not last.failure and last.token == held.token.fingerprint
            return Outcome.NOT_DUE if is_renewed else Outcome.TOO_YOUNG
        if held.store_error and not self._is_due(held.token, now):
            raise held.store_error
        try:
            return self._renew(held, last)
        except TooYoung:
            return Outcome.TOO_YOUNG

    def examined(self, value: str) -> tuple[Token, InstagramError | None]:
        """Renew a token that Instagram has just accepted, to learn its expiry. Also returns why the renewal failed.

        If Instagram refuses, the token is too young and counts as new. Without an answer its expiry is unknown, so a
        renewal stays due. Raises TokenRejected if the token stopped working in a renewal whose answer was lost.
        """
        given = Token(value)
        try:
            return given.succeeded_by(self._renewed(Deadline(RENEWAL_LIMIT), None, value)), None
        except TokenRejected as refusal:
            self._read_with(value)
            return replace(given, expires_at=self._clock() + USUAL_LIFE), refusal
        except (PermissionRefused, UnexpectedAnswer) as refusal:
            return replace(given, expires_at=self._clock() + USUAL_LIFE), refusal
        except InstagramError as failure:
            return given, failure

    def adopt(self, token: Token, *, is_proven: bool) -> None:
        """Store a token that the owner sets up. An unproven one remembers the living ones that it replaces.

        Raises StoreError.
        """
        self._vault.replace(token if is_proven else token.after(self._living_beside(token)))

    def fingerprint(self) -> str:
        """Which token we would use now, by a name that is no secret; empty when there is none."""
        held = self._found_or_none()
        return held.token.fingerprint if held else ""

    def report(self) -> TokenReport:
        """What there is to say; changes nothing that anybody else sees."""
        last, now = self._renewals.load(), self._clock()
        problem = self._vault.environment_problem
        try:
            held = self._vault.find()
        except StoreError as error:
            return TokenReport(now, last, store_error=error, environment_problem=problem)
        if held is None:
            return TokenReport(now, last, environment_problem=problem)
        tried = held.tried
        return TokenReport(
            now,
            last,
            tried.token,
            held.token.fingerprint,
            tried.source,
            self._is_due(tried.token, now),
            tried.is_saved,
            tried.store_error,
            problem,
        )

    def _ready(self) -> StoredToken:
        """The token to call with, renewed first if it is due. A token that was never tried is first tried by a read."""
        held = self._vault.present_and_saved()
        token, now = held.tried.token, self._clock()
        if not self._is_due(token, now) or not token.is_renewable(now) or token.is_expired(now):
            return held
        last = self._renewals.load()
        if last and last.failure and last.failure.is_backing_off(token.fingerprint, now):
            return held
        try:
            self._renew(held.tried, last)
        except InstagramError as error:
            log.warning("The token could not be renewed and is used as it is: %s", error)
        return self._vault.present()

    def _is_due(self, token: Token, now: datetime) -> bool:
        return token.is_due(self._renew_within, now)

    def _found_or_none(self) -> StoredToken | None:
        try:
            return self._vault.find()
        except StoreError:
            return None

    def _living_beside(self, token: Token) -> list[Token]:
        held, now = self._found_or_none(), self._clock()
        known = [held.tried.token, *held.tried.token.predecessors] if held else []
        return [each for each in known if each.value != token.value and not each.is_expired(now)]

    def _learn(self, held: StoredToken, token: Token) -> None:
        """Store what a successful call shows: which token works, and that it has not expired."""
        if held.incumbent and token == held.token:
            log.info("The changed INSTAGRAM_ACCESS_TOKEN works and takes the stored token's place")
            token = token.in_place_of(held.incumbent.token)
        if token.is_expired(self._clock()):
            token = replace(token, expires_at=None)
        is_unsaved = held.source == "environment" and held.store_error is None
        if is_unsaved or token.proven != held.token:
            self._vault.save(token.proven)

    def _have_others_renewed(self, held: StoredToken) -> bool:
        """Whether another process has renewed this token, which may have ended it. Waits for a running renewal."""
        for pause in PAUSES_FOR_OTHERS:
            if not self._is_somebody_renewing():
                break
            self._sleep(pause)
        found = self._found_or_none()
        return found is not None and found.tried.token.value != held.tried.token.value

    def _is_somebody_renewing(self) -> bool:
        """Tries the claim for one second. If we get it, nobody was renewing. It is too short to block a renewal."""
        return not self._store.claim(_claim_key(self._renewals.load()), A_SECOND)

    def _renew(self, held: StoredToken, last: Renewal | None) -> Outcome:
        """One renewal at a time across all processes: each try, counted when it has ended, has a claim of its own."""
        attempt = last.attempt + 1 if last else 1
        if not self._store.claim(_claim_key(last), CLAIM):
            return Outcome.LEFT_TO_OTHERS
        if self._vault.present().tried.token.differs_from(held.token):
            return Outcome.LEFT_TO_OTHERS  # Somebody has renewed it between our look and our claim.
        try:
            token, renewed = self._accepted(held, partial(self._renewed, Deadline(RENEWAL_LIMIT), last))
        except InstagramError as error:
            if not held.token.is_renewable(self._clock()):
                raise TooYoung(str(error)) from None  # Our clock was wrong, and the reply has put it right.
            failure = self._understood(held.token, error)
            self._renewals.save(self._failed(attempt, held.token, failure))
            raise failure from None
        self._vault.save(token.succeeded_by(renewed))
        self._renewals.save(Renewal(attempt, self._clock(), renewed.fingerprint))
        log.info("The access token was renewed and lives until %s", renewed.expires_at or "a time that is not known")
        return Outcome.RENEWED

    def _renewed(self, deadline: Deadline, last: Renewal | None, value: str) -> Token:
        """What Instagram makes of the token.

        A request whose answer was lost may have ended the old string. So before it is sent again, now or by the next
        try, a read shows whether the string still works. Raises an InstagramError.
        """
        if last and last.may_be_done and last.token == fingerprint(value):
            self._read_with(value)
        for _ in range(MOST_TRIES - 1):
            try:
                return self._instagram.renew(value, deadline.left())
            except InstagramUnreachable as error:
                if not error.may_be_done or deadline.left() < TIME_TO_ASK_AGAIN:
                    raise
            self._read_with(value)
        return self._instagram.renew(value, deadline.left())

    def _read_with(self, value: str) -> None:
        try:
            self._instagram.profile(value)
        except TokenRejected as error:
            raise TokenRejected(LOST, code=error.code) from None

    def _accepted(self, held: StoredToken, call: Callable[[str], T]) -> tuple[Token, T]:
        """The answer, and the token that brought it: where Instagram rejects this one, another one at hand.

        Raises what ``call`` does, and the rejection of this one where there is no other that works.
        """
        try:
            return held.token, call(held.token.value)
        except TokenRejected as rejection:
            rejection.token = held.token.fingerprint
            for other in self._vault.fallbacks(held):
                try:
                    answer = call(other.value)
                except TokenRejected:
                    continue
                log.warning("The token in use was rejected; another one at hand works and takes its place")
                return other.instead_of(held.token), answer
            raise
        except (PermissionRefused, UnexpectedAnswer) as refusal:
            if held.incumbent is None:
                raise
            log.warning("The changed INSTAGRAM_ACCESS_TOKEN is refused, the stored one goes on: %s", refusal)
            return self._accepted(held.incumbent, call)

    def _understood(self, token: Token, error: InstagramError) -> InstagramError:
        """What Instagram answers to a token that is too young is documented nowhere: it refuses in general."""
        may_be_young = token.issued_at is None and token.expires_at and not self._is_due(token, self._clock())
        is_general = isinstance(error, PermissionRefused | UnexpectedAnswer)
        return TooYoung(str(error)) if may_be_young and is_general else error

    def _failed(self, attempt: int, token: Token, error: InstagramError) -> Renewal:
        now = self._clock()
        is_last_day = token.expires_at is not None and token.has_less_than(LAST_DAY, now)
        until = now + (PAUSE_ON_LAST_DAY if is_last_day else PAUSE)
        known = token.as_known(now)
        is_of_unknown_age = known.issued_at is None and known.expires_at is None
        hint = TooYoung.hint if is_of_unknown_age else error.hint
        failure = Failure(type(error).__name__, str(error), hint, now, until, token.fingerprint)
        may_be_done = isinstance(error, InstagramUnreachable) and error.may_be_done
        return Renewal(attempt, now, token.fingerprint, failure, may_be_done)


def _claim_key(last: Renewal | None) -> str:
    """The key of the claim for the attempt after the last finished one."""
    return f"claim:renewal:{last.attempt + 1 if last else 1}"
