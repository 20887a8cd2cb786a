"""Fetches the feed from Instagram and stores the new snapshot: one process at a time, by a claim in the store."""

import logging
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Lock

from igfeed.clock import Beginning, Clock, Pause
from igfeed.errors import IgfeedError, StoreError
from igfeed.feed.fetch_failures import FetchFailures
from igfeed.feed.local_copy import LocalCopy
from igfeed.feed.next_snapshot import next_snapshot
from igfeed.feed.pictures import Pictures
from igfeed.feed.rules.arrangement import is_shown_by
from igfeed.feed.rules.owners_choices import OwnersChoices
from igfeed.history import History
from igfeed.instagram import Instagram
from igfeed.instagram.reading import IsShown
from igfeed.models import FeedSnapshot, Media, Profile
from igfeed.stores import Store
from igfeed.threads import ThreadPool
from igfeed.tokens.manager import TokenManager

log = logging.getLogger(__name__)

FETCH_CLAIM_KEY = "claim:feed"


class Fetcher:
    """Threads may share it: only one of them refreshes at a time."""

    def __init__(
        self,
        instagram: Instagram,
        tokens: TokenManager,
        pictures: Pictures,
        store: Store,
        clock: Clock,
        *,
        local: LocalCopy,
        failures: FetchFailures,
        choices: OwnersChoices,
        history: History,
    ) -> None:
        self._instagram = instagram
        self._tokens = tokens
        self._files = pictures.files
        self._store = store
        self._clock = clock
        self._local = local
        self._failures = failures
        self._freshness = local.freshness
        self._choices = choices
        self._history = history
        self._refreshing = Lock()
        self.keys = (*local.keys, *failures.keys, *choices.keys, *tokens.use_keys, *history.keys)
        """The store's keys that a fetch reads, for one command that reads them all."""

    def refresh(self, *, is_awaited: bool = False) -> None:
        """Fetch for a view, unless somebody else is fetching, or has just done so, or the pause after a failure lasts.

        ``is_awaited``: a visitor waits for it, so the token is not renewed on this occasion. Never raises: what went
        wrong is in the log and in the status.
        """
        if not self._refreshing.acquire(blocking=False):
            return
        try:
            if self._claim():
                with self._store.read_ahead(*self.keys):
                    if self._is_needed():
                        self._fetch(is_awaited=is_awaited)
        except IgfeedError as error:
            log.warning("The feed could not be fetched: %s", error)
        finally:
            self._refreshing.release()

    def fetch(self) -> FeedSnapshot:
        """Fetch now, whatever pause lasts, and return the new snapshot as visitors see it.

        Raises the IgfeedError that made it fail; the old snapshot stays then.
        """
        with self._store.read_ahead(*self.keys):
            self._local.sync()
            self._failures.load()
            return self._local.arranged(self._fetch())

    def fill(self) -> None:
        """After a choice: fetch if visitors see fewer than IGFEED_POSTS posts and Instagram may have more.

        Many choices in a row cause one fetch. It keeps to the pauses, and never raises, like ``refresh``.
        """
        try:
            if self._is_short() and self._store.claim(FETCH_CLAIM_KEY, self._freshness.claim_ttl):
                with self._store.read_ahead(*self.keys):
                    self._local.sync()
                    self._failures.load_with_token()
                    if not self._failures.is_backing_off():
                        self._fetch()
        except IgfeedError as error:
            log.warning("The feed could not be filled up: %s", error)

    def _is_short(self) -> bool:
        shown = self._local.shown
        if shown is None or len(shown.posts) >= self._freshness.posts or shown.is_at_end:
            return False
        return shown.cooldown_until is None or self._clock() >= shown.cooldown_until

    def save_measures(self) -> None:
        """Add the measures of the pictures that were kept since the last fetch to the newest snapshot, and store it."""
        self._local.sync()
        plain = self._local.snapshot
        measured = plain.with_measures(self._files.measures) if plain else None
        if plain is None or measured is None or measured == plain:
            return
        with suppress(StoreError):  # The next sync of this process writes it.
            self._local.save(replace(measured, revision=plain.revision + 1))

    def _claim(self) -> bool:
        """True for one of many processes. This process asks the store for the claim at most once in its time."""
        if self._local.fetch_pause and not self._local.fetch_pause.is_over:
            return False
        self._local.fetch_pause = Pause(self._clock, self._freshness.claim_ttl)
        return self._store.claim(FETCH_CLAIM_KEY, self._freshness.claim_ttl)

    def _is_needed(self) -> bool:
        """False if another process has fetched or failed since this one last asked the store."""
        self._local.sync()
        if self._local.snapshot and self._freshness.is_fresh(self._local.snapshot, self._clock()):
            return False
        self._failures.load_with_token()
        return not self._failures.is_backing_off()

    def _fetch(self, *, is_awaited: bool = False) -> FeedSnapshot:
        with self._history.recording("fetch", "fetched"):
            return self._fetch_and_keep(is_awaited=is_awaited)

    def _fetch_and_keep(self, *, is_awaited: bool) -> FeedSnapshot:
        began, choices = Beginning(self._clock), self._choices.load()
        ask, wanted = partial(self._ask, is_shown_by(choices)), self._freshness.posts
        try:
            profile, media = self._tokens.use(ask, is_awaited=is_awaited)
            snapshot = next_snapshot(self._local.snapshot, profile, media, wanted, began.moment, choices=choices)
        except IgfeedError as error:
            self._failures.record(error)
            raise
        return self._keep(snapshot.with_measures(self._files.measures))

    def _ask(self, is_shown: IsShown, token: str) -> tuple[Profile, Media]:
        """Two calls at the same time, because each takes half a second or more."""
        with ThreadPool(1, thread_name_prefix="igfeed-media") as thread:
            media = thread.submit(self._instagram.media, token, self._freshness.posts, is_shown)
            return self._instagram.profile(token), media.result()

    def _keep(self, snapshot: FeedSnapshot) -> FeedSnapshot:
        """Store the snapshot, delete the pictures that no page shows any more, and end the pause after a failure.

        Returns it as it was stored: with the owner's choices as they are now.
        """
        old = self._local.snapshot
        try:
            snapshot = self._local.save(snapshot)
        except StoreError as error:
            log.warning("The new feed is in this process only until the store is back: %s", error)
        in_use = snapshot.picture_ids.union(each.id for each in snapshot.retired_pictures)
        # Those of the fetch before are deleted once more: the first time may have failed.
        earlier = set(old.removed_picture_ids) - in_use if old else set()
        with suppress(StoreError):
            self._files.delete(earlier.union(snapshot.removed_picture_ids))
        self._failures.clear()
        return snapshot
