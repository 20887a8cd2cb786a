"""One account's part in a run of the cron: renew its token, fetch its feed, mirror its pictures, report.

If one step fails, the others are done all the same. No step raises anything, so no account can harm another.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

from igfeed.clock import Deadline
from igfeed.errors import IgfeedError, StoreError
from igfeed.feed.mirror import MirrorReport
from igfeed.models import FeedSnapshot
from igfeed.owner.alerts.notifier import notify
from igfeed.owner.pages.account_addresses import hint_for
from igfeed.owner.status import Status, TokenStatus, report, with_iso_times
from igfeed.services import Services, acting_for
from igfeed.tokens.renewal import RenewalOutcome

log = logging.getLogger(__name__)

WAITING_HINT = "There was no time for all of it: the next run begins with this account."


@dataclass(frozen=True)
class Run:
    """What one run of the cron did for an account.

    ``renewal`` and ``feed`` are None if there was no time to begin with it: nothing has failed then.
    """

    ok: bool
    renewal: RenewalOutcome | None
    feed: Literal["fetched", "failed"] | None
    posts: int
    pictures: MirrorReport
    token: TokenStatus
    error: str | None
    hint: str | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self, dict_factory=with_iso_times)


class AccountRun:
    """Call the steps in this order. The caller may stop early, and may call steps of other accounts in between."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.snapshot: FeedSnapshot | None = None
        """What ``fetch`` has fetched."""
        self._renewal: RenewalOutcome | None = None
        self._feed: Literal["fetched", "failed"] | None = None
        self._pictures = MirrorReport()
        self._errors: list[IgfeedError] = []

    @property
    def has_to_wait(self) -> bool:
        """Whether there was no time for its fetch, so that the next run has to begin with it."""
        return self._feed is None

    def renew(self) -> None:
        self._renewal = RenewalOutcome.FAILED
        with self._noting_errors():
            self.services.check_startup()
            _check_renewal_can_be_stored(self.services)
            self._renewal = self.services.tokens.renew()

    def fetch(self) -> None:
        self._feed = "failed"
        with self._noting_errors():
            self.services.check_startup()
            self.snapshot = self.services.feed.fetch()
            self._feed = "fetched"

    def mirror(self, deadline: Deadline) -> None:
        """Does nothing if there was no fetch, or if it has failed."""
        if self.snapshot is None:
            return
        with self._noting_errors():
            self._pictures = self.services.feed.mirror(list(self.snapshot.pictures()), deadline)

    def notify(self) -> None:
        """Send the alert that is due."""
        with self._noting_errors():
            notify(self.services)

    def result(self) -> Run:
        """What was done. Asks the store."""
        shown = self.snapshot or self.services.feed.cached
        # Read before the report, because that finds out whether the store takes writes again.
        refusal = self.services.store.refusal
        status = None
        with self._noting_errors():
            status = report(self.services)
        later = [refusal, status and _store_error(status), _picture_error(self._pictures)]
        error = next((each for each in (*self._errors, *later) if each), None)
        hint = hint_for(self.services.account, error.hint) if error else None
        return Run(
            ok=error is None,
            renewal=self._renewal,
            feed=self._feed,
            posts=len(shown.posts) if shown else 0,
            pictures=self._pictures,
            token=status.token if status else TokenStatus(),
            error=str(error) if error else None,
            hint=WAITING_HINT if self.has_to_wait and not hint else hint,
        )

    @contextmanager
    def _noting_errors(self) -> Iterator[None]:
        try:
            with acting_for(self.services):
                yield
        except IgfeedError as error:
            self._errors.append(error)
        except Exception as error:
            log.exception("The run for the account %s failed", self.services.account or "without a name")
            self._errors.append(IgfeedError(f"Something unexpected went wrong ({type(error).__name__})."))


def _check_renewal_can_be_stored(services: Services) -> None:
    """Raises WriteRefused if the store refuses writes and the token is not due, so its renewal can wait."""
    refusal = services.store.refusal
    if refusal is None:
        return
    found = services.tokens.report()
    if found.token and not found.is_due and found.token.is_renewable(services.clock()):
        raise refusal


def _store_error(status: Status) -> IgfeedError | None:
    """An error if this process has something that the store does not have. None if the store has everything."""
    is_kept = status.store.reachable and (status.token.saved or status.token.source != "memory")
    return None if is_kept else StoreError("The store did not take everything.", status.hint)


def _picture_error(pictures: MirrorReport) -> IgfeedError | None:
    if not pictures.failed:
        return None
    return IgfeedError(
        f"{pictures.failed} picture files could not be mirrored.",
        "The log names them; they are tried again with the next run and when somebody looks at them.",
    )
