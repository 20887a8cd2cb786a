"""The feed to show: fresh if possible, old if necessary, never empty again."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock, Semaphore

from igfeed.clock import Beginning, Clock, Pause, Sleep
from igfeed.errors import (
    FeedUnavailable,
    IgfeedError,
    PermissionRefused,
    PictureUnavailable,
    RateLimited,
    StoreError,
    TokenError,
    TokenRejected,
)
from igfeed.feed.next_snapshot import LONGEST_COOLDOWN, successor
from igfeed.feed.pictures import Pictures
from igfeed.instagram import Instagram
from igfeed.models import Failure, FeedSnapshot, Media, Picture, Profile
from igfeed.models.record import LONG_AGO, UNREADABLE, is_from_future
from igfeed.stores import Store
from igfeed.stores.document import Document
from igfeed.tokens.manager import TokenManager

log = logging.getLogger(__name__)

KEY = "feed:v1"
FAILURE_KEY = "feed-trouble:v1"
CLAIM_KEY = "claim:feed"

LONGEST_CLAIM = timedelta(seconds=60)
SHORTEST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
PAUSE_AT_LIMIT = timedelta(minutes=15)

WAIT_FOR_WINNER = 5.0
"""Seconds that a visitor waits for another process's first fetch."""

MOST_WAITING = 2
"""Threads of a process that may wait for the first fetch: the one that fetches and one more. A server has eight."""

LOOKS_FOR_WINNER = (0.2, 0.4, 0.8, 1.6, 2.0)
"""Seconds before each look into the store while waiting. There are few looks, as the owner pays for each command."""

OLD = timedelta(days=1)

SHORTEST_SEARCH = timedelta(seconds=1)
"""The shortest time between two searches for unknown pictures, even if IGFEED_CHECK_TTL is shorter."""

NONE = timedelta()


class PageLifetime:
    """How long a page that was made of a snapshot may be reused.

    It ends after the given time, or as soon as this process knows another snapshot.
    """

    __slots__ = ("_feed", "_pause", "_snapshot")

    def __init__(self, feed: "FeedService", snapshot: FeedSnapshot | None, pause: Pause) -> None:
        self._feed = feed
        self._snapshot = snapshot
        self._pause = pause

    @property
    def is_over(self) -> bool:
        return self._feed.whole is not self._snapshot or self._pause.is_over

    @property
    def left(self) -> timedelta:
        """Not positive once it is over."""
        return self._pause.left if self._feed.whole is self._snapshot else NONE


@dataclass(frozen=True)
class CurrentFeed:
    """What a view shows now.

    ``is_due``: the view should have the feed refreshed after its answer. ``lifetime``: how long the page of this view
    may be reused; it starts now, so the time that rendering takes counts.
    """

    snapshot: FeedSnapshot | None
    is_due: bool
    lifetime: PageLifetime


class FeedService:
    """Keeps the last snapshot in memory and asks the store again at most every ``check_ttl``."""

    report_keys = (KEY, FAILURE_KEY)
    """The keys that ``peek`` and ``failure`` read, for who reads them ahead."""

    whole: FeedSnapshot | None = None
    """The newest snapshot that this process knows. It may have more posts than are shown."""
    _document: tuple[str | None, FeedSnapshot | None] = (None, None)
    """The store's text as it was last seen, and what it says."""
    _shown: tuple[FeedSnapshot | None, FeedSnapshot | None] = (None, None)
    """A snapshot with more posts than this process shows, and its copy that is cut to IGFEED_POSTS."""
    _look_pause: Pause | None = None
    """Begins with each look into the store. While it lasts, our own copy is used."""
    _search_pause: Pause | None = None
    _wait_pause: Pause | None = None
    _fetch_pause: Pause | None = None
    _has_answer = False
    """Whether the store had a feed when it was last asked."""
    _seen_token = ""
    """The fingerprint of the token that we would use, as it was when we last asked."""

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
        sleep: Sleep,
    ) -> None:
        self._instagram = instagram
        self._tokens = tokens
        self._pictures = pictures
        self._store = store
        self._clock = clock
        self._posts = posts
        self._ttl = ttl
        self._claim_ttl = max(min(LONGEST_CLAIM, ttl), timedelta(seconds=1))
        self._check_ttl = check_ttl
        self._search_ttl = max(check_ttl, SHORTEST_SEARCH)
        self._sleep = sleep
        self._failure = Document(store, FAILURE_KEY, Failure.from_text)
        self._refreshing = Lock()
        self._places = Semaphore(MOST_WAITING)
        self._waiting = Lock()
        self._searching = Lock()
        self._looking_for_first = Lock()

    def current(self) -> CurrentFeed:
        """What to show now. Asks the store at most once.

        Without any snapshot ``snapshot`` is None and ``is_due`` True. A store that is down shows only in the log and
        in the status.
        """
        self._look()
        whole, now = self.whole, self._clock()
        if whole is None:
            return CurrentFeed(None, is_due=True, lifetime=self._lifetime(None, NONE))
        is_due = not self.is_fresh(whole, now)
        length = self._until_next_fetch() if is_due else self._fresh_until(whole) - now
        return CurrentFeed(self._cut(whole), is_due, self._lifetime(whole, length))

    def _until_next_fetch(self) -> timedelta:
        """How long no view would fetch, as one has just tried, or is about to."""
        untried = self._fetch_pause.left if self._fetch_pause else NONE
        return untried if untried > NONE else self._claim_ttl

    def _lifetime(self, whole: FeedSnapshot | None, length: timedelta) -> PageLifetime:
        """So long, but not beyond the next look into the store, which may bring a newer snapshot."""
        until_look = self._look_pause.left if self._look_pause else NONE
        return PageLifetime(self, whole, Pause(self._clock, min(until_look, length)))

    def is_fresh(self, snapshot: FeedSnapshot, now: datetime) -> bool:
        """Younger than the time to live, or kept longer because Instagram asked for a rest.

        A snapshot dated in the future counts as stale. Otherwise it would stay fresh until that date.
        """
        return now < self._fresh_until(snapshot) and not is_from_future(self._read_at(snapshot), now)

    def _fresh_until(self, snapshot: FeedSnapshot) -> datetime:
        return max(self._read_at(snapshot) + self._ttl, snapshot.cooldown_until or snapshot.fetched_at)

    def _read_at(self, snapshot: FeedSnapshot) -> datetime:
        """When at least as many posts as this process keeps were last asked for. Another process may keep fewer."""
        if not snapshot.asked or snapshot.asked >= self._posts:
            return snapshot.fetched_at
        return snapshot.reached_at if snapshot.reached_at and snapshot.reach >= self._posts else LONG_AGO

    def old_since(self, snapshot: FeedSnapshot) -> datetime | None:
        """When it was fetched, if that is so long ago that a visitor should know; None too when nobody knows when."""
        return snapshot.fetched_at if self._clock() - snapshot.fetched_at > OLD else None

    def picture(self, picture_id: str) -> Picture | None:
        """One of the feed's pictures. None if the store did not know that name when it was last asked.

        Another process may already show posts that we have not seen. So an unknown name is looked for in the store, but
        at most once in IGFEED_CHECK_TTL, because somebody may guess names. Raises PictureUnavailable if the store did
        not answer or has no feed: then it is not known whether the picture exists.
        """
        if self._is_look_due:
            self._search_pause = Pause(self._clock, self._search_ttl)  # One look does for both.
            self._look()
        elif self._known(picture_id) is None:
            self._search()
        known = self._known(picture_id)
        if known is None and not self._has_answer:
            raise PictureUnavailable("Whether the feed has this picture is not known yet.")
        return known

    def first(self) -> FeedSnapshot:
        """The first snapshot: fetch it, or wait a few seconds for whoever is fetching it.

        Only ``MOST_WAITING`` threads wait. More would block the whole server while Instagram is silent.
        Raises FeedUnavailable.
        """
        if not self._places.acquire(blocking=False):
            raise _under_way()
        try:
            return self._first()
        finally:
            self._places.release()

    def refresh(self, *, is_awaited: bool = False) -> None:
        """Fetch after a visitor's view, unless another one is fetching or the pause after a failure lasts.

        ``is_awaited``: the visitor waits for it, so the token is not renewed on this occasion. Never raises: what went
        wrong is in the log and in the status.
        """
        if not self._refreshing.acquire(blocking=False):
            return
        try:
            if self._is_our_turn():
                with self._store.read_ahead(*self.report_keys, *self._tokens.use_keys):
                    if self._is_wanted():
                        self._fetch(is_awaited=is_awaited)
        except IgfeedError as error:
            log.warning("The feed could not be fetched: %s", error)
        finally:
            self._refreshing.release()

    def fetch(self) -> FeedSnapshot:
        """Fetch now, whatever pause there is.

        Raises the IgfeedError that stood in the way; the old snapshot stays then.
        """
        with self._store.read_ahead(*self.report_keys, *self._tokens.use_keys):
            self._look_again()
            self._failure.load()
            return self._cut(self._fetch())

    def paint(self) -> None:
        """Put the colours of the pictures that were kept meanwhile into the newest snapshot, here and in the store."""
        self._look_again()
        plain = self.whole
        painted = plain.with_colours(self._pictures.colour) if plain else None
        if plain is None or painted is None or painted == plain:
            return
        self.whole = replace(painted, revision=plain.revision + 1)  # So others replace the plain one by it.
        with suppress(StoreError):  # The next look of this process writes it.
            self._write(self.whole)

    def peek(self) -> FeedSnapshot | None:
        """The newest snapshot there is, here or in the store; changes nothing.

        Raises StoreError when the store could not be asked; ``cached`` is what there is then.
        """
        ours, stored = self.whole, self._stored()
        if stored and ours is None:
            self._look_pause = None  # The next view shows what the owner is told now.
        newest = stored if ours is None or (stored and stored.is_newer_than(ours, self._clock())) else ours
        return self._cut(newest) if newest else None

    @property
    def cached(self) -> FeedSnapshot | None:
        """The same object as long as nothing has changed."""
        return self._cut(self.whole) if self.whole else None

    def _cut(self, whole: FeedSnapshot) -> FeedSnapshot:
        """What this process shows of it: another one on the same store may keep more posts."""
        if len(whole.posts) <= self._posts:
            return whole
        known, shown = self._shown
        if known is not whole or shown is None:
            shown = replace(whole, posts=whole.posts[: self._posts])
            self._shown = whole, shown
        return shown

    # Until the owner's rooms call ``cached`` by its name.

    @property
    def at_hand(self) -> FeedSnapshot | None:
        return self.cached

    def failure(self) -> Failure | None:
        """What went wrong the last time, None when it went well."""
        self._failure.load()
        return self._last_failure()

    # Looking

    def _look(self) -> None:
        """Look into the store unless we have done so lately."""
        if self.whole:
            if self._is_look_due:
                self._look_again()
            return
        with self._looking_for_first:  # All wait for one look: there is nothing to show.
            if self._is_look_due:
                self._look_for_first()

    @property
    def _is_look_due(self) -> bool:
        return self._look_pause is None or self._look_pause.is_over

    def _look_again(self) -> None:
        """Take the store's snapshot if it is newer than ours. Write ours to the store if ours is newer."""
        # Before asking: while one visitor finds the store dead, the others take what we have.
        self._look_pause = Pause(self._clock, self._check_ttl)
        try:
            stored = self._stored()
        except StoreError:
            self._has_answer = False
            if self.whole is None:
                self._look_pause = None  # It does not count as a look. While the store is down, looks fail at once.
            return
        self._has_answer, ours = stored is not None, self.whole
        now = self._clock()
        if stored and (ours is None or stored.is_newer_than(ours, now)):
            self.whole, self._fetch_pause = _counted_on(stored, ours), None
        elif ours and (stored is None or ours.is_newer_than(stored, now)):
            with suppress(StoreError):
                self._write(ours)

    def _look_for_first(self) -> None:
        """Like ``_look_again`` while there is no snapshot. One command also reads whether a view may fetch."""
        with self._store.read_ahead(*self.report_keys, *self._tokens.use_keys):
            self._look_again()
            if self.whole is None:
                self._recall()

    def _recall(self) -> None:
        if self._failure.load():
            self._seen_token = self._tokens.fingerprint()

    def _search(self) -> None:
        """Look for what we do not know, however lately we looked for anything else: it may be newer than that."""
        with self._searching:  # A browser asks for several at once: they all wait for the one look.
            if self._search_pause is None or self._search_pause.is_over:
                self._search_pause = Pause(self._clock, self._search_ttl)
                self._look_again()

    def _known(self, picture_id: str) -> Picture | None:
        return self.whole.picture(picture_id) if self.whole else None

    def _stored(self) -> FeedSnapshot | None:
        known, snapshot = self._document
        text = self._store.get_if_changed(KEY, known)
        if text != known:
            snapshot = _parsed(text)
            self._document = text, snapshot
        return snapshot

    def _first(self) -> FeedSnapshot:
        if self._waiting.acquire(timeout=WAIT_FOR_WINNER):
            try:
                self._fetch_or_wait()
            finally:
                self._waiting.release()
        if self.whole is None:
            raise self._unavailable()
        return self._cut(self.whole)

    def _fetch_or_wait(self) -> None:
        self._look()
        if self.whole is None and not self._is_paused():
            self.refresh(is_awaited=True)
        if self._wait_pause is None or self._wait_pause.is_over:
            self._wait_for_winner()

    def _wait_for_winner(self) -> None:
        for seconds in LOOKS_FOR_WINNER:
            if self.whole or self._is_paused():
                return
            self._wait_pause = Pause(self._clock, self._check_ttl)
            self._sleep(seconds)
            self._look_for_first()

    def _is_paused(self) -> bool:
        """Whether a failure's pause holds views back, as far as we know without asking."""
        failure = self._last_failure()
        return failure is not None and failure.is_backing_off(self._seen_token, self._clock())

    def _last_failure(self) -> Failure | None:
        """As ``failure``, as far as we know without asking."""
        failure, snapshot = self._failure.cached, self.whole
        if failure is None or snapshot is None or is_from_future(snapshot.fetched_at, self._clock()):
            return failure
        return None if failure.at < snapshot.fetched_at else failure

    def _unavailable(self) -> FeedUnavailable:
        failure = self._last_failure()
        if failure is None:
            return _under_way()
        left = failure.until - max(self._clock(), failure.at)
        return FeedUnavailable(failure.message, failure.hint, max(left, timedelta(seconds=1)))

    # Fetching

    def _is_our_turn(self) -> bool:
        """By this process's memory and by the claim."""
        if self._fetch_pause and not self._fetch_pause.is_over:
            return False
        self._fetch_pause = Pause(self._clock, self._claim_ttl)
        return self._store.claim(CLAIM_KEY, self._claim_ttl)

    def _is_wanted(self) -> bool:
        """By what others have done meanwhile."""
        self._look_again()
        if self.whole and self.is_fresh(self.whole, self._clock()):
            return False
        self._recall()
        return not self._is_paused()

    def _fetch(self, *, is_awaited: bool = False) -> FeedSnapshot:
        asked = Beginning(self._clock)
        try:
            profile, media = self._tokens.use(self._ask, is_awaited=is_awaited)
            snapshot = successor(self.whole, profile, media, self._posts, asked.moment)
        except IgfeedError as error:
            self._remember(error)
            raise
        snapshot = snapshot.with_colours(self._pictures.colour)
        self._keep(snapshot)
        return snapshot

    def _ask(self, token: str) -> tuple[Profile, Media]:
        """Both at once, as each takes half a second and more."""
        with ThreadPoolExecutor(1, thread_name_prefix="igfeed-media") as thread:
            media = thread.submit(self._instagram.media, token, self._posts)
            return self._instagram.profile(token), media.result()

    def _keep(self, snapshot: FeedSnapshot) -> None:
        old = self.whole
        try:
            self._write(snapshot)  # Before a page shows it: its pictures may be asked of another process.
        except StoreError as error:
            log.warning("The new feed is in this process only until the store is back: %s", error)
        self.whole, self._look_pause = snapshot, Pause(self._clock, self._check_ttl)
        staying = snapshot.picture_ids.union(each.id for each in snapshot.leaving)
        earlier = set(old.removed_picture_ids) - staying if old else set()
        with suppress(StoreError):  # The next fetch deletes them once more.
            self._pictures.forget(earlier.union(snapshot.removed_picture_ids))
        if self._failure.cached:
            self._failure.delete()

    def _write(self, snapshot: FeedSnapshot) -> None:
        text = snapshot.to_text()
        self._store.set(KEY, text)
        self._document, self._has_answer = (text, snapshot), True

    def _remember(self, error: IgfeedError) -> None:
        now = self._clock()
        earlier, kept = self._last_failure(), self.whole  # Recalled just before the fetch.
        self._seen_token = self._tokens.fingerprint()
        failures = earlier.failures + 1 if earlier else 1
        failure = Failure(
            kind=type(error).__name__,
            message=str(error),
            hint=error.hint,
            at=now if kept is None or is_from_future(kept.fetched_at, now) else max(now, kept.fetched_at),
            until=now + pause_after(error, failures),
            token=(error.token if isinstance(error, TokenRejected) else None) or self._seen_token,
            failures=failures,
        )
        self._failure.save(failure)


