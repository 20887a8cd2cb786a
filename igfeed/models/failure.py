"""The last failure of a task, with the time of the next try."""

from dataclasses import dataclass
from datetime import datetime

from igfeed.models.record import Count, Moment, Record, is_from_future


@dataclass(frozen=True)
class Failure(Record):
    """The last failure of a task, stored until the task succeeds. No visitor's view tries again before ``until``.

    ``kind`` is the error's class name. ``failures`` counts the failures in a row. ``token`` is the fingerprint of the
    token that was used, empty if there was none: another token is a reason to try at once.
    """

    kind: str
    message: str
    hint: str
    at: Moment
    until: Moment
    token: str = ""
    failures: Count = 1

    def is_backing_off(self, token: str, now: datetime) -> bool:
        """Whether to wait before the next try with this token, given by its fingerprint."""
        # A time in the future was written by a wrong clock, and could forbid tries for years.
        return now < self.until and token == self.token and not is_from_future(self.at, now)
