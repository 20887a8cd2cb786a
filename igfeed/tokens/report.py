"""The report on a token, for the owner."""

from dataclasses import dataclass
from datetime import datetime

from igfeed.errors import StoreError
from igfeed.models import Renewal, Token
from igfeed.tokens.vault import Source, StoredToken


@dataclass(frozen=True)
class TokenReport:
    """How the token was at the time ``at``.

    ``found`` is the token that the next call uses, None if there is none. It may be an untried new value of the
    environment variable; ``token``, ``source`` and ``is_saved`` are then about the one that was in use before.
    ``store_error`` says why the store could not be read, None if it was.
    """

    at: datetime
    last_renewal: Renewal | None
    found: StoredToken | None = None
    is_due: bool = False
    store_error: StoreError | None = None
    environment_problem: str | None = None

    @property
    def token(self) -> Token | None:
        return self.found.tried.token if self.found else None

    @property
    def source(self) -> Source | None:
        return self.found.tried.source if self.found else None

    @property
    def is_saved(self) -> bool:
        return self.found is not None and self.found.tried.is_saved

    @property
    def fingerprint_of_next_call(self) -> str:
        """Of the token that the next call is made with; empty if there is none."""
        return self.found.token.fingerprint if self.found else ""
