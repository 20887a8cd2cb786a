"""The feed for views, the cron and the owner: fresh if possible, old if necessary, never empty again."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Lock

from igfeed.clock import Clock, Deadline, Pause, Sleep
from igfeed.errors import PictureUnavailable
from igfeed.feed.fetch_failures import FetchFailures
from igfeed.feed.fetcher import Fetcher
from igfeed.feed.first_fetch import FirstFetch
from igfeed.feed.local_copy import CurrentFeed, Freshness, LocalCopy
from igfeed.feed.mirror import Mirror, MirrorReport
from igfeed.feed.pictures import Pictures
from igfeed.feed.rules.arrangement import ListedPost, listed
from igfeed.feed.rules.owners_choices import Change, OwnersChoices
from igfeed.history import History
from igfeed.instagram import Instagram
from igfeed.models import Choices, Failure, FeedSnapshot, Picture
from igfeed.stores import Store
from igfeed.tokens.manager import TokenManager

OLD_FEED_AGE = timedelta(days=1)
"""From this age on the page says how old the feed is."""

MIN_UNKNOWN_PICTURE_PAUSE = timedelta(seconds=1)
"""The shortest time between two syncs for unknown pictures, even if IGFEED_CHECK_TTL is shorter."""


class FeedService:
    """``posts``, ``ttl`` and ``check_ttl`` are IGFEED_POSTS, IGFEED_FEED_TTL and IGFEED_CHECK_TTL."""

    _unknown_picture_pause: Pause | None = None

    def __init__(
        self,
        instagram: Instagram,
        tokens: TokenManager,
        pictures: Pictures,
        store: Store,
        clock: Clock,
        *,
        posts: int,
        ttl: timedelta,
        check_ttl: timedelta,
        history: History,
        sleep: Sleep,
    ) -> None:
        self._clock = clock
        self._unknown_picture_ttl = max(check_ttl, MIN_UNKNOWN_PICTURE_PAUSE)
        self._syncing_for_unknown = Lock()
        self._files = pictures.files
        self._freshness = Freshness(ttl, posts)
        self._local = local = LocalCopy(store, clock, self._freshness, check_ttl)
        self._failures = failures = FetchFailures(store, local, tokens, clock)
        self._choices = choices = OwnersChoices(store, local)
        self._fetcher = Fetcher(
            instagram, tokens, pictures, store, clock, local=local, failures=failures, choices=choices, history=history
        )
        self._first = FirstFetch(self._fetcher, local, failures, store, clock, check_ttl=check_ttl, sleep=sleep)
        self._mirror = Mirror(pictures, store, clock)
        self._choice_listeners: list[Callable[[], None]] = []
        self.report_keys = (*local.keys, *failures.keys, *Mirror.keys)
        """The keys that ``newest``, ``failure`` and ``overdue_pictures`` read, for one command that reads them all."""

    def current(self) -> CurrentFeed:
        """What a view shows now. Asks the store at most once.

        Without any snapshot ``snapshot`` is None and ``is_due`` True. A store that is down shows only in the log and
        in the status.
        """
        self._sync()
        return self._local.current()

    def first(self) -> FeedSnapshot:
        """For a view that found no snapshot: fetch it, or wait a few seconds while another fetches it.

        Raises FeedUnavailable.
        """
        return self._first.get()

    def picture(self, picture_id: str) -> Picture | None:
        """One of the feed's pictures. None if the store did not know that id when it was last asked.

        Another process may already show posts that this one has not seen, so an unknown id makes a sync. That happens
        at most once in IGFEED_CHECK_TTL, because somebody may guess ids. Raises PictureUnavailable if the store did
        not answer or has no feed: then it is not known whether the picture exists.
        """
        if self._local.is_sync_due:
            self._unknown_picture_pause = Pause(self._clock, self._unknown_picture_ttl)  # This sync counts for both.
            self._sync()
        elif self._local.picture(picture_id) is None:
            self._sync_for_unknown()
        picture = self._local.picture(picture_id)
        if picture is None and not self._local.has_stored_feed:
            raise PictureUnavailable("Whether the feed has this picture is not known yet.")
        return picture

    def refresh(self) -> None:
        """Fetch after a view that found the feed due, unless another one fetches or a failure's pause lasts.

        Never raises: what went wrong is in the log and in the status.
        """
        self._fetcher.refresh()

    def fetch(self) -> FeedSnapshot:
        """Fetch now, for the cron and the owner, whatever pause lasts.

        Raises the IgfeedError that made it fail; the old snapshot stays then.
        """
        return self._fetcher.fetch()

    def mirror(self, pictures: Iterable[Picture], deadline: Deadline) -> MirrorReport:
        """Keep these pictures, until the deadline, and add their measures to the newest snapshot.

        ``pictures`` are all of the feed's. Those without an address are skipped.
        """
        report = self._mirror.copy_all(pictures, deadline)
        self._fetcher.save_measures()
        return report

    def catch_up_pictures(self) -> None:
        """After an answer: make the pictures that views could not wait for, and note those that failed."""
        self._mirror.catch_up()

    def overdue_pictures(self, pictures: Iterable[Picture], now: datetime) -> list[str]:
        """The ids of the pictures that could not be had for more than an hour, as far as is known. Asks the store."""
        return self._mirror.overdue(pictures, now)

    @property
    def cached(self) -> FeedSnapshot | None:
        """The newest snapshot that this process knows. Does not ask the store.

        It is the same object as long as nothing has changed.
        """
        return self._local.shown

    @property
    def whole(self) -> FeedSnapshot | None:
        """Like ``cached``, with the posts that visitors do not see."""
        return self._local.snapshot

    def newest(self) -> FeedSnapshot | None:
        """The newest snapshot, be it here or in the store. Always asks the store, and does not change what is shown.

        Raises StoreError if the store did not answer; ``cached`` is what there is then.
        """
        return self._local.newest()

    def listed(self) -> list[ListedPost]:
        """All kept posts for the owner, newest first, with the reasons why visitors do not see some. Asks the store.

        Raises StoreError. Empty without a snapshot.
        """
        newest = self._local.newest_whole()
        return listed(newest, self._freshness.posts) if newest else []

    def choose(self, change: Change) -> Choices:
        """Change the owner's choices. This process shows the feed by them at once, others after IGFEED_CHECK_TTL.

        Call ``fill`` afterwards, after the answer if there is one. Raises StoreError, and what ``change`` raises.
        """
        choices = self._choices.change(change)
        for listener in self._choice_listeners:
            listener()
        return choices

    def on_choice(self, listener: Callable[[], None]) -> None:
        """Call the listener after each change of the choices, in the same thread. It must not raise."""
        self._choice_listeners.append(listener)

    def fill(self) -> None:
        """Fetch if a choice has made the feed shorter than IGFEED_POSTS and Instagram may have more. Never raises."""
        self._fetcher.fill()

    @property
    def choices(self) -> Choices:
        """The owner's choices, from the store if it answers. Never raises."""
        return self._choices.load()

    def is_removed(self) -> bool:
        """Whether there was no feed, when the store was last asked, because it was removed on request."""
        return self._local.is_removed()

    def remove(self) -> None:
        """Delete the posts, their pictures and the owner's choices, on request.

        Other processes show the posts for IGFEED_CHECK_TTL more. Raises StoreError; then it can be repeated.
        """
        # The pictures first, because only the snapshot has their names.
        if newest := self._local.newest_whole():
            gone = (*newest.removed_picture_ids, *(each.id for each in newest.retired_pictures))
            self._files.delete(newest.picture_ids.union(gone))
        self._local.remove()
        self._choices.remove()

    def failure(self) -> Failure | None:
        """The last failed fetch. None if one has succeeded since. Asks the store."""
        return self._failures.load()

    def is_fresh(self, snapshot: FeedSnapshot, now: datetime) -> bool:
        """Whether no view would fetch."""
        return self._freshness.is_fresh(snapshot, now)

    def old_since(self, snapshot: FeedSnapshot) -> datetime | None:
        """When the snapshot was fetched, if it is so old that visitors should know. None if it is newer or undated."""
        return snapshot.fetched_at if self._clock() - snapshot.fetched_at > OLD_FEED_AGE else None

    def _sync(self) -> None:
        if self._local.snapshot is None:
            self._first.sync()
        elif self._local.is_sync_due:
            self._local.sync()

    def _sync_for_unknown(self) -> None:
        """Ask the store even if that was done a moment ago: the picture may be newer than that."""
        with self._syncing_for_unknown:  # A browser asks for several pictures at once: they all wait for one sync.
            if self._unknown_picture_pause is None or self._unknown_picture_pause.is_over:
                self._unknown_picture_pause = Pause(self._clock, self._unknown_picture_ttl)
                self._local.sync()
