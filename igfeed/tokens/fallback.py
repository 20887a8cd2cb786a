"""A call to Instagram with a token, and with other known tokens if Instagram rejects it."""

import logging
from collections.abc import Callable
from typing import TypeVar

from igfeed.errors import PermissionRefused, TokenRejected, UnexpectedAnswer
from igfeed.models import Token
from igfeed.models.lineage import replacing_rejected
from igfeed.tokens.vault import StoredToken, TokenVault

log = logging.getLogger(__name__)

T = TypeVar("T")


def call_with_fallbacks(vault: TokenVault, found: StoredToken, call: Callable[[str], T]) -> tuple[Token, T]:
    """The token that ``call`` succeeded with, and the result. Saves nothing.

    If Instagram rejects the token, the vault's fallbacks are tried in turn. If the token is an untried value of the
    environment variable, the stored token is also tried after a PermissionRefused or an UnexpectedAnswer.
    Raises what ``call`` raises. If no token works, raises the rejection of the first one, with its fingerprint.
    """
    try:
        return found.token, call(found.token.value)
    except TokenRejected as rejection:
        rejection.token = found.token.fingerprint
        for other in vault.fallbacks(found):
            try:
                result = call(other.value)
            except TokenRejected:
                continue  # Any other error is raised: it says nothing about the token, so nothing is replaced.
            log.warning("The token in use was rejected; another one at hand works and takes its place")
            return replacing_rejected(other, found.token), result
        raise
    except (PermissionRefused, UnexpectedAnswer) as refusal:
        if found.incumbent is None:
            raise
        log.warning("The changed INSTAGRAM_ACCESS_TOKEN is refused, the stored one goes on: %s", refusal)
        return call_with_fallbacks(vault, found.incumbent, call)
