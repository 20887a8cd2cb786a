"""What this process knows of the stored feed, and how long it may use that without asking the store."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from igfeed.clock import Clock, Pause
from igfeed.errors import StoreError
from igfeed.feed.removal.mark import REMOVAL_KEY, RemovalMark
from igfeed.feed.rules.arrangement import arranged
from igfeed.models import Choices, FeedSnapshot, Picture
from igfeed.models.record import LONG_AGO, is_from_future
from igfeed.stores import Store
from igfeed.stores.document import Document

FEED_KEY = "feed:v1"

NO_TIME = timedelta()

MAX_FETCH_CLAIM = timedelta(seconds=60)
MIN_FETCH_CLAIM = timedelta(seconds=1)

MAX_SWAP_ATTEMPTS = 3
"""How often a snapshot is written by compare-and-swap. After that it is written in any case, because the compared text
may come from a replica that lags behind."""


class Freshness(Struct, frozen=True):
    """``ttl`` is IGFEED_FEED_TTL, ``posts`` is how many posts this process shows (IGFEED_POSTS)."""

    ttl: timedelta
    posts: int

    @property
    def claim_ttl(self) -> timedelta:
        """How long a claim on a fetch lasts: not longer than a feed is fresh, as that would delay the next fetch."""
        return max(min(MAX_FETCH_CLAIM, self.ttl), MIN_FETCH_CLAIM)

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
        if not snapshot.requested or snapshot.requested >= self.posts:
            return snapshot.fetched_at
        return (
            snapshot.most_requested_at
            if snapshot.most_requested_at and snapshot.most_requested >= self.posts
            else LONG_AGO
        )


class PageLifetime:
    """How long a page made of one snapshot may be reused.

    It ends after a fixed time, and earlier if this process learns of another snapshot.
    """

    # A plain class with slots: ``is_over`` is read by every view, and costs two comparisons.
    __slots__ = ("_local", "_pause", "_snapshot")

    def __init__(self, local: "LocalCopy", snapshot: FeedSnapshot | None, clock: Clock, length: timedelta) -> None:
        self._local = local
        self._snapshot = snapshot
        self._pause = Pause(clock, length)

    @property
    def is_over(self) -> bool:
        return self._local.snapshot is not self._snapshot or self._pause.is_over

    @property
    def left(self) -> timedelta:
        """Zero or negative once it is over."""
        return self._pause.left if self._local.snapshot is self._snapshot else NO_TIME


class CurrentFeed(Struct, frozen=True):
    """What a view shows now.

    ``is_due``: the view should have the feed refreshed after its answer. ``begin_lifetime()`` returns how long the page
    of this view may be reused. Call it before the page is rendered, because the lifetime begins at the call.
    """

    snapshot: FeedSnapshot | None
    is_due: bool
    # Not the lifetime itself: to make one takes twice as long as the rest, and only a page that is kept needs one.
    begin_lifetime: Callable[[], PageLifetime]


class LocalCopy:
    """The newest snapshot that this process knows. Views ask the store again at most once in ``check_ttl``."""

    keys = (FEED_KEY,)
    """The store's keys that a sync reads."""
    keys_without_feed = (REMOVAL_KEY,)
    """The keys that a sync reads too if the store has no feed."""

    snapshot: FeedSnapshot | None = None
    """It has posts that the owner's choices keep from visitors, and more than this process shows: see ``shown``."""
    has_stored_feed = False
    """Whether the store answered with a feed when it was last asked."""
    fetch_pause: Pause | None = None
    """Begins when this process tries to claim a fetch. A newer snapshot of another process ends it."""
    _shown: tuple[FeedSnapshot | None, FeedSnapshot | None] = (None, None)
    """A snapshot, and the snapshot that visitors see, which is made of it."""
    _sync_pause: Pause | None = None
    """Begins with each sync. While it lasts, no view asks the store."""

    def __init__(self, store: Store, clock: Clock, freshness: Freshness, check_ttl: timedelta) -> None:
        self._document = Document(store, FEED_KEY, FeedSnapshot.from_text)
        self._removal = RemovalMark(store)
        self._clock = clock
        self.freshness = freshness
        self._check_ttl = check_ttl

    @property
    def shown(self) -> FeedSnapshot | None:
        """The snapshot as visitors see it. It is the same object as long as nothing has changed."""
        return self.arranged(self.snapshot) if self.snapshot else None

    def arranged(self, snapshot: FeedSnapshot) -> FeedSnapshot:
        """The snapshot as visitors see it: as the owner wants it, with at most IGFEED_POSTS posts."""
        whole, shown = self._shown
        if whole is not snapshot or shown is None:
            shown = arranged(snapshot, self.freshness.posts)
            self._shown = snapshot, shown
        return shown

    def picture(self, picture_id: str) -> Picture | None:
        return self.snapshot.picture(picture_id) if self.snapshot else None

    def current(self) -> CurrentFeed:
        """What a view shows now. Does not ask the store."""
        snapshot, now = self.snapshot, self._clock()
        if snapshot is None:
            no_lifetime = partial(PageLifetime, self, None, self._clock, NO_TIME)
            return CurrentFeed(None, is_due=True, begin_lifetime=no_lifetime)
        is_due = not self.freshness.is_fresh(snapshot, now)
        begin_lifetime = partial(self._lifetime, snapshot, now, is_due=is_due)
        return CurrentFeed(self.arranged(snapshot), is_due, begin_lifetime)

    def _lifetime(self, snapshot: FeedSnapshot, asked_at: datetime, *, is_due: bool) -> PageLifetime:
        """Until the next fetch of this process, and not beyond the next sync: both may bring a newer snapshot."""
        until_sync = self._sync_pause.left if self._sync_pause else NO_TIME
        until_fetch = self._until_next_fetch() if is_due else self.freshness.until(snapshot) - asked_at
        return PageLifetime(self, snapshot, self._clock, min(until_sync, until_fetch))

    def _until_next_fetch(self) -> timedelta:
        """How long no view of this process would fetch: one has just tried to, or is about to after this answer."""
        left = self.fetch_pause.left if self.fetch_pause else NO_TIME
        return left if left > NO_TIME else self.freshness.claim_ttl

    @property
    def is_sync_due(self) -> bool:
        return self._sync_pause is None or self._sync_pause.is_over

    def sync(self) -> None:
        """Ask the store: take its snapshot if that is newer, write ours if ours is newer. Never raises."""
        # The pause begins before the store is asked. While one view finds out that the store hangs, the other views
        # use what we have.
        self._sync_pause = Pause(self._clock, self._check_ttl)
        try:
            stored = self._document.read_if_changed()
        except StoreError:
            self.has_stored_feed = False
            if self.snapshot is None:
                self._sync_pause = None  # The next view asks again. While the store is down, that fails at once.
            return
        self.has_stored_feed = stored is not None
        if stored is None:
            removal, ours = self._removal.load(), self.snapshot
            self.snapshot = None if removal and ours and removal.covers(ours) else ours
        self._settle(stored, self.snapshot)

    def _settle(self, stored: FeedSnapshot | None, ours: FeedSnapshot | None) -> None:
        """Take the stored snapshot if it is newer than ours, else write ours. The later choices are taken over."""
        now = self._clock()
        is_written = stored is not None and (ours is None or not ours.is_newer_than(stored, now))
        if stored and (ours is None or stored.is_newer_than(ours, now)):
            self.snapshot, self.fetch_pause = _with_revision(stored, ours), None
        if stored and ours and self.snapshot:
            before, self.snapshot = self.snapshot, _with_later_choices(self.snapshot, stored, ours)
            is_written = is_written and self.snapshot is before
        if self.snapshot and not is_written:
            with suppress(StoreError):
                self.snapshot = self._write(self.snapshot)

    def newest(self) -> FeedSnapshot | None:
        """The newest snapshot as visitors see it, be it here or in the store. Always asks the store.

        It does not change what is shown. Raises StoreError if the store did not answer; ``shown`` is what there is
        then.
        """
        newest = self.newest_whole()
        return self.arranged(newest) if newest else None

    def newest_whole(self) -> FeedSnapshot | None:
        """Like ``newest``, with the posts that visitors do not see."""
        ours, stored = self.snapshot, self._document.read_if_changed()
        if stored and ours is None:
            self._sync_pause = None  # The next view then shows what the owner sees now.
        return stored if ours is None or (stored and stored.is_newer_than(ours, self._clock())) else ours

    def choose(self, choices: Choices) -> None:
        """Show the feed by the owner's new choices from now on. Raises StoreError if that could not be written."""
        self.sync()
        snapshot = self.snapshot
        if snapshot and snapshot.choices.revision < choices.revision:
            self.save(replace(snapshot, choices=choices, revision=snapshot.revision + 1))

    def save(self, snapshot: FeedSnapshot) -> FeedSnapshot:
        """Write the snapshot to the store, and show it from now on. Returns it as it was written.

        Raises StoreError if it could not be written; it is shown all the same.
        """
        try:
            # Before a page shows it: another process may be asked for its pictures, and must find them in the store.
            snapshot = self._write(snapshot)
        finally:
            self._sync_pause = Pause(self._clock, self._check_ttl)
            # Another thread may have written a newer one meanwhile.
            if self.snapshot is None or self.snapshot.revision <= snapshot.revision:
                self.snapshot = snapshot
        return snapshot

    def is_removed(self) -> bool:
        """Whether there is no feed because it was removed on request."""
        return self.snapshot is None and self._removal.last is not None

    def remove(self) -> None:
        """Delete the feed, here and in the store. Other processes follow with their next sync. Raises StoreError."""
        newest = self.newest_whole()
        self._removal.set(self._clock(), newest)
        self._document.delete()
        self.snapshot, self.has_stored_feed = None, False

    def _write(self, snapshot: FeedSnapshot) -> FeedSnapshot:
        """Write the snapshot. If another one was written meanwhile, write the two combined. Returns what was written.

        A fetch and a choice of the owner can end at the same time, so each may find the other's snapshot there.
        """
        for _ in range(MAX_SWAP_ATTEMPTS):
            # Text and value are read in one step, because other threads of this process read and write too.
            known = self._document.last
            snapshot = _following(snapshot, known.value)
            if self._document.write_after(known, snapshot):
                break
            if self._document.read().value is None and (removal := self._removal.load()) and removal.covers(snapshot):
                return snapshot  # Its fetch had begun before the feed was removed.
        else:
            snapshot = _following(snapshot, self._document.last.value)
            self._document.write(snapshot)
        self.has_stored_feed = True
        return snapshot


def _following(ours: FeedSnapshot, known: FeedSnapshot | None) -> FeedSnapshot:
    """Our snapshot, if it was made from the known one. Else the later posts with the later choices, newer than both."""
    if known is None or (known.revision < ours.revision and known.choices.revision <= ours.choices.revision):
        return ours
    reading = ours if ours.fetched_at > known.fetched_at else known
    revision = max(ours.revision, known.revision) + 1
    return replace(_with_later_choices(reading, ours, known), revision=revision)


def _with_later_choices(newest: FeedSnapshot, *others: FeedSnapshot) -> FeedSnapshot:
    """The snapshot, or a newer one with the choices of another snapshot if those are later."""
    choices = max((each.choices for each in others), key=lambda each: each.revision)
    if choices.revision <= newest.choices.revision:
        return newest
    return replace(newest, choices=choices, revision=newest.revision + 1)


def _with_revision(stored: FeedSnapshot, ours: FeedSnapshot | None) -> FeedSnapshot:
    """An earlier version of igfeed writes snapshots without a revision: those get ours.

    Otherwise our next fetch would count from 0, and look older than the snapshots that other processes have.
    """
    return stored if stored.revision or ours is None else replace(stored, revision=ours.revision)
