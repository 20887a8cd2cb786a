"""The token of the variable INSTAGRAM_ACCESS_TOKEN, and when it is used."""

from collections.abc import Iterable
from datetime import datetime

from igfeed.models import Token
from igfeed.models.pasted import other_kind
from igfeed.models.token_choice import wins_over


class EnvironmentToken:
    """``token`` is None if the variable is not set, or if it holds a token of another API of Meta.

    In the second case ``problem`` is a sentence for the owner, else it is None.
    """

    def __init__(self, value: str | None) -> None:
        kind = other_kind(value or "")
        self.problem = f"INSTAGRAM_ACCESS_TOKEN holds {kind}; it is not used." if kind else None
        self.token = Token(value, from_environment=True) if value and not kind else None

    def is_last_resort(self, kept: Token, now: datetime) -> bool:
        """Whether to use it because the kept token has expired. ``kept`` is what the store or this process has."""
        return self.token is not None and self.token.lineage != kept.lineage and kept.is_expired(now)

    def candidate(self, kept: Token, copies: Iterable[Token], now: datetime) -> Token | None:
        """The token to try before ``kept`` because the variable has changed; None if it has not.

        ``copies`` are this process's tokens of the variable's lineage. If one is better than the variable's own token,
        because it was renewed while the store was away, it is returned instead.
        """
        token = self.token
        # A token that a person has set up by hand stays, whatever the variable says.
        if token is None or not kept.from_environment or kept.lineage == token.lineage:
            return None
        if token.value == kept.value:
            return None  # Somebody has written the renewed token back into the variable.
        # A process with an earlier value of the variable may still run beside one with the new value. So a value counts
        # as changed only until it was once replaced by another value or rejected: both add it to `refused`.
        if token.fingerprint in kept.refused:
            return None
        return next((each for each in copies if wins_over(each, token, now)), token)
