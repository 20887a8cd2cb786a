"""Whose account a token or a request of Meta's is about. One account has several ids, and any of them may come.

``/me`` has two: the app's own number for the account, and that of the professional account. The exchange of a code has
told a third (Meta's documentation, recorded replies).
"""

from collections.abc import Collection
from dataclasses import dataclass

from igfeed.services import Services


@dataclass(frozen=True)
class KnownAccount:
    """The account whose posts are shown. ``username`` is None if none was ever fetched."""

    username: str | None
    ids: frozenset[str]

    def is_other_than(self, username: str, ids: Collection[str]) -> bool:
        """Whether these are of another account. False if nothing is known of ours: there is nothing to lose then."""
        # Either is enough: an account may be renamed, and another app has another number for the same account.
        if self.username is None or self.username.casefold() == username.casefold():
            return False
        return self.ids.isdisjoint(ids)


def known_account(services: Services) -> KnownAccount:
    """What the snapshot and the token say. Raises StoreError if the store does not answer."""
    token, snapshot = services.tokens.report().token, services.feed.newest()
    ids = (token.account_ids if token else frozenset()) | (snapshot.profile.ids if snapshot else frozenset())
    return KnownAccount(snapshot.profile.username if snapshot else None, ids)
