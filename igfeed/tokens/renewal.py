"""The renewal of a token: one at a time across all processes, and a pause after each failure."""

import logging
from datetime import datetime, timedelta
from enum import StrEnum

from igfeed.clock import Clock, Deadline, Sleep
from igfeed.errors import InstagramError, InstagramUnreachable, PermissionRefused, TooYoung, UnexpectedAnswer
from igfeed.history import History
from igfeed.instagram import RENEWAL_TIME_LIMIT, Instagram
from igfeed.models import Failure, Renewal, Token
from igfeed.models.lineage import successor
from igfeed.stores import Store
from igfeed.stores.cached_document import CachedDocument
from igfeed.tokens.fallback import call_with_fallbacks
from igfeed.tokens.renewal_request import renewed
from igfeed.tokens.vault import StoredToken, TokenVault

log = logging.getLogger(__name__)

RENEWAL_KEY = "renewal:v1"

RENEWAL_CLAIM_TTL = timedelta(seconds=60)
"""How long one renewal may take, all its tries included, before another process may begin one."""

RENEWAL_PROBE_TTL = timedelta(seconds=1)
"""The shortest possible claim. It shows whether a renewal is running, and delays the next one by a second at most."""

WAITS_FOR_OTHER_RENEWAL = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""Seconds to wait between two checks whether another process is still renewing."""

RENEWAL_RETRY_PAUSE = timedelta(hours=1)
"""How long visitors' views do not try again after a failed renewal. The cron and the owner's commands still try."""
LAST_DAY = timedelta(days=1)
LAST_DAY_RETRY_PAUSE = timedelta(minutes=5)
"""The same while less than ``LAST_DAY`` is left."""


class RenewalOutcome(StrEnum):
    RENEWED = "renewed"
    NOT_DUE = "not_due"
    TOO_YOUNG = "too_young"
    LEFT_TO_OTHERS = "left_to_others"
    FAILED = "failed"


class TokenRenewal:
    """Renews the vault's token and records each attempt. Threads may share it."""

    def __init__(
        self,
        instagram: Instagram,
        store: Store,
        clock: Clock,
        vault: TokenVault,
        *,
        renew_within: timedelta,
        history: History,
        sleep: Sleep,
    ) -> None:
        self._instagram = instagram
        self._store = store
        self._clock = clock
        self._vault = vault
        self._renew_within = renew_within
        self._history = history
        self._sleep = sleep
        self._document = CachedDocument(store, RENEWAL_KEY, Renewal.from_text)

    def last(self) -> Renewal | None:
        """The last finished attempt of any process, None if there was none."""
        return self._document.load()

    def is_due(self, token: Token, now: datetime) -> bool:
        """Whether to renew it before its next use."""
        return token.is_due(self._renew_within, now)

    def attempt(self, found: StoredToken, last: Renewal | None) -> RenewalOutcome:
        """Renew it now, unless another process is doing so: RENEWED or LEFT_TO_OTHERS.

        Raises an InstagramError if it fails, which is then recorded. TooYoung is recorded only if Instagram said so.
        """
        # Each attempt has a claim of its own, as claims are not released: an attempt that has ended blocks no other.
        if not self._store.claim(_claim_key(last), RENEWAL_CLAIM_TTL):
            return RenewalOutcome.LEFT_TO_OTHERS
        # Compared after the claim, not before it: otherwise two processes could both pass the comparison.
        if _has_changed(self._vault.get().tried.token, found.token):
            return RenewalOutcome.LEFT_TO_OTHERS
        with self._history.recording("renewal", RenewalOutcome.RENEWED):
            self._renew(found, last)
        return RenewalOutcome.RENEWED

    def _renew(self, found: StoredToken, last: Renewal | None) -> None:
        """The request, and what it shows: the new token, or the error that is recorded and raised."""
        deadline = Deadline(RENEWAL_TIME_LIMIT)
        try:
            used, fresh = call_with_fallbacks(
                self._vault, found, lambda value: renewed(self._instagram, value, deadline, last)
            )
        except InstagramError as error:
            raise self._recorded(error, found.token, last) from None
        # The token before the record: if the process stops in between, only the record is lost.
        self._vault.save(successor(used, fresh))
        self._document.save(Renewal(_number(last), self._clock(), fresh.fingerprint))
        log.info("The access token was renewed and lives until %s", fresh.expires_at or "a time that is not known")

    def wait_for_others(self) -> None:
        """Wait while another process is renewing, for some twelve seconds at most."""
        for seconds in WAITS_FOR_OTHER_RENEWAL:
            if not self._is_running():
                return
            self._sleep(seconds)

    def _is_running(self) -> bool:
        # The store cannot tell whether a key is claimed. But if we get the claim, nobody else was renewing.
        return not self._store.claim(_claim_key(self.last()), RENEWAL_PROBE_TTL)

    def _recorded(self, error: InstagramError, token: Token, last: Renewal | None) -> InstagramError:
        """Store the failed attempt, and return the error to raise."""
        now = self._clock()
        if not token.is_renewable(now):
            return TooYoung(str(error))  # Our clock was wrong, and Instagram's reply has corrected it.
        error = self._as_too_young(error, token, now)
        failure = _failure(error, token, now)
        may_have_taken_effect = isinstance(error, InstagramUnreachable) and error.may_have_taken_effect
        self._document.save(Renewal(_number(last), now, token.fingerprint, failure, may_have_taken_effect))
        return error

    def _as_too_young(self, error: InstagramError, token: Token, now: datetime) -> InstagramError:
        # No documentation says what Instagram replies to a token that is too young. It has been seen to send a
        # general refusal. So a general refusal of a token that may be younger than 24 hours counts as TooYoung.
        may_be_young = token.issued_at is None and token.expires_at and not self.is_due(token, now)
        is_general = isinstance(error, PermissionRefused | UnexpectedAnswer)
        return TooYoung(str(error)) if may_be_young and is_general else error


def is_backing_off(last: Renewal | None, token: Token, now: datetime) -> bool:
    """Whether the last attempt was made with this token and failed, and the pause after it has not ended."""
    return bool(last and last.failure and last.failure.is_backing_off(token.fingerprint, now))


def _failure(error: InstagramError, token: Token, now: datetime) -> Failure:
    is_last_day = token.expires_at is not None and token.may_expire_within(LAST_DAY, now)
    until = now + (LAST_DAY_RETRY_PAUSE if is_last_day else RENEWAL_RETRY_PAUSE)
    known = token.without_wrong_times(now)
    # A token of unknown age may be too young, and then waiting is all that helps.
    is_of_unknown_age = known.issued_at is None and known.expires_at is None
    hint = TooYoung.hint if is_of_unknown_age else error.hint
    return Failure(type(error).__name__, str(error), hint, now, until, token.fingerprint)


def _has_changed(current: Token, earlier: Token) -> bool:
    # A renewal may keep the value and only extend its lifetime, so the value alone does not show it.
    return (current.value, current.expires_at) != (earlier.value, earlier.expires_at)


def _number(last: Renewal | None) -> int:
    """The number of the attempt after the last finished one."""
    return last.attempt + 1 if last else 1


def _claim_key(last: Renewal | None) -> str:
    return f"claim:renewal:{_number(last)}"
