"""Which of two tokens to use."""

from datetime import datetime

from igfeed.models.record import LONG_AGO
from igfeed.models.token import TOKEN_LIFETIME, Token


def wins_over(token: Token, other: Token, now: datetime) -> bool:
    """Whether to use ``token`` when two processes hold different ones.

    The rules, the first one that decides:

    1. An unexpired token wins over an expired one.
    2. A token wins over one that it knows as refused by Instagram. If each knows the other as refused, the higher
       ``revision`` wins.
    3. Of two tokens of different lineages, neither wins: the one that a person has set up since must stay.
    4. Of two tokens of one lineage, the one with the later expiry wins, then the one without a predecessor (a read has
       succeeded with it), then the one that knows more refused tokens. If the times of either are wrong, the higher
       ``revision`` wins instead.
    """
    if token.is_expired(now) != other.is_expired(now):
        return other.is_expired(now)
    has_refused, was_refused = _has_refused(token, other), _has_refused(other, token)
    if has_refused or was_refused:
        return has_refused and (not was_refused or token.revision > other.revision)
    if token.lineage != other.lineage:
        return False
    if token.has_wrong_times(now) or other.has_wrong_times(now):
        return token.revision > other.revision
    return _rank(token) > _rank(other)


def _has_refused(token: Token, other: Token) -> bool:
    # A lineage is named by the fingerprint of its first token. So in the same lineage, that name in ``refused`` stands
    # for the first token only, not for those renewed from it.
    is_of_refused_lineage = other.lineage != token.lineage and other.lineage in token.refused
    return other.fingerprint in token.refused or is_of_refused_lineage


def _rank(token: Token) -> tuple[datetime, bool, int]:
    # A renewed token must win over the old one even if Instagram's reply had no expiry, so a full lifetime is assumed.
    assumed_expiry = token.issued_at + TOKEN_LIFETIME if token.issued_at else LONG_AGO
    return token.expires_at or assumed_expiry, token.predecessor is None, len(token.refused)
