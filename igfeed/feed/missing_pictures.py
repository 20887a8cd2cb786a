"""Which pictures could not be had, and since when: a green status beside grey tiles would be wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from igfeed.models.record import Moment, Record, is_from_future

Mirrored = Literal["stored", "kept", "failed", "nowhere", "left"]
"""What became of a picture; ``nowhere``: there is none; ``left``: there was no time for it."""

TOLERABLE = timedelta(hours=1)
"""So long a picture may be missing before somebody should know."""

MOST_NOTED = 500


@dataclass(frozen=True)
class MissingPictures(Record):
    """The ids of pictures that Instagram names and that could not be had, each with when that was first noticed."""

    at: Moment
    since: Mapping[str, Moment]

    def after(self, outcomes: Mapping[str, Mirrored], now: datetime, *, is_all: bool) -> "MissingPictures":
        """The record after the pictures in ``outcomes`` were tried. ``is_all``: these are all pictures."""
        ended = {name for name, outcome in outcomes.items() if outcome not in ("failed", "left")}
        kept = {name for name in self.since if name not in ended and (name in outcomes or not is_all)}
        failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
        noted = sorted(kept) + sorted(failed - kept)
        return MissingPictures(now, {name: min(self.since.get(name, now), now) for name in noted[:MOST_NOTED]})

    def is_overdue(self, picture_id: str, now: datetime) -> bool:
        since = self.since.get(picture_id)
        return since is not None and (now - since > TOLERABLE or is_from_future(since, now))
