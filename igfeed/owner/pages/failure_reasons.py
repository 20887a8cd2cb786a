"""The reason that the studio gives when a form has failed: one of a fixed table of names.

The address of the studio has only the name, so no link can put words onto the page. The translations have a sentence
for each name, under ``reasons``.
"""

from igfeed import errors
from igfeed.errors import IgfeedError

# The first class that fits is taken, so a class comes before its parent.
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
    """The name of the sentence about this kind of error, "unknown" if there is none."""
    return next((name for kind, name in _REASONS if isinstance(error, kind)), "unknown")
