"""HTTP with an end: limits on time, on bytes and on where a redirect may lead."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

from igfeed.clock import Deadline

if TYPE_CHECKING:
    from igfeed.instagram.connections import Connections

Way = Literal["any", "public", "patient"]
"""Which connections a request may take: any, those to public addresses only, or those that bear a long silence."""

MOST_REDIRECTS = 3
REDIRECTIONS = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST)


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


class Transport:
    """Threads may share it. It opens nothing before the first request."""

    def __init__(self, user_agent: str) -> None:
        self._user_agent = user_agent

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        seconds: float,
        most_bytes: int,
        is_patient: bool = False,
        allowed: Callable[[str], bool] | None = None,
        trusted: Callable[[str], bool] | None = None,
        wanted: Callable[[bytes], bool] | None = None,
    ) -> Reply:
        """The reply to a GET, read within ``seconds`` and ``most_bytes``.

        A server that is silent for ten seconds is given up before that, unless ``is_patient``.
        Redirects are followed only where ``allowed`` says yes to their target; what ``trusted`` says no to may only
        be reached at a public address. What ``wanted`` says no to, by its beginning, is not read to its end. Raises
        TransportError.
        """
        deadline = Deadline(seconds)
        for _ in range(MOST_REDIRECTS):
            way: Way = "public" if trusted is not None and not trusted(url) else "patient" if is_patient else "any"
            reply = self._connections.get(url, params, deadline, most_bytes, wanted, way=way)
            target = reply.headers.get("Location")
            if allowed is None or reply.status not in REDIRECTIONS or not target:
                return reply
            url, params = _joined(url, target), None
            if not allowed(url):
                raise RefusedError("it was redirected to an address that is not allowed")
        raise RefusedError("it was redirected too often")

    @cached_property
    def _connections(self) -> "Connections":
        # requests is an eighth of a cold start, and a stored feed is shown without it.
        from igfeed.instagram.connections import Connections  # noqa: PLC0415

        return Connections(self._user_agent)


def _joined(url: str, target: str) -> str:
    """Where a redirect leads, empty (and so on no list) where that cannot be read."""
    try:
        return urljoin(url, target)
    except ValueError:
        return ""
