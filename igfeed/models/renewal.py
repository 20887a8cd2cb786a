"""The last attempt to renew a token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from igfeed.models.failure import Failure
from igfeed.models.record import Count, Moment, Record


@dataclass(frozen=True)
class Renewal(Record):
    """The last finished attempt to renew a token. ``failure`` is None if it succeeded.

    ``attempt`` is its number, counted from 1. ``token`` is the fingerprint of the renewed token, or of the token that
    could not be renewed. ``may_have_taken_effect`` is True if the request was sent and no reply came: Instagram may
    have renewed the token, and may have ended the old value with that.
    """

    RENAMED: ClassVar[Mapping[str, str]] = {"trouble": "failure", "may_be_done": "may_have_taken_effect"}

    attempt: Count
    at: Moment
    token: str
    failure: Failure | None = None
    may_have_taken_effect: bool = False
