"""The tokens that this process remembers, so that none is lost while the store is down."""

from collections.abc import Iterator
from threading import Lock

from igfeed.clock import Clock
from igfeed.models import Token
from igfeed.models.token_choice import wins_over

MAX_SPARES = 8
"""How many spares are kept. Even after a year of cron runs without a store, fewer spares than this are unexpired."""


class Copies:
    """The copy in use, and spares: tokens that were replaced in this process. Threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._copy: Token | None = None
        self._spares: tuple[Token, ...] = ()

    @property
    def copy(self) -> Token | None:
        return self._copy

    def keep(self, token: Token) -> Token:
        """Keep the better of ``token`` and the copy as the copy, and return it. The other one becomes a spare."""
        with self._lock:
            copy = self._copy
            is_copy_better = copy is not None and wins_over(copy, token, self._clock())
            better, other = (copy, token) if copy and is_copy_better else (token, copy)
            self._copy = better
            if other and other.value != better.value:
                # Without a limit a process that runs for years without a store would keep every renewed token.
                rest = (each for each in self._spares if each.value != other.value)
                self._spares = (other, *rest)[:MAX_SPARES]
            return better

    def replace(self, token: Token) -> None:
        """Use this token and forget the others: a person has set it up, and they may belong to another account."""
        with self._lock:
            self._copy, self._spares = token, ()

    def forget(self) -> None:
        """Remember no token any more."""
        with self._lock:
            self._copy, self._spares = None, ()

    def of_lineage(self, lineage: str) -> Iterator[Token]:
        """The tokens of that lineage: the copy first, then the spares, the latest one first."""
        yield from (each for each in (self._copy, *self._spares) if each and each.lineage == lineage)
