"""How long shared caches may keep our pages, and therefore how long we must keep the pictures on them."""

from datetime import timedelta

FRESH = 300
STALE_WHILE_REVALIDATE = 86_400
STALE_IF_ERROR = 604_800
"""Seconds for shared caches (RFC 9111, RFC 5861). A page is fresh for FRESH. After that, a cache may show the old page
for STALE_WHILE_REVALIDATE while it fetches a new one, and for STALE_IF_ERROR while we answer with errors."""

_STALE = f"stale-while-revalidate={STALE_WHILE_REVALIDATE}, stale-if-error={STALE_IF_ERROR}"
# Browsers ask again each time (max-age=0), so that a reload shows new posts. Only shared caches keep a page.
PAGE = f"public, max-age=0, s-maxage={FRESH}, {_STALE}"
SCRIPT = f"public, max-age={FRESH}, {_STALE}"

PROPAGATION_TIME = timedelta(hours=1)
"""The longest time until every other process shows a new feed."""

PAGE_IS_SHOWN = timedelta(seconds=FRESH + max(STALE_WHILE_REVALIDATE, STALE_IF_ERROR)) + PROPAGATION_TIME
"""The longest time that a cache shows an old page. After it, the pictures of removed posts may be deleted."""
