"""Sends bodies to an address, within a time limit. No part of an address reaches a log or an error."""

import logging
from collections.abc import Sequence
from http import HTTPStatus

from igfeed.clock import Deadline
from igfeed.http.reply import TransportError
from igfeed.http.transport import Transport
from igfeed.owner.hooks.addresses import HookAddress
from igfeed.owner.hooks.payload import headers_of

log = logging.getLogger(__name__)

SENDING_TIME_LIMIT = 10.0
"""Seconds for all bodies that one address gets at a time."""

ACCEPTED = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)
REDIRECTS = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST)


def send(transport: Transport, address: HookAddress, bodies: Sequence[bytes], secret: str | None) -> list[str | None]:
    """Send the bodies one after the other. For each: None if the address has accepted it, else a sentence why not."""
    deadline = Deadline(SENDING_TIME_LIMIT)
    errors = [_error(transport, address, body, secret, deadline) for body in bodies]
    for error in errors:
        if error:
            log.warning("Address %d of IGFEED_ON_NEW_POST was not told of a new post. %s", address.number, error)
        else:
            log.info("Address %d of IGFEED_ON_NEW_POST was told of a new post", address.number)
    return errors


def _error(
    transport: Transport, address: HookAddress, body: bytes, secret: str | None, deadline: Deadline
) -> str | None:
    try:
        status = transport.deliver(address.url, body, headers_of(body, secret), seconds=deadline.left())
    except TransportError as error:
        return f"There was {error}."
    if status in ACCEPTED:
        return None
    if status in REDIRECTS:
        return f"It answered with HTTP status {status}: igfeed follows no redirect."
    return f"It answered with HTTP status {status}."
