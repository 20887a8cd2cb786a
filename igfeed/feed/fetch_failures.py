"""The last failed fetch, and how long visitors' views do not fetch again because of it."""

from datetime import datetime, timedelta

from igfeed.clock import Clock
from igfeed.errors import FeedUnavailable, IgfeedError, PermissionRefused, RateLimited, TokenError, TokenRejected
from igfeed.feed.local_copy import LocalCopy
from igfeed.feed.next_snapshot import MAX_COOLDOWN
from igfeed.models import Failure
from igfeed.models.record import is_from_future
from igfeed.stores import Store
from igfeed.stores.cached_document import CachedDocument
from igfeed.tokens.manager import TokenManager

FAILURE_KEY = "feed-trouble:v1"

MIN_FETCH_PAUSE = timedelta(minutes=1)
MAX_FETCH_PAUSE = timedelta(hours=1)
RATE_LIMIT_PAUSE = timedelta(minutes=15)
"""The least pause after Instagram said that there were too many calls."""


class FetchFailures:
    """The store has the last failure, so that all processes keep to its pause."""

    keys = (FAILURE_KEY,)
    """The store's keys that ``load`` reads."""

    _token = ""
    """The fingerprint of the token that a fetch would use, as it was when we last looked."""

    def __init__(self, store: Store, local: LocalCopy, tokens: TokenManager, clock: Clock) -> None:
        self._local = local
        self._tokens = tokens
        self._clock = clock
        self._document = CachedDocument(store, FAILURE_KEY, Failure.from_text)

    def load(self) -> Failure | None:
        """The last failure. None if a fetch has succeeded since. Asks the store."""
        self._document.load()
        return self.last

    @property
    def last(self) -> Failure | None:
        """Like ``load``, but does not ask the store."""
        failure, snapshot = self._document.cached, self._local.snapshot
        if failure is None or snapshot is None or is_from_future(snapshot.fetched_at, self._clock()):
            return failure
        return None if failure.at < snapshot.fetched_at else failure

    def load_with_token(self) -> None:
        """Ask the store what ``is_backing_off`` needs. The token is read only if there is a failure."""
        if self._document.load():
            self._token = self._tokens.fingerprint()

    def is_backing_off(self) -> bool:
        """Whether views may not fetch now. Does not ask the store. Another token ends the pause."""
        failure = self.last
        return failure is not None and failure.is_backing_off(self._token, self._clock())

    def record(self, error: IgfeedError) -> None:
        """Count one more failure in a row, and begin its pause. ``load`` must have been called just before."""
        now, earlier = self._clock(), self.last
        self._token = self._tokens.fingerprint()
        failures = earlier.failures + 1 if earlier else 1
        failure = Failure(
            kind=type(error).__name__,
            message=str(error),
            hint=error.hint,
            at=self._not_before_fetch(now),
            until=now + pause_after(error, failures),
            token=(error.token if isinstance(error, TokenRejected) else None) or self._token,
            failures=failures,
        )
        self._document.save(failure)

    def _not_before_fetch(self, now: datetime) -> datetime:
        """A failure that is older than the snapshot counts as over, and another process's clock may be ahead."""
        snapshot = self._local.snapshot
        if snapshot is None or is_from_future(snapshot.fetched_at, now):
            return now
        return max(now, snapshot.fetched_at)

    def clear(self) -> None:
        """After a successful fetch."""
        if self._document.cached:  # Otherwise each fetch would cost one more command.
            self._document.delete()

    def as_unavailable(self) -> FeedUnavailable:
        """The error for a view that has nothing to show: it says what failed and when to ask again."""
        failure = self.last
        if failure is None:
            return first_fetch_under_way()
        left = failure.until - max(self._clock(), failure.at)
        return FeedUnavailable(failure.message, failure.hint, max(left, timedelta(seconds=1)))


def first_fetch_under_way() -> FeedUnavailable:
    return FeedUnavailable("The first fetch is under way.", "Load the page again.", timedelta(seconds=10))


def pause_after(error: IgfeedError, failures: int) -> timedelta:
    """How long views do not fetch after ``failures`` failures in a row, of which ``error`` is the last."""
    if isinstance(error, RateLimited):
        return min(max(error.retry_after or RATE_LIMIT_PAUSE, RATE_LIMIT_PAUSE), MAX_COOLDOWN)
    if isinstance(error, TokenError | TokenRejected | PermissionRefused):
        return MAX_FETCH_PAUSE  # Only a person can mend these. Another token ends the pause at once.
    doubled: timedelta = MIN_FETCH_PAUSE * 2 ** min(failures - 1, 10)
    return min(doubled, MAX_FETCH_PAUSE)
