"""Tells each address of each new post. However many processes there are, it is told once."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from flask import Flask

from igfeed.errors import StoreError
from igfeed.feed.rules.arrangement import arranged
from igfeed.http.transport import Transport
from igfeed.models import FeedSnapshot
from igfeed.owner.hooks.addresses import HookAddress, hook_addresses
from igfeed.owner.hooks.deliveries import Delivery, Hooks, hooks_document
from igfeed.owner.hooks.known_posts import look
from igfeed.owner.hooks.payload import body_of
from igfeed.owner.hooks.sender import send
from igfeed.services import USER_AGENT, Services
from igfeed.stores.document import Document
from igfeed.threads import ThreadPool

MAX_SWAP_ATTEMPTS = 5


class Begun(NamedTuple):
    """The document as it was written, its text, and the deliveries that this process has to send."""

    hooks: Hooks
    text: str | None
    due: Sequence[Delivery]


class Message(NamedTuple):
    delivery: Delivery
    body: bytes


def tell(app: Flask, services: Services, *, retries: bool) -> None:
    """Look for new posts in what this process knows of the feed, and tell the addresses of them.

    With ``retries``, deliveries that failed before are tried again. Raises StoreError if the store cannot keep what is
    being sent. Then nothing is sent, because another process would send it again.
    """
    snapshot, addresses = services.feed.whole, hook_addresses(services.settings)
    if snapshot is None or not addresses:
        return
    document = hooks_document(services.store)
    begun = _begin(services, document, snapshot, addresses, retries=retries)
    shown = arranged(snapshot, services.settings.posts)
    bodies = ((each, body_of(app, services, shown, each.posts)) for each in begun.due)
    messages = [Message(delivery, body) for delivery, body in bodies if body]
    if messages:
        _end(services, document, begun, _send(services, messages, addresses))


def _begin(
    services: Services,
    document: Document[Hooks],
    snapshot: FeedSnapshot,
    addresses: Collection[HookAddress],
    *,
    retries: bool,
) -> Begun:
    """Write what is known after a look at the snapshot, and that the due deliveries are being sent."""
    now, fingerprints = services.clock(), [each.fingerprint for each in addresses]
    for _ in range(MAX_SWAP_ATTEMPTS):
        text, stored = document.read()
        before = stored or Hooks()
        looked = before.after_look(look(before.known, snapshot, services.settings.posts, now), fingerprints, now)
        due = [each for each in looked.deliveries if each.is_due(now, retries=retries)]
        hooks = looked.trying(due, now)
        if hooks == stored:
            return Begun(hooks, text, ())
        if document.swap(text, hooks):
            return Begun(hooks, hooks.to_text(), due)
    raise StoreError("Other processes have kept changing the document of what was told.")


def _send(
    services: Services, messages: Sequence[Message], addresses: Collection[HookAddress]
) -> list[tuple[Delivery, dict[str, str | None]]]:
    """Send to all addresses at the same time. Returns each delivery with its errors by the addresses' fingerprints."""
    transport, secret = Transport(user_agent=USER_AGENT), services.settings.hook_secret

    def errors_of(address: HookAddress) -> dict[tuple[str, ...], str | None]:
        mine = [each for each in messages if address.fingerprint in each.delivery.addresses]
        errors = send(transport, address, [each.body for each in mine], secret)
        return {each.delivery.posts: error for each, error in zip(mine, errors, strict=True)}

    with ThreadPool(len(addresses), thread_name_prefix="igfeed-hook") as threads:
        found = dict(zip((each.fingerprint for each in addresses), threads.map(errors_of, addresses), strict=True))
    return [
        (each.delivery, {address: found[address][each.delivery.posts] for address in each.delivery.addresses})
        for each in messages
    ]


def _end(
    services: Services,
    document: Document[Hooks],
    begun: Begun,
    results: Sequence[tuple[Delivery, dict[str, str | None]]],
) -> None:
    """Write what became of the deliveries."""
    now = services.clock()
    text, hooks = begun.text, begun.hooks
    for _ in range(MAX_SWAP_ATTEMPTS):
        for delivery, errors in results:
            hooks = hooks.tried(delivery, errors, now)
        if document.swap(text, hooks):
            return
        text, stored = document.read()
        if stored is None:
            return
        hooks = stored
