"""HTTP with an end: limits on time, on bytes and on where a redirect may lead."""

from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from igfeed.clock import Deadline
from igfeed.http.reply import RefusedError, Reply

if TYPE_CHECKING:
    from igfeed.http.connections import Connections, Way

MOST_REDIRECTS = 3
REDIRECTIONS = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST)


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
        from igfeed.http.connections import Connections  # noqa: PLC0415

        return Connections(self._user_agent)


def _joined(url: str, target: str) -> str:
    """Where a redirect leads, empty (and so on no list) where that cannot be read."""
    try:
        return urljoin(url, target)
    except ValueError:
        return ""
