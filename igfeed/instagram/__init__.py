"""What igfeed asks of Instagram: one promise, kept by the HTTP client and by the demo.

Nothing here remembers a token: it is an argument of each call, because the token manager needs the calls to renew one.
"""

from typing import Protocol

from igfeed.models import Media, Profile, Token

RENEWAL_LIMIT = 50.0
"""Seconds that a renewal may take: its answer is worth waiting for, as the old token may not work any more."""


class Instagram(Protocol):
    """Every method raises an ``InstagramError``; ``picture`` raises ``PictureUnavailable``."""

    def profile(self, token: str) -> Profile:
        """The account that the token belongs to."""

    def media(self, token: str, limit: int) -> Media:
        """Its newest posts, at most ``limit``, newest first."""

    def renew(self, token: str, seconds: float = RENEWAL_LIMIT) -> Token:
        """A token with a new life; its string may be the same. Works from 24 hours of age until the expiry.

        It is asked for once: an ``InstagramUnreachable`` says whether it may have been done all the same.
        """

    def exchange(self, token: str, app_secret: str) -> Token:
        """The long-lived token for a short-lived one."""

    def picture(self, url: str) -> bytes:
        """The file of a picture, undecoded."""