def _under_way() -> FeedUnavailable:
    return FeedUnavailable("The first fetch is under way.", "Load the page again.", timedelta(seconds=10))


def pause_after(error: IgfeedError, failures: int) -> timedelta:
    """How long visitors' views leave Instagram alone after so many failures in a row, by the class of the last one."""
    if isinstance(error, RateLimited):
        return min(max(error.retry_after or PAUSE_AT_LIMIT, PAUSE_AT_LIMIT), LONGEST_COOLDOWN)
    if isinstance(error, TokenError | TokenRejected | PermissionRefused):
        return LONGEST_PAUSE
    doubled: timedelta = SHORTEST_PAUSE * 2 ** min(failures - 1, 10)
    return min(doubled, LONGEST_PAUSE)


def _counted_on(stored: FeedSnapshot, ours: FeedSnapshot | None) -> FeedSnapshot:
    """With a revision where an earlier version has fetched: its next one would look old beside what others have."""
    return stored if stored.revision or ours is None else replace(stored, revision=ours.revision)


def _parsed(text: str | None) -> FeedSnapshot | None:
    """An unreadable snapshot counts as absent: the next fetch replaces it."""
    try:
        return None if text is None else FeedSnapshot.from_text(text)
    except UNREADABLE:
        log.warning("The snapshot under %r cannot be read and counts as absent", KEY)
        return None
