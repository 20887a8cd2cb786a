"""How long a snapshot counts as fresh: until then no view fetches."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from igfeed.models import FeedSnapshot
from igfeed.models.record import LONG_AGO, is_from_future

LONGEST_FETCH_CLAIM = timedelta(seconds=60)
SHORTEST_FETCH_CLAIM = timedelta(seconds=1)


@dataclass(frozen=True)
class Freshness:
    """``ttl`` is IGFEED_FEED_TTL, ``posts`` is how many posts this process shows (IGFEED_POSTS)."""

    ttl: timedelta
    posts: int

    @property
    def claim_ttl(self) -> timedelta:
        """How long a claim on a fetch lasts: not longer than a feed is fresh, as that would delay the next fetch."""
        return max(min(LONGEST_FETCH_CLAIM, self.ttl), SHORTEST_FETCH_CLAIM)

    def is_fresh(self, snapshot: FeedSnapshot, now: datetime) -> bool:
        """Whether the snapshot is younger than ``ttl``, or Instagram asked for no calls until later.

        A snapshot dated in the future counts as stale. Otherwise it would stay fresh until that date.
        """
        return now < self.until(snapshot) and not is_from_future(self._fetched_at(snapshot), now)

    def until(self, snapshot: FeedSnapshot) -> datetime:
        return max(self._fetched_at(snapshot) + self.ttl, snapshot.cooldown_until or snapshot.fetched_at)

    def _fetched_at(self, snapshot: FeedSnapshot) -> datetime:
        """When at least ``posts`` posts were last requested.

        Another process on the same store may request fewer posts. Its fetch must not count as ours: the older posts
        that only we show would never be updated.
        """
        if not snapshot.asked or snapshot.asked >= self.posts:
            return snapshot.fetched_at
        return snapshot.reached_at if snapshot.reached_at and snapshot.reach >= self.posts else LONG_AGO
