"""Whose account a token or a request of Meta's is about. One account has several ids, and any of them may come.

``/me`` has two: the app's own number for the account, and that of the professional account. The exchange of a code has
told a third (Meta's documentation, recorded replies).
"""

from collections.abc import Collection
from dataclasses import dataclass

from igfeed.services import Services


@dataclass(frozen=True)
class KnownAccount:
    """The account whose posts are shown, and that of the token. They differ only until the next fetch.

    ``username`` is None if nothing was ever fetched. The ids are empty if they are not known.
    """

    username: str | None
    feed_ids: frozenset[str]
    token_ids: frozenset[str]

    def is_other_than(self, username: str, ids: Collection[str]) -> bool:
        """Whether these are of another account. False if nothing is known of ours: there is nothing to lose then."""
        # Either is enough: an account may be renamed, and another app has another number for the same account.
        if self.username is None or self.username.casefold() == username.casefold():
            return False
        return self.feed_ids.isdisjoint(ids)


def known_account(services: Services) -> KnownAccount:
    """What the snapshot and the token say. Raises StoreError if the store does not answer."""
    snapshot, token_ids = services.feed.newest(), services.tokens.account_ids()
    feed_ids = snapshot.profile.ids if snapshot else frozenset[str]()
    if not feed_ids or not token_ids or feed_ids & token_ids:
        feed_ids = token_ids = feed_ids | token_ids
    return KnownAccount(snapshot.profile.username if snapshot else None, feed_ids, token_ids)
