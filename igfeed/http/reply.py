"""The reply to an HTTP request, and the errors that are raised if there is none."""

from collections.abc import Mapping
from dataclasses import dataclass

HEAD_BYTES = 16
"""How many of a body's first bytes are passed to ``wanted``. They are enough to recognise a file type."""


class TransportError(Exception):
    """No complete reply has arrived. The message says why and contains nothing of the request.

    ``is_sent`` is False if there was no connection, so that the server cannot have received the request.
    """

    def __init__(self, message: str, *, is_sent: bool = True) -> None:
        super().__init__(message)
        self.is_sent = is_sent


class TooSlowError(TransportError):
    """The reply did not arrive in time. The next request to this server may take as long."""


class RefusedError(TransportError):
    """We do not accept this reply. The same request would get the same reply again."""


class TooLargeError(RefusedError):
    """The reply has more bytes than the limit."""


@dataclass(frozen=True)
class Reply:
    """A complete reply, or the beginning of one if ``wanted`` said no. The keys of ``headers`` ignore case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
