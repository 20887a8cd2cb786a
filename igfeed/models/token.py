"""An access token and its life, and the last try to renew one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar

from igfeed.models.failure import Failure
from igfeed.models.record import LONG_AGO, Count, Moment, Name, Record, fingerprint, is_from_future

SHORTEST_AGE = timedelta(hours=24)
"""Instagram renews no token that is younger (Meta's documentation of refresh_access_token)."""

MOST_PREDECESSORS = 4
"""How many a token goes back to at most: more set-ups in a row without any that works are not to be expected."""

USUAL_LIFE = timedelta(days=60)
"""What a long-lived token has, as Meta documents it. Replies have said a little less, never more."""


@dataclass(frozen=True)
class Token(Record):
    """An access token and its life. A time is None where nobody told us: such a token counts as old and due.

    ``predecessor`` is the token that this one has replaced, kept until this one has proved itself (see ``proven``).
    ``origin`` is the fingerprint of the token that a person gave and renewals have made this one of; None: it is that
    one. ``from_environment`` says how it was given. ``refused`` are the fingerprints of tokens and of lines that gave
    way to this one: Instagram rejected them while this one worked, or a changed variable replaced them. ``revision``
    grows each time that one token takes another one's place, by a renewal too: where times do not tell which of two is
    the later one, it does.
    """

    value: Name = field(repr=False)
    issued_at: Moment | None = None
    expires_at: Moment | None = None
    predecessor: "Token | None" = field(default=None, repr=False)
    origin: str | None = None
    from_environment: bool = False
    refused: frozenset[str] = frozenset()
    revision: Count = 0

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.value)

    @property
    def lineage(self) -> str:
        """A name for all that renewals make of one token that a person gave."""
        return self.origin or self.fingerprint

    @property
    def renewable_at(self) -> datetime | None:
        return None if self.issued_at is None else self.issued_at + SHORTEST_AGE

    def is_misdated(self, now: datetime) -> bool:
        """Whether its times were written by a process whose clock was ahead, so that nobody knows them."""
        if self.issued_at is None:
            return is_from_future(self.expires_at, now + USUAL_LIFE)
        return is_from_future(self.issued_at, now)

    def as_known(self, now: datetime) -> "Token":
        """The same without the times that nobody knows."""
        return replace(self, issued_at=None, expires_at=None) if self.is_misdated(now) else self

    def is_renewable(self, now: datetime) -> bool:
        return self.renewable_at is None or now >= self.renewable_at or self.is_misdated(now)

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def has_less_than(self, life: timedelta, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at - now < life or self.is_misdated(now)

    def is_due(self, within: timedelta, now: datetime) -> bool:
        """Whether to renew it before its next use, with less than so much left.

        Where nobody knows how old it is, its life is only supposed: it is due as soon as it is surely old enough.
        """
        is_supposed = self.issued_at is None and self.expires_at is not None
        return self.has_less_than(USUAL_LIFE - SHORTEST_AGE if is_supposed else within, now)

    def supersedes(self, other: "Token", now: datetime) -> bool:
        """Whether this is the one to go on with, of two that were come by apart.

        A living one before an expired one, and before one that Instagram has rejected beside it. What a person has set
        up since stays. Of one line the one that lives longest, then the one that knows more about the others.
        """
        if self.is_expired(now) != other.is_expired(now):
            return other.is_expired(now)
        has_refused, was_refused = self._has_refused(other), other._has_refused(self)
        if has_refused or was_refused:
            return has_refused and (not was_refused or self.revision > other.revision)
        if self.lineage != other.lineage:
            return False
        if self.is_misdated(now) or other.is_misdated(now):
            return self.revision > other.revision
        return self._standing > other._standing

    def _has_refused(self, other: "Token") -> bool:
        is_of_refused_line = other.lineage != self.lineage and other.lineage in self.refused
        return other.fingerprint in self.refused or is_of_refused_line

    @property
    def _standing(self) -> tuple[datetime, bool, int]:
        """A renewal whose reply named no lifetime counts like any other: it is newer than what it was made of."""
        supposed_end = self.issued_at + USUAL_LIFE if self.issued_at else LONG_AGO
        return self.expires_at or supposed_end, self.predecessor is None, len(self.refused)

    def differs_from(self, other: "Token") -> bool:
        """Whether one of them is what became of the other: its string or its life is another."""
        return (self.value, self.expires_at) != (other.value, other.expires_at)

    def succeeded_by(self, fresh: "Token") -> "Token":
        """``fresh`` as the successor of this one, which it remembers only if the string has changed."""
        return replace(
            fresh,
            predecessor=None if fresh.value == self.value else replace(self, predecessor=None),
            origin=self.lineage,
            from_environment=self.from_environment,
            refused=self.refused - {fresh.fingerprint},
            revision=self.revision + 1,
        )

    @property
    def predecessors(self) -> "Iterator[Token]":
        """Its predecessor, that one's predecessor and so on."""
        each = self.predecessor
        while each:
            yield each
            each = each.predecessor

    def after(self, earlier: "Sequence[Token]") -> "Token":
        """The same with these to go back to, the likeliest first. The last one is the one that has worked."""
        if len(earlier) > MOST_PREDECESSORS:
            earlier = [*earlier[: MOST_PREDECESSORS - 1], earlier[-1]]
        chain = None
        for each in reversed(earlier):
            chain = replace(each, predecessor=chain)
        return replace(self, predecessor=chain)

    def instead_of(self, rejected: "Token") -> "Token":
        """The same, now that it works where the other one does not."""
        line = {rejected.lineage} if rejected.lineage != self.lineage else set()
        refused = self.refused | rejected.refused | {rejected.fingerprint} | line
        revision = max(self.revision, rejected.revision) + 1
        return replace(self, predecessor=None, refused=refused - {self.fingerprint}, revision=revision)

    def in_place_of(self, other: "Token") -> "Token":
        """The same, now that it works and a person wants it rather than the other one, which may work too."""
        return replace(self.instead_of(other), predecessor=replace(other, predecessor=None))

    @property
    def proven(self) -> "Token":
        """The same after a read has succeeded with it: the predecessor goes.

        A changed variable may hold a token that dies tomorrow. So what it has replaced stays until its first renewal.
        """
        replaced = self.predecessor
        if replaced and replaced.lineage != self.lineage and self.from_environment and self.issued_at is None:
            return self
        return replace(self, predecessor=None)


@dataclass(frozen=True)
class Renewal(Record):
    """The last finished try to renew a token; ``failure`` is None when it succeeded.

    ``attempt`` counts them, so that each next one has a claim of its own. ``token`` is the fingerprint of what came
    out of it. ``may_be_done``: it was asked for with that token, no answer came, and Instagram may have ended it.
    """

    RENAMED: ClassVar[Mapping[str, str]] = {"trouble": "failure"}

    attempt: Count
    at: Moment
    token: str
    failure: Failure | None = None
    may_be_done: bool = False
