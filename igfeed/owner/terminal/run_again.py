"""What to do after a command has failed.

Most hints are for a server, which tries again by itself. A command ends, so a person has to run it again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from igfeed.errors import InstagramError, RateLimited, StoreError, TokenError, UnexpectedAnswer, WriteRefused

LATER = "Run it again later."
HINTS = {
    InstagramError.hint: LATER,
    RateLimited.hint: LATER,
    UnexpectedAnswer.hint: (
        f"{LATER} If this stays: check at Meta that the app is live and that the account has accepted its tester role."
    ),
    StoreError.hint: "Check that the database is running and that its URL and token are right, and run it again.",
    WriteRefused.hint: "Look at the database's console: its size, its plan and its replicas. Then run it again.",
}
"""For each hint for a server what a command says instead."""

ANOTHER_TOKEN = "Generate another one in the app's dashboard at Meta, and run it again."  # noqa: S105  not a token


def hint_after_command(hint: str) -> str:
    return HINTS.get(hint, hint)


@contextmanager
def nothing_stored() -> Iterator[None]:
    """Errors of Instagram in the block say that no token was stored.

    They name no studio: a new account has none.
    """
    try:
        yield
    except InstagramError as error:
        hint = ANOTHER_TOKEN if error.hint == TokenError.hint else hint_after_command(error.hint)
        error.hint = f"Nothing was stored. {hint}"
        raise
