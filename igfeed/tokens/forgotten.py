"""Which tokens were forgotten on request.

A process that still has such a token in memory, or in its environment, must not store it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from igfeed.errors import StoreError
from igfeed.models import Token
from igfeed.models.lineage import predecessors
from igfeed.models.record import MediaId, Moment, Record
from igfeed.stores import Store
from igfeed.stores.document import Document

FORGOTTEN_KEY = "token-forgotten:v1"

MAX_FORGOTTEN = 100
"""Names of lineages that are remembered. Each request adds a few."""


@dataclass(frozen=True)
class Forgotten(Record):
    """``lineages`` are the names of the forgotten tokens and of what was renewed from them, the latest last.

    ``account_ids`` are the ids of the last one's account. A request to delete its posts may come later.
    """

    at: Moment
    lineages: tuple[str, ...]
    account_ids: frozenset[MediaId] = frozenset()


class ForgottenTokens:
    """The forgotten tokens. Most methods ask the store.

    They are called only if no token is stored, or before the variable's token is used. Both are rare.
    """

    def __init__(self, store: Store) -> None:
        self._document = Document(store, FORGOTTEN_KEY, Forgotten.from_text)

    def add(self, tokens: Sequence[Token], now: datetime) -> None:
        """Let these tokens and all of their lineages count as forgotten. Raises StoreError."""
        known = self._document.read().value or Forgotten(now, ())
        names = [each.lineage for token in tokens for each in (token, *predecessors(token))]
        lineages = tuple(dict.fromkeys([*known.lineages, *names]))[-MAX_FORGOTTEN:]
        ids = frozenset[str]().union(*(token.account_ids for token in tokens)) or known.account_ids
        self._document.write(Forgotten(now, lineages, ids))

    def remove(self, token: Token) -> None:
        """Let this token no longer count as forgotten, because a person has set it up again. Raises StoreError."""
        known = self._document.read().value
        if known and token.lineage in known.lineages:
            rest = tuple(each for each in known.lineages if each != token.lineage)
            self._document.write(replace(known, lineages=rest))

    def account_ids(self) -> frozenset[str]:
        """The known ids of the account whose token was forgotten last. Raises StoreError."""
        known = self._document.read().value
        return known.account_ids if known else frozenset()

    def include(self, token: Token) -> bool:
        """Whether the token was forgotten. If the store does not answer, this process's last reading decides."""
        try:
            known = self._document.read().value
        except StoreError:
            known = self._document.last.value
        return known is not None and token.lineage in known.lineages

    def are_known_to_include(self, token: Token) -> bool:
        """Like ``include``, by this process's last reading. Asks no store."""
        known = self._document.last.value
        return known is not None and token.lineage in known.lineages
