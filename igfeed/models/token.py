"""An Instagram access token: its value, its age and its expiry."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from igfeed.models.record import Count, MediaId, Moment, Name, Record, fingerprint, is_from_future

RENEWAL_MIN_AGE = timedelta(hours=24)
"""Instagram does not renew a younger token (Meta's documentation of refresh_access_token)."""

TOKEN_LIFETIME = timedelta(days=60)
"""The lifetime of a long-lived token, as Meta documents it. Real replies have said a little less, never more."""


@dataclass(frozen=True)
class Token(Record):
    """An access token. ``issued_at`` and ``expires_at`` are None if unknown: such a token counts as old and as due.

    ``predecessor`` is the token that this one has replaced. It is kept until Instagram has accepted this one (see
    ``igfeed.models.lineage``).
    ``origin`` is the fingerprint of the token that a person set up and that renewals have turned into this one. None
    means that a person set up this one. ``from_environment`` is True if that token came from the environment variable.
    ``refused`` holds fingerprints of tokens, and names of lineages, that this token has replaced: Instagram rejected
    them while this one worked, or the variable was changed.
    ``account_ids`` are the ids of its account that Connect has learnt. They are empty if it was set up in another way.
    ``revision`` grows by one each time that a token replaces another one; a renewal counts too. It shows which of two
    tokens is newer if their times do not.
    """

    # Left out of repr, as is every predecessor, so that no traceback or log line shows a token.
    value: Name = field(repr=False)
    issued_at: Moment | None = None
    expires_at: Moment | None = None
    predecessor: "Token | None" = field(default=None, repr=False)
    origin: str | None = None
    from_environment: bool = False
    refused: frozenset[str] = frozenset()
    revision: Count = 0
    account_ids: frozenset[MediaId] = frozenset()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.value)

    @property
    def lineage(self) -> str:
        """The name that a token and everything renewed from it share: the fingerprint of the first one."""
        return self.origin or self.fingerprint

    @property
    def renewable_at(self) -> datetime | None:
        """When it is old enough to be renewed; None if its age is unknown."""
        return None if self.issued_at is None else self.issued_at + RENEWAL_MIN_AGE

    def has_wrong_times(self, now: datetime) -> bool:
        """Whether a process whose clock was ahead wrote its times. They are then unknown."""
        if self.issued_at is None:
            return is_from_future(self.expires_at, now + TOKEN_LIFETIME)
        return is_from_future(self.issued_at, now)

    def without_wrong_times(self, now: datetime) -> "Token":
        """The same token, its times set to None if they are wrong."""
        return replace(self, issued_at=None, expires_at=None) if self.has_wrong_times(now) else self

    def is_renewable(self, now: datetime) -> bool:
        """Whether it is old enough for a renewal. True if its age is unknown."""
        return self.renewable_at is None or now >= self.renewable_at or self.has_wrong_times(now)

    def is_expired(self, now: datetime) -> bool:
        """Whether its known expiry has passed. False if its expiry is unknown."""
        return self.expires_at is not None and now >= self.expires_at

    def may_expire_within(self, time: timedelta, now: datetime) -> bool:
        """Whether less than ``time`` is left until its expiry. True if its expiry is unknown."""
        return self.expires_at is None or self.expires_at - now < time or self.has_wrong_times(now)

    def is_due(self, renew_within: timedelta, now: datetime) -> bool:
        """Whether to renew it before its next use, because less than ``renew_within`` is left."""
        # With an expiry but no age, the expiry is a guess: the token counted as new when it was set up, and may be much
        # older. So it is due as soon as it must be 24 hours old, and the renewal tells its real expiry.
        is_expiry_guessed = self.issued_at is None and self.expires_at is not None
        return self.may_expire_within(TOKEN_LIFETIME - RENEWAL_MIN_AGE if is_expiry_guessed else renew_within, now)
