"""The calls that igfeed makes: the protocol ``Instagram``, implemented by the HTTP client and by the demo account.

The token is an argument of each call, and no object here keeps it: the token manager uses these calls itself to renew
it.
"""

from typing import Protocol

from igfeed.instagram.reading import IsShown, every_post
from igfeed.models import Media, Profile, Token

RENEWAL_TIME_LIMIT = 50.0
"""Seconds that a renewal may take. It is so long because the old token may no longer work if the reply is lost."""


class Instagram(Protocol):
    """Every method raises an ``InstagramError``, except ``picture``, which raises ``PictureUnavailable``."""

    def profile(self, token: str) -> Profile:
        """The account that the token belongs to."""

    def media(self, token: str, limit: int, is_shown: IsShown = every_post) -> Media:
        """The newest posts of the token's account, newest first, until ``limit`` of them are shown.

        It passes over a bounded number of posts that are not shown. They are in the result too.
        """

    def renew(self, token: str, seconds: float = RENEWAL_TIME_LIMIT) -> Token:
        """The renewed token, whose string may be the same. Works from 24 hours of age until the expiry.

        Once sent, the request is not retried: ``may_have_taken_effect`` of an ``InstagramUnreachable`` says whether
        Instagram may have renewed the token nevertheless.
        """

    def exchange(self, token: str, app_secret: str) -> Token:
        """The long-lived token for a short-lived one, which lives for an hour."""

    def picture(self, url: str) -> bytes:
        """The bytes of a picture file. Only the first bytes are checked; nothing is decoded."""
