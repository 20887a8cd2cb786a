"""How long shared caches may keep our pages, and so how long we must keep the pictures in them."""

from datetime import timedelta

FRESH = 300
STALE_WHILE_REVALIDATE = 86_400
STALE_IF_ERROR = 604_800
"""Seconds for shared caches (RFC 9111, RFC 5861). A page is fresh for the first. A stale page may be shown for the
second while the cache revalidates it, and for the third while we answer with errors."""

_STALE = f"stale-while-revalidate={STALE_WHILE_REVALIDATE}, stale-if-error={STALE_IF_ERROR}"
PAGE = f"public, max-age=0, s-maxage={FRESH}, {_STALE}"
SCRIPT = f"public, max-age={FRESH}, {_STALE}"

NEWS_TRAVEL = timedelta(hours=1)
"""How long another process may take to see that there is a new feed."""

PAGE_IS_SHOWN = timedelta(seconds=FRESH + max(STALE_WHILE_REVALIDATE, STALE_IF_ERROR)) + NEWS_TRAVEL
"""After this time no cache shows an older page any more. So pictures of posts that left may be deleted."""
