"""The access token for every call to Instagram, renewed when it is due.

An Instagram token expires after sixty days, and only a person can replace an expired one. So no failure here ever
gives up a token that works. It is replaced only by its own renewal, by a token that the owner sets up, or by another
known token that works where Instagram rejects it.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from igfeed.clock import Clock, Sleep
from igfeed.errors import IgfeedError, InstagramError, StoreError, TokenExpired, TokenRejected, TooYoung
from igfeed.history import History
from igfeed.instagram import Instagram
from igfeed.models import Renewal, Token
from igfeed.models.lineage import confirmed, predecessors, replacing_by_choice, with_predecessors
from igfeed.stores import Store
from igfeed.tokens.document import TOKEN_KEY
from igfeed.tokens.encryption import Cipher
from igfeed.tokens.fallback import call_with_fallbacks
from igfeed.tokens.renewal import RENEWAL_KEY, RenewalOutcome, TokenRenewal, is_backing_off
from igfeed.tokens.report import TokenReport
from igfeed.tokens.vault import StoredToken, TokenVault

log = logging.getLogger(__name__)

T = TypeVar("T")


class TokenManager:
    """Hands out the token and keeps it alive. Threads may share it."""

    use_keys = (TOKEN_KEY,)
    """The store keys that ``use`` always reads, for a caller that reads several keys in one command."""

    report_keys = (TOKEN_KEY, RENEWAL_KEY)
    """The store keys that ``report`` reads, for the same use."""

    def __init__(
        self,
        instagram: Instagram,
        store: Store,
        clock: Clock,
        *,
        renew_within: timedelta,
        cipher: Cipher,
        history: History,
        sleep: Sleep,
        from_environment: str | None = None,
    ) -> None:
        self._instagram = instagram
        self._clock = clock
        self._vault = TokenVault(store, clock, cipher, from_environment)
        self._renewal = TokenRenewal(
            instagram, store, clock, self._vault, renew_within=renew_within, history=history, sleep=sleep
        )

    def usable(self) -> Token:
        """The token to call Instagram with, renewed first if it is due and no pause forbids it.

        It may have expired: see ``use``. Raises TokenMissing if there is none, and StoreError if the store cannot be
        read and neither this process nor the environment has one.
        """
        return self._ready().token

    def use(self, call: Callable[[str], T], *, is_awaited: bool = False) -> T:
        """The result of ``call`` with a usable token. What the call shows about the token is saved.

        If Instagram rejects the token, other known tokens are tried, and one that works replaces it. A changed
        environment variable replaces the stored token once a call has succeeded with it.
        ``is_awaited`` means that a visitor waits: then this neither renews the token nor waits for another process to.
        Raises what ``usable`` and ``call`` raise, and TokenExpired.
        """
        found = self._vault.get_and_save() if is_awaited else self._ready()
        try:
            token, result = call_with_fallbacks(self._vault, found, call)
        except TokenRejected:
            if not is_awaited and self._has_other_process_renewed(found):
                return self.use(call, is_awaited=True)  # True, so that a second rejection is final.
            # An expired token is tried too, because only Instagram knows for sure.
            if found.token.is_expired(self._clock()):
                raise TokenExpired(f"The access token expired on {found.token.expires_at:%Y-%m-%d}.") from None
            raise
        self._save_if_changed(found, token)
        return result

    def keep_alive(self) -> None:
        """Renew the token if it is due, after a visitor has been answered. Never raises."""
        try:
            self.usable()
        except IgfeedError as error:
            log.warning("The token could not be looked after: %s", error)

    def renew(self) -> RenewalOutcome:
        """Renew the token now, for a person or the cron, whether it is due or not and without regard to pauses.

        Raises what ``usable`` raises, and the InstagramError of a renewal that failed. Raises StoreError if the store
        is away and the token is not due.
        """
        found = self._vault.get_and_save().tried
        if found.token.is_expired(self._clock()):
            # If the known expiry is wrong, a call that succeeds corrects it, and the token can be renewed.
            self.use(self._instagram.profile)
            found = self._vault.get_and_save().tried
        last, now = self._renewal.last(), self._clock()
        if not found.token.is_renewable(now):
            return _outcome_for_young(found.token, last)
        # A renewal may end the old value. If this process then stops before the store is back, the new value is lost.
        # So without a store, a token is renewed only if it would expire otherwise.
        if found.store_error and not self._renewal.is_due(found.token, now):
            raise found.store_error
        try:
            return self._renewal.attempt(found, last)
        except TooYoung:
            return RenewalOutcome.TOO_YOUNG

    def adopt(self, token: Token, *, is_verified: bool) -> None:
        """Store a token that the owner sets up. Raises StoreError.

        ``is_verified`` means that Instagram has accepted it. If not, the new token remembers the unexpired tokens that
        it replaces, as fallbacks.
        """
        self._vault.replace(token if is_verified else with_predecessors(token, self._unexpired_besides(token)))

    def forget(self) -> None:
        """Delete the token on request. No process uses it again, unless a person sets it up again.

        Raises StoreError; then it can be repeated.
        """
        self._vault.forget()

    def account_ids(self) -> frozenset[str]:
        """The known ids of the token's account. Without a token, those of the account whose token was forgotten last.

        Raises StoreError.
        """
        found = self._vault.find()
        return found.tried.token.account_ids if found else self._vault.forgotten_account_ids()

    def fingerprint(self) -> str:
        """The fingerprint of the token that the next call uses; empty if there is none."""
        found = self._vault.find_or_none()
        return found.token.fingerprint if found else ""

    def report(self) -> TokenReport:
        """The state of the token, for the owner. Writes nothing to the store and raises nothing."""
        last, now = self._renewal.last(), self._clock()
        try:
            found = self._vault.find()
        except StoreError as error:
            return TokenReport(now, last, store_error=error, environment_problem=self._vault.environment_problem)
        problem = self._vault.environment_problem  # Only now it is known whether the variable's token was forgotten.
        if found is None:
            return TokenReport(now, last, environment_problem=problem)
        is_due = self._renewal.is_due(found.tried.token, now)
        return TokenReport(now, last, found, is_due, found.tried.store_error, problem)

    def _ready(self) -> StoredToken:
        """The token to call with, renewed first if it is due."""
        found = self._vault.get_and_save()
        # An untried token is not renewed: a read must show first that it works.
        token, now = found.tried.token, self._clock()
        if not self._renewal.is_due(token, now) or not token.is_renewable(now) or token.is_expired(now):
            return found
        last = self._renewal.last()
        if is_backing_off(last, token, now):
            return found
        try:
            self._renewal.attempt(found.tried, last)
        except InstagramError as error:
            log.warning("The token could not be renewed and is used as it is: %s", error)
        return self._vault.get()

    def _unexpired_besides(self, token: Token) -> list[Token]:
        found, now = self._vault.find_or_none(), self._clock()
        known = [found.tried.token, *predecessors(found.tried.token)] if found else []
        return [each for each in known if each.value != token.value and not each.is_expired(now)]

    def _save_if_changed(self, found: StoredToken, token: Token) -> None:
        """Save what a successful call with ``token`` shows: that it works, and that it has not expired."""
        if found.incumbent and token == found.token:
            log.info("The changed INSTAGRAM_ACCESS_TOKEN works and takes the stored token's place")
            token = replacing_by_choice(token, found.incumbent.token)
        # Instagram has just accepted it, so an expiry in the past is wrong.
        if token.is_expired(self._clock()):
            token = replace(token, expires_at=None)
        is_unsaved = found.source == "environment" and found.store_error is None
        if is_unsaved or confirmed(token) != found.token:
            self._vault.save(confirmed(token))

    def _has_other_process_renewed(self, found: StoredToken) -> bool:
        """Whether another process has renewed this token, which may have ended its value. Waits for it to finish."""
        self._renewal.wait_for_others()
        current = self._vault.find_or_none()
        return current is not None and current.tried.token.value != found.tried.token.value


def _outcome_for_young(token: Token, last: Renewal | None) -> RenewalOutcome:
    """Why a token younger than 24 hours is not renewed: it comes from a renewal, or a person has just set it up."""
    is_renewed = last and not last.failure and last.token == token.fingerprint
    return RenewalOutcome.NOT_DUE if is_renewed else RenewalOutcome.TOO_YOUNG
