"""Why a chance may pass without a renewed token: the reasons outside igfeed."""

from __future__ import annotations

from lab.simulation.invocation import FailureReason, Invocation
from lab.simulation.scenario import DAY, RENEW_WITHIN, TOLERANCE
from lab.simulation.state import SimulationState


class Excuses:
    """Finds the reason outside for which an invocation may fail to renew."""

    def __init__(self, state: SimulationState) -> None:
        self._state = state
        self.saved: set[str] = set()
        """Every string that was the newest one in the store at some time."""

    def find(self, invocation: Invocation) -> FailureReason | None:
        """None if there was no such reason."""
        if invocation.was_killed:
            return FailureReason.ENDED
        failures = [each.failure for each in invocation.attempts if each.failure]
        failures += [FailureReason.INSTAGRAM] if invocation.could_not_read and not invocation.attempts else []
        for reason in (FailureReason.REPLY_LOST, FailureReason.INSTAGRAM):
            if reason in failures:
                return reason
        if invocation.had_old_read or invocation.process.is_misled:
            return FailureReason.STALE
        if self._was_without_store(invocation) or self._could_not_keep(invocation):
            return FailureReason.STORE
        if any(map(self._was_born_dead, invocation.renewed)):
            return FailureReason.NEW_STRING_DEAD
        # Nobody could know: a renewal's reply was lost, or Instagram's own string was dead from the start.
        return next(
            (each for each in (FailureReason.YOUNG, FailureReason.DEAD) if self._is_blameless(each, invocation)), None
        )

    def _was_without_store(self, invocation: Invocation) -> bool:
        """Whether all it had, while the store was away, was nothing or a string long dead."""
        if any(each.was_blind and each.failure == FailureReason.DEAD for each in invocation.attempts):
            return True
        is_away = invocation.had_store_trouble or invocation.was_cut_off
        return is_away and not invocation.has_read and not self._state.best(invocation.process, without_store=True)

    def _could_not_keep(self, invocation: Invocation) -> bool:
        """Whether the store was away while there was time left: a renewed string in this process alone is a risk."""
        best = self._state.best(invocation.process)
        is_long_lived = best and best.expires and best.expires - self._state.now > RENEW_WITHIN - TOLERANCE
        return invocation.what == "cron" and invocation.had_store_trouble and bool(is_long_lived)

    def _is_blameless(self, failure: FailureReason, invocation: Invocation) -> bool:
        """Whether the refused string was the best that anybody could know of."""
        refused = [each.value for each in invocation.attempts if each.failure == failure]
        records, now = self._state.records, self._state.now
        if failure == FailureReason.YOUNG:
            return any(now - records.lives[value].issued < DAY for value in refused)
        return any(self._was_born_dead(value) or self._has_unheard_successor(value) for value in refused)

    def _was_born_dead(self, value: str) -> bool:
        life = self._state.records.lives[value]
        return life.is_dead and life.successor is None

    def _has_unheard_successor(self, value: str) -> bool:
        """Whether it died by a renewal of which the store has never heard: lost with its reply, or in its process."""
        return self._state.records.lives[value].successor not in {None, *self.saved}
