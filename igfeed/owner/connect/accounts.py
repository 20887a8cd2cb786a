"""The account that igfeed knows, to compare it with that of a new token or of a request from Meta.

Instagram has several ids for one account, and any of them may come. ``/me`` sends two: the app's own number for the
account, and the number of the professional account. The exchange of a code has sent a third (Meta's documentation,
recorded replies).
"""

from collections.abc import Collection
from dataclasses import dataclass

from igfeed.services import Services


@dataclass(frozen=True)
class KnownAccount:
    """``feed_ids`` belong to the account whose posts are shown, ``token_ids`` to the account of the token.

    The two accounts differ only until the next fetch. ``username`` is that of the posts, None if nothing was ever
    fetched. Unknown ids are empty.
    """

    username: str | None
    feed_ids: frozenset[str]
    token_ids: frozenset[str]

    @classmethod
    def nobody(cls) -> "KnownAccount":
        """An account that is not set up yet."""
        return cls(None, frozenset(), frozenset())

    def is_other_than(self, username: str, ids: Collection[str]) -> bool:
        """Whether ``username`` and ``ids`` belong to another account than the posts. False if there are no posts."""
        # One match is enough: an account may be renamed, and another app has another number for the same account.
        if self.username is None or self.username.casefold() == username.casefold():
            return False
        return self.feed_ids.isdisjoint(ids)

    def is_account_of(self, username: str, ids: Collection[str]) -> bool:
        """Whether ``username`` or one of ``ids`` is known to be this account's."""
        is_named_so = self.username is not None and self.username.casefold() == username.casefold()
        return is_named_so or not (self.feed_ids | self.token_ids).isdisjoint(ids)


def known_account(services: Services) -> KnownAccount:
    """The account, by the snapshot and the token. Raises StoreError if the store does not answer."""
    snapshot, token_ids = services.feed.newest(), services.tokens.account_ids()
    feed_ids = snapshot.profile.ids if snapshot else frozenset[str]()
    if not feed_ids or not token_ids or feed_ids & token_ids:
        feed_ids = token_ids = feed_ids | token_ids
    return KnownAccount(snapshot.profile.username if snapshot else None, feed_ids, token_ids)
