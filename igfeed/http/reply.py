"""What an HTTP request brings: a reply, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass

BEGINNING = 16
"""Bytes of a body that are enough to tell whether it is wanted."""


class TransportError(Exception):
    """The reply did not arrive whole; the text says why and holds nothing of the request.

    ``is_sent`` is False when there was no connection: whoever was to be asked knows nothing of the request.
    """

    def __init__(self, message: str, *, is_sent: bool = True) -> None:
        super().__init__(message)
        self.is_sent = is_sent


class TooSlowError(TransportError):
    """It did not arrive in time: asking for something else would cost as long."""


class RefusedError(TransportError):
    """It is nothing that we take: asking for it again would end in the same way."""


class TooLargeError(RefusedError):
    """It has more bytes than are read."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes
