"""What went wrong the last time, and how long it is left alone."""

from dataclasses import dataclass
from datetime import datetime

from igfeed.models.record import Count, Moment, Record, is_from_future


@dataclass(frozen=True)
class Failure(Record):
    """A task's last failure, kept until the task succeeds; no visitor's view tries again before ``until``.

    ``token`` is the fingerprint of the token it happened with (empty: with none), because another token is a reason
    to try at once. ``kind`` is the error's class name.
    """

    kind: str
    message: str
    hint: str
    at: Moment
    until: Moment
    token: str = ""
    failures: Count = 1

    def is_backing_off(self, token: str, now: datetime) -> bool:
        return now < self.until and token == self.token and not is_from_future(self.at, now)
