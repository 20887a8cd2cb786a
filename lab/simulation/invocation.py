"""One run of the cron or one view, with its attempts to renew the token."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from lab.simulation.scenario import CallOutcome, What
from lab.simulation.tokens import ProcessKnowledge


class ProcessKilled(BaseException):
    """The process has ended in the middle of what it did."""


class FailureReason(StrEnum):
    """Why a chance may pass without a renewed token."""

    INSTAGRAM = "Instagram down or refusing"
    REPLY_LOST = "the renewal's reply was lost"
    ENDED = "the process ended in the middle"
    STORE = "the store away"
    STALE = "the store said something old"
    NEW_STRING_DEAD = "Instagram gave out a dead string"
    DEAD = "the tried string was dead"
    YOUNG = "younger than a day"


@dataclass(frozen=True)
class RenewalAttempt:
    """One call that asks Instagram to renew; `failure` is None if it was answered with a new token."""

    at: datetime
    invocation: Invocation
    value: str
    failure: FailureReason | None
    was_last_day: bool
    was_blind: bool
    """The process had not been able to look whether the store has another one."""


@dataclass(eq=False)
class Invocation:
    """One run of the cron or one view, and what it has met so far."""

    process: ProcessKnowledge
    what: What
    began: datetime
    outcomes: dict[int, CallOutcome]
    calls: int = 0
    is_chance: bool = False
    was_cut_off: bool = False
    """A view of a process that has not found the store since that was away: it does not wait to find out."""
    had_store_trouble: bool = False
    has_read: bool = False
    had_old_read: bool = False
    could_not_read: bool = False
    """Instagram did not answer a read, which comes before a renewal whose last try was never answered."""
    was_shared: bool = False
    was_killed: bool = False
    attempts: list[RenewalAttempt] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    result: str = ""
