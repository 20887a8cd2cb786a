"""What the studio says after a form: a fixed table of names, so that no address can put words onto the page.

The words are in the translations, under ``results`` and ``reasons``.
"""

from igfeed import errors
from igfeed.errors import IgfeedError

# The first that fits counts, so a class stands before its parent.
_REASONS: tuple[tuple[type[IgfeedError], str], ...] = (
    (errors.WriteRefused, "write_refused"),
    (errors.StoreError, "store_away"),
    (errors.TokenMissing, "no_token"),
    (errors.TokenExpired, "token_expired"),
    (errors.TokenRejected, "token_rejected"),
    (errors.RateLimited, "rate_limited"),
    (errors.PermissionRefused, "not_permitted"),
    (errors.InstagramUnreachable, "instagram_away"),
)


def reason_of(error: IgfeedError) -> str:
    """The name under which the translations have a sentence about this kind of error."""
    return next((name for kind, name in _REASONS if isinstance(error, kind)), "unknown")
