"""Judges whether the token manager keeps its claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum

from igfeed.clock import CLOCKS_DIFFER
from igfeed.models import Token
from igfeed.tokens.document import TOKEN_KEY
from lab.simulation.excuses import Excuses
from lab.simulation.invocation import FailureReason, Invocation, RenewalAttempt
from lab.simulation.scenario import (
    DAY,
    HOUR,
    MINUTE,
    RENEW_WITHIN,
    RENEWAL_CLAIM,
    RENEWAL_PAUSE,
    RENEWAL_PAUSE_ON_LAST_DAY,
    SECOND,
    START,
    TOLERANCE,
)
from lab.simulation.state import SimulationState
from lab.simulation.tokens import KnownToken, ProcessKnowledge, in_document, known_token


class Violation(AssertionError):
    """The token manager has broken its claim."""


class Loss(StrEnum):
    """How the last string that worked went out of reach."""

    NO_CHANCE = "expired, and nobody came in all its life"
    ALL_FAILED = "expired, and every chance failed outside"
    REPLY_LOST = "a renewal's reply was lost and the old string died"
    ENDED = "the process ended before it could save, the old string dead"


class Checker:
    """Raises Violation if the token manager breaks its claim. It sees only the calls to the store and to Instagram."""

    def __init__(self, state: SimulationState, *, is_strict: bool) -> None:
        self._state = state
        self._is_strict = is_strict
        self._attempts: list[RenewalAttempt] = []
        self.failed = Counter[FailureReason]()
        self.renewals = 0
        self._delivered: set[str] = set()
        self._excuses = Excuses(state)

    # What it is told

    def has_read(self, process: ProcessKnowledge, text: str | None) -> None:
        self._state.invocation.has_read = True
        process.is_misled = False
        if text:
            process.known = in_document(text) + ([process.unsaved] if process.unsaved else [])

    def had_old_read(self, process: ProcessKnowledge, key: str) -> None:
        self._state.invocation.had_old_read = True
        process.is_misled = process.is_misled or key == TOKEN_KEY

    def has_failed(self, process: ProcessKnowledge) -> None:
        self._state.invocation.had_store_trouble = True
        process.is_cut_off = True

    def has_renewed(self, process: ProcessKnowledge, renewed: Token) -> None:
        self.renewals += 1
        self._delivered.add(renewed.value)
        self._state.invocation.renewed.append(renewed.value)
        process.unsaved = known_token(renewed)
        if not process.is_misled:
            process.replaces |= {each.value for each in process.known}
        process.known = [process.unsaved, *process.known]

    def begins_attempt(self, process: ProcessKnowledge, value: str) -> Callable[[FailureReason | None], None]:
        """Judge a try at its beginning; the result takes its end."""
        invocation, now = self._state.invocation, self._state.now
        self._check_pause(invocation, value)
        expires = next((each.expires for each in process.known if each.value == value), None)
        was_last_day = expires is None or expires - now < DAY + TOLERANCE
        was_blind = not invocation.has_read and (invocation.had_store_trouble or invocation.was_cut_off)

        def ends(failure: FailureReason | None) -> None:
            done = RenewalAttempt(now, invocation, value, failure, was_last_day, was_blind)
            invocation.attempts.append(done)
            self._attempts = [*self._attempts[-20:], done]

        return ends

    def has_written(self, process: ProcessKnowledge, old: str | None, new: str) -> None:
        before, kept = next(iter(in_document(old)), None), in_document(new)
        process.known = kept
        self._excuses.saved.add(kept[0].value)
        if before and self._is_worse(before, kept):
            self._violated(f"{before} was overwritten by {kept}")

    # What it checks

    def _is_worse(self, before: KnownToken, kept: list[KnownToken]) -> bool:
        records, now, after = self._state.records, self._state.now, kept[0]
        if not records.works(before.value, now) or before.is_past(now):
            return False
        if not records.works(after.value, now):
            # A dead new string is known only once it is tried: until then the one before must stay beside it.
            return before.value not in [each.value for each in kept]
        return bool(before.expires and after.expires and after.expires < before.expires - TOLERANCE)

    def _check_pause(self, invocation: Invocation, value: str) -> None:
        if invocation.what == "cron":
            return
        for earlier in self._attempts:
            pause = RENEWAL_PAUSE_ON_LAST_DAY if earlier.was_last_day else RENEWAL_PAUSE
            # Beyond the tolerance of two clocks; one process has one clock.
            pause -= min(TOLERANCE, pause) if earlier.invocation.process is not invocation.process else SECOND
            is_within = earlier.failure is not None and earlier.value == value and invocation.began < earlier.at + pause
            if is_within and self._could_know(earlier, invocation) and not self._seems_future(earlier, invocation):
                self._violated(f"renewed within the pause after {earlier.at}")

    def _seems_future(self, earlier: RenewalAttempt, invocation: Invocation) -> bool:
        """Whether this process takes the attempt for one of the future: no pause follows from a clock that is wrong."""
        ahead = earlier.invocation.process.ahead - invocation.process.ahead
        # The attempt is recorded at its end, which is less than a minute after its beginning.
        return earlier.at + MINUTE + ahead > self._state.now + CLOCKS_DIFFER

    def _could_know(self, earlier: RenewalAttempt, invocation: Invocation) -> bool:
        if (
            earlier.invocation.was_killed
            or earlier.failure == FailureReason.ENDED
            or invocation.had_old_read
            or invocation.was_shared
        ):
            return False
        if earlier.invocation.was_shared or earlier.invocation is invocation:
            return False
        return not (earlier.invocation.had_store_trouble or invocation.had_store_trouble or invocation.was_cut_off)

    # Chances

    def begins(self, invocation: Invocation) -> None:
        invocation.was_cut_off = invocation.what == "view" and invocation.process.is_cut_off
        best = self._state.best(invocation.process)
        invocation.is_chance = best is not None and self._is_chance(best, invocation)

    def _is_chance(self, best: KnownToken, invocation: Invocation) -> bool:
        now, life = self._state.now, self._state.records.lives[best.value]
        issued, expires = best.issued or life.issued, best.expires or life.expires
        if now < issued + DAY + TOLERANCE or now >= expires - TOLERANCE:
            return False
        if self._attempts and now < self._attempts[-1].at + RENEWAL_CLAIM:
            return False
        if invocation.what == "cron":
            return True
        left = expires - now
        pause = RENEWAL_PAUSE_ON_LAST_DAY if left < DAY - TOLERANCE - HOUR else RENEWAL_PAUSE
        is_held_back = any(earlier.failure and now < earlier.at + pause + TOLERANCE for earlier in self._attempts)
        return left < RENEW_WITHIN - TOLERANCE and not is_held_back

    def ends(self, invocation: Invocation) -> None:
        best = None if invocation.was_killed else self._state.best(invocation.process)
        self._check_saved(invocation)
        is_new = best is not None and best.issued is not None and best.issued > invocation.began - TOLERANCE
        if is_new:
            self.failed.clear()
        is_out_of_reach = best is None and invocation.has_read  # The store has none that works, another process may.
        if not invocation.is_chance or is_new or is_out_of_reach:
            return
        reason = self._excuses.find(invocation)
        if reason is None:
            if not invocation.was_shared:
                self._violated(f"a chance was wasted ({invocation.result}) with {best}")
            return
        self.failed[reason] += 1

    def _check_saved(self, invocation: Invocation) -> None:
        """Whether what the process could not save earlier is saved, now that the store takes it."""
        process, now = invocation.process, self._state.now
        if invocation.had_old_read:
            process.replaces = set()  # It took the old reading for somebody else's new token.
        unsaved, stored = process.unsaved, next(iter(in_document(self._state.document)), None)
        if (
            unsaved is None
            or invocation.was_killed
            or invocation.had_store_trouble
            or invocation.had_old_read
            or invocation.was_shared
        ):
            return
        if invocation.was_cut_off:
            return
        is_needed = self._state.records.works(unsaved.value, now) and not unsaved.is_past(now)
        stored_works = stored is not None and self._state.records.works(stored.value, now)
        if is_needed and not stored_works and "TokenRejected" in invocation.result:
            self._violated(f"{unsaved} works and was not used, but {stored}")
        if is_needed and stored and stored.value in process.replaces and not self._is_as_good(stored, unsaved):
            self._violated(f"{unsaved} is still not saved, but {stored}")
        if stored_works or not is_needed:
            process.unsaved, process.replaces = None, set()

    def _is_as_good(self, stored: KnownToken, unsaved: KnownToken) -> bool:
        """Whether it lives about as long: it is the same one, or somebody has prolonged the other string since."""
        return stored.expires is not None and unsaved.expires is not None and stored.expires > unsaved.expires - DAY

    # Losses

    def loss(self, processes: Iterable[ProcessKnowledge]) -> Loss | None:
        """How the token was lost, None while it is not."""
        if any(map(self._state.best, processes)):
            return None
        stored = next(iter(in_document(self._state.document)), KnownToken("IGAA-0"))
        life = self._state.records.lives[stored.value]
        if life.is_dead and life.successor:
            return self._loss_by_renewal(life.successor)
        return Loss.ALL_FAILED if self.failed else Loss.NO_CHANCE

    def _loss_by_renewal(self, successor: str) -> Loss:
        return Loss.ENDED if successor in self._delivered else Loss.REPLY_LOST

    def _violated(self, claim: str) -> None:
        if self._is_strict:
            state, day = self._state, (self._state.now - START) / DAY
            what = state.invocation.what
            raise Violation(f"invocation {state.invocations} ({what}, day {day:.2f}): {claim}")
