"""Which pictures could not be copied, and since when. Without it the status is green beside grey tiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from igfeed.models.record import Moment, Record, is_from_future

Mirrored = Literal["stored", "kept", "failed", "nowhere", "left"]
"""The result of copying a picture. ``nowhere``: Instagram has none. ``left``: there was no time for it."""

TOLERABLE_ABSENCE = timedelta(hours=1)
"""How long a picture may be missing before the status says so."""

MAX_NOTED_PICTURES = 500
"""How many ids the document holds at most."""


@dataclass(frozen=True)
class MissingPictures(Record):
    """The ids of pictures that Instagram has but that could not be copied, each with the time of the first failure."""

    at: Moment
    since: Mapping[str, Moment]

    def after(self, outcomes: Mapping[str, Mirrored], now: datetime, *, is_all: bool) -> "MissingPictures":
        """The record after the pictures in ``outcomes`` were tried. ``is_all``: these are all pictures."""
        ended = {name for name, outcome in outcomes.items() if outcome not in ("failed", "left")}
        kept = {name for name in self.since if name not in ended and (name in outcomes or not is_all)}
        failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
        noted = sorted(kept) + sorted(failed - kept)
        return MissingPictures(now, {name: min(self.since.get(name, now), now) for name in noted[:MAX_NOTED_PICTURES]})

    def is_overdue(self, picture_id: str, now: datetime) -> bool:
        since = self.since.get(picture_id)
        return since is not None and (now - since > TOLERABLE_ABSENCE or is_from_future(since, now))
