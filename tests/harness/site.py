"""Tokens, feed and pictures without Flask: one Instagram, one clock, and as many processes as a test wants.

They are put together as `igfeed.services` does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from igfeed.background import in_place
from igfeed.clock import CheckedClock
from igfeed.feed.pictures import Pictures
from igfeed.feed.service import FeedService
from igfeed.history import History
from igfeed.http.transport import Transport
from igfeed.instagram.client import InstagramClient
from igfeed.models import Token
from igfeed.origins import Origins
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.read_ahead import ReadAhead
from igfeed.tokens.document import TOKEN_KEY
from igfeed.tokens.encryption import Cipher, NoCipher
from igfeed.tokens.manager import TokenManager

if TYPE_CHECKING:
    from igfeed.clock import Sleep
    from igfeed.stores import Store
    from tests.harness.clock import MovingClock
    from tests.servers.instagram import FakeInstagram

DAY = timedelta(days=1)


def no_sleep(seconds: float) -> None:
    """In place of the wait before another try."""


@dataclass(frozen=True)
class Process:
    """What one process has. Processes share no memory, only the store."""

    tokens: TokenManager
    pictures: Pictures
    feed: FeedService
    history: History


class Site:
    """Its processes share Instagram, the clock, and the store that they are given."""

    def __init__(self, instagram: FakeInstagram, clock: MovingClock) -> None:
        self.instagram = instagram
        self.clock = clock
        self.client = InstagramClient(
            url=instagram.url,
            version="v25.0",
            media_origins=Origins(instagram.url),
            transport=Transport(user_agent="igfeed/test"),
            clock=CheckedClock(clock),
            sleep=no_sleep,
        )

    def token(self, *, age: timedelta = 30 * DAY, left: timedelta = 30 * DAY) -> Token:
        """A token that Instagram knows; the store does not have it."""
        value = self.instagram.issue(age=age, life=age + left)
        return Token(value, issued_at=self.clock() - age, expires_at=self.clock() + left)

    def stored(self, store: Store, *, age: timedelta = 30 * DAY, left: timedelta = 30 * DAY) -> Token:
        """A token that Instagram knows and the store has."""
        token = self.token(age=age, left=left)
        store.set(TOKEN_KEY, token.to_text())
        return token

    def start(
        self,
        store: Store,
        *,
        environment: str | None = None,
        cipher: Cipher | None = None,
        ttl: timedelta = timedelta(minutes=15),
        check_ttl: timedelta = timedelta(seconds=30),
        posts: int = 12,
        sleep: Sleep = no_sleep,
    ) -> Process:
        store = ReadAhead(GuardedStore(store, self.clock, in_place))
        history = History(store, self.clock)
        tokens = TokenManager(
            self.client,
            store,
            self.clock,
            renew_within=timedelta(days=7),
            cipher=cipher or NoCipher(),
            history=history,
            from_environment=environment,
            sleep=sleep,
        )
        pictures = Pictures(store, self.client, self.clock)
        feed = FeedService(
            self.client,
            tokens,
            pictures,
            store,
            self.clock,
            posts=posts,
            ttl=ttl,
            check_ttl=check_ttl,
            history=history,
            sleep=sleep,
        )
        return Process(tokens, pictures, feed, history)
