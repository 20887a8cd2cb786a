"""Which new posts have to be sent to which addresses, and which sending failed: one document in the store.

Each change is written by compare-and-swap before anything is sent. So of several processes that see the same new post,
one sends it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from igfeed.models.record import Count, MediaId, Moment, Name, Record
from igfeed.owner.hooks.known_posts import KnownPosts, Look
from igfeed.stores import Store
from igfeed.stores.document import Document

HOOKS_KEY = "hooks:v1"

MAX_TRIES = 3

MAX_SENDING = timedelta(minutes=1)
"""Within this time after the start of a try the process may still be sending. After it, the process was killed."""

MAX_DELIVERIES = 20


@dataclass(frozen=True)
class Delivery(Record):
    """New posts, and the fingerprints of the addresses that have not accepted them. ``tries`` have begun so far.

    ``sending_until`` keeps other processes from sending it too. None: nobody is sending it.
    """

    posts: tuple[MediaId, ...]
    addresses: tuple[Name, ...]
    tries: Count = 0
    sending_until: Moment | None = None

    def only_to(self, addresses: Collection[str]) -> "Delivery":
        return replace(self, addresses=tuple(each for each in self.addresses if each in addresses))

    def trying(self, now: datetime) -> "Delivery":
        return replace(self, tries=self.tries + 1, sending_until=now + MAX_SENDING)

    def tried(self, failed: Collection[str]) -> "Delivery":
        """After it was sent: left for the addresses that have failed."""
        return replace(self.only_to(failed), sending_until=None)

    def is_due(self, now: datetime, *, retries: bool) -> bool:
        """Whether it has to be sent now. One that was sent before is due for a caller that ``retries``."""
        return self.tries == 0 or (retries and self.tries < MAX_TRIES and not self.is_being_sent(now))

    def is_given_up(self, now: datetime) -> bool:
        return self.tries >= MAX_TRIES and not self.is_being_sent(now)

    def is_being_sent(self, now: datetime) -> bool:
        # A time further ahead was written by a wrong clock.
        return self.sending_until is not None and now < self.sending_until <= now + MAX_SENDING


@dataclass(frozen=True)
class HookFailure(Record):
    """The address with this fingerprint has not accepted the last delivery. ``error`` is a sentence without secrets."""

    address: Name
    error: str


@dataclass(frozen=True)
class Hooks(Record):
    """``told_at`` is when an address has last accepted a delivery."""

    known: KnownPosts | None = None
    deliveries: tuple[Delivery, ...] = ()
    failures: tuple[HookFailure, ...] = ()
    told_at: Moment | None = None

    def after_look(self, found: Look, addresses: Collection[str], now: datetime) -> "Hooks":
        """With a delivery of the look's new posts to these addresses. Nothing is kept for any other address."""
        # On the first look at another account, the posts of the account before it are dropped.
        before = () if found.is_first else self.deliveries
        new = (Delivery(found.new, tuple(addresses)),) if found.new else ()
        left = (each.only_to(addresses) for each in (*before, *new))
        return replace(
            self,
            known=found.known,
            deliveries=tuple(each for each in left if each.addresses and not each.is_given_up(now))[-MAX_DELIVERIES:],
            failures=tuple(each for each in self.failures if each.address in addresses),
        )

    def trying(self, due: Collection[Delivery], now: datetime) -> "Hooks":
        """The document to write before these deliveries are sent."""
        return replace(self, deliveries=tuple(each.trying(now) if each in due else each for each in self.deliveries))

    def tried(self, sent: Delivery, errors: Mapping[str, str | None], now: datetime) -> "Hooks":
        """The document to write after it was sent. ``errors`` has each address that got it, None if it accepted."""
        failed = {address: error for address, error in errors.items() if error}
        left = (each.tried(failed) if each.posts == sent.posts else each for each in self.deliveries)
        before = (each for each in self.failures if each.address not in errors)
        return replace(
            self,
            deliveries=tuple(each for each in left if each.addresses and each.tries < MAX_TRIES),
            failures=(*before, *(HookFailure(address, error) for address, error in failed.items())),
            told_at=now if len(failed) < len(errors) else self.told_at,
        )


def hooks_document(store: Store) -> Document[Hooks]:
    return Document(store, HOOKS_KEY, Hooks.from_text)
