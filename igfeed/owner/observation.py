"""Everything that the status is made of, read at one time. Nothing here calls Instagram."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Literal

from igfeed.errors import StoreError, TokenRejected, WriteRefused
from igfeed.models import Failure, FeedSnapshot, Token
from igfeed.owner.hooks.report import HookReport, hook_keys, hook_report
from igfeed.services import Services
from igfeed.tokens.report import TokenReport

TokenState = Literal["fresh", "due", "expired", "rejected"]


@dataclass(frozen=True)
class Observation:
    """``account`` is the account's name, None for the default one.

    ``snapshot`` is the newest one that is known, None if nothing was ever fetched.
    ``fetch_failure`` is the last fetch's failure, None if it succeeded. ``read_error`` says why the store could not be
    read, ``write_refusal`` why it refused the last write, ``startup_error`` why no page can be shown at all.
    ``overdue_pictures`` returns the ids of pictures that have been missing for more than an hour. ``hooks`` returns
    what became of telling the site of new posts.
    """

    account: str | None
    tokens: TokenReport
    snapshot: FeedSnapshot | None
    is_feed_fresh: bool
    fetch_failure: Failure | None
    read_error: StoreError | None
    write_refusal: WriteRefused | None
    startup_error: StoreError | None
    # Functions, because they may cost a store command: they are called only if nothing worse is wrong.
    overdue_pictures: Callable[[], Sequence[str]]
    hooks: Callable[[], HookReport]

    @property
    def at(self) -> datetime:
        return self.tokens.at

    @property
    def token(self) -> Token | None:
        """The token in use, without times that are wrong; None if there is none."""
        return self.tokens.token.without_wrong_times(self.at) if self.tokens.token else None

    @property
    def is_token_expired(self) -> bool:
        return self.token is not None and self.token.is_expired(self.at)

    @property
    def is_token_rejected(self) -> bool:
        """Whether Instagram has rejected the token that the next call uses."""
        # The failure may be about an earlier token: a new one has not been rejected yet.
        failure = self.fetch_failure
        if failure is None or failure.kind != TokenRejected.__name__ or self.is_token_expired:
            return False
        return self.token is not None and failure.token == self.tokens.fingerprint_of_next_call

    @property
    def token_state(self) -> TokenState | None:
        """None if there is no token."""
        if self.token is None:
            return None
        if self.is_token_expired:
            return "expired"
        if self.is_token_rejected:
            return "rejected"
        return "due" if self.tokens.is_due else "fresh"


def observed_keys(services: Services) -> tuple[str, ...]:
    """The store's keys that an observation reads, for one command that reads them all."""
    return (*services.feed.report_keys, *services.tokens.report_keys, *hook_keys(services))


def observe(services: Services) -> Observation:
    """Reads the store, and this process's copies while the store is away. Writes nothing, raises nothing."""
    snapshot, read_error = _newest_snapshot(services)
    fetch_failure, tokens = services.feed.failure(), services.tokens.report()
    pictures = tuple(snapshot.pictures()) if snapshot else ()
    return Observation(
        account=services.account,
        tokens=tokens,
        snapshot=snapshot,
        is_feed_fresh=snapshot is not None and services.feed.is_fresh(snapshot, tokens.at),
        fetch_failure=fetch_failure,
        read_error=read_error,
        write_refusal=services.store.refusal,
        startup_error=services.startup_error,
        # Their answers are kept, as several rows of a report may ask for them.
        overdue_pictures=cache(partial(services.feed.overdue_pictures, pictures, tokens.at)),
        hooks=cache(partial(hook_report, services)),
    )


def _newest_snapshot(services: Services) -> tuple[FeedSnapshot | None, StoreError | None]:
    try:
        return services.feed.newest(), None
    except StoreError as error:
        return services.feed.cached, error
