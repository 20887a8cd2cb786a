"""How long others may keep a page of ours, and how long we therefore keep what it shows."""

from datetime import timedelta

FRESH = 300
STALE_WHILE_REVALIDATE = 86_400
STALE_IF_ERROR = 604_800
"""Seconds: a shared cache gives a page out without asking for the first, then for so long while it asks anew, and for
so long while we do not answer (RFC 9111, RFC 5861)."""

_STALE = f"stale-while-revalidate={STALE_WHILE_REVALIDATE}, stale-if-error={STALE_IF_ERROR}"
PAGE = f"public, max-age=0, s-maxage={FRESH}, {_STALE}"
SCRIPT = f"public, max-age={FRESH}, {_STALE}"

NEWS_TRAVEL = timedelta(hours=1)
"""How long another process may take to see that there is a new feed."""

PAGE_IS_SHOWN = timedelta(seconds=FRESH + max(STALE_WHILE_REVALIDATE, STALE_IF_ERROR)) + NEWS_TRAVEL
"""After so long no cache shows a page from before any more, so the pictures of posts that left can go."""
