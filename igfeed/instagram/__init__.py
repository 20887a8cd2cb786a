"""What igfeed asks of Instagram: one promise, ``Instagram``, kept by the HTTP client and by the demo account.

The token is an argument of each call. No object here holds it, because the token manager itself needs these calls to
renew it.
"""

from typing import Protocol

from igfeed.models import Media, Profile, Token

RENEWAL_TIME_LIMIT = 50.0
"""Seconds that a renewal may take. They are many, because the old token may be dead if the reply is lost."""


class Instagram(Protocol):
    """Every method raises an ``InstagramError``, except ``picture``, which raises ``PictureUnavailable``."""

    def profile(self, token: str) -> Profile:
        """The account that the token belongs to."""

    def media(self, token: str, limit: int) -> Media:
        """The newest posts of the token's account, at most ``limit``, newest first."""

    def renew(self, token: str, seconds: float = RENEWAL_TIME_LIMIT) -> Token:
        """The renewed token, whose string may be the same. Works from 24 hours of age until the expiry.

        It is not retried after it was sent: ``may_have_taken_effect`` of an ``InstagramUnreachable`` says whether
        Instagram may have renewed the token all the same.
        """

    def exchange(self, token: str, app_secret: str) -> Token:
        """The long-lived token for a short-lived one, which lives for an hour."""

    def picture(self, url: str) -> bytes:
        """The bytes of a picture file, not decoded. Not checked beyond its first bytes."""
