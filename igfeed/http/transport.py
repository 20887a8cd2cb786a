"""GET and POST with limits on the time, on the bytes and on where a redirect may lead."""

from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from igfeed.clock import Deadline
from igfeed.http.reply import RefusedError, Reply

if TYPE_CHECKING:
    from igfeed.http.connections import ConnectionKind, Connections

# Redirects are not left to requests, because each target must be checked before it is connected to.
MAX_REDIRECTS = 3
REDIRECT_STATUSES = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST)


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
        """The reply to a GET, whatever its status is.

        It must arrive within ``seconds``, and after ten seconds without a byte the request ends early, unless
        ``is_patient``. Without ``allowed``, a redirect is the reply; with it, each redirect's target must be allowed.
        If ``trusted`` is False for a URL, only a public address is connected to. If ``wanted`` is False for the first
        bytes of the body, the rest is not read. Raises TransportError.
        """
        deadline = Deadline(seconds)
        for _ in range(MAX_REDIRECTS):
            kind = _kind(is_public_only=trusted is not None and not trusted(url), is_patient=is_patient)
            reply = self._connections.send("GET", url, deadline, most_bytes, kind=kind, params=params, wanted=wanted)
            target = reply.headers.get("Location")
            if allowed is None or reply.status not in REDIRECT_STATUSES or not target:
                return reply
            url, params = _joined(url, target), None  # The target has a query of its own.
            if not allowed(url):
                raise RefusedError("it was redirected to an address that is not allowed")
        raise RefusedError("it was redirected too often")

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        seconds: float,
        most_bytes: int,
        is_patient: bool = False,
    ) -> Reply:
        """The reply to a POST of ``form`` or of ``json``, within the same limits as ``get``.

        A redirect is never followed: it is the reply, because the body is meant for this address only. Put secrets
        into the body, never into the URL. Raises TransportError.
        """
        kind = _kind(is_public_only=False, is_patient=is_patient)
        return self._connections.send("POST", url, Deadline(seconds), most_bytes, kind=kind, form=form, json=json)

    def deliver(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> int:
        """POST the body to a URL that is a secret as a whole, and return the status of the reply.

        The reply's body is not read, and a redirect is not followed. Raises TransportError, also if the status did not
        arrive within ``seconds``.
        """
        return self._connections.deliver(url, body, headers, Deadline(seconds))

    @cached_property
    def _connections(self) -> "Connections":
        # Importing requests takes an eighth of a cold start, and a stored feed is shown without it.
        from igfeed.http.connections import Connections  # noqa: PLC0415

        return Connections(self._user_agent)


def _kind(*, is_public_only: bool, is_patient: bool) -> "ConnectionKind":
    if is_public_only:
        return "public"
    return "patient" if is_patient else "any"


def _joined(url: str, target: str) -> str:
    """The URL that a redirect leads to. Empty, and so never allowed, if it cannot be parsed."""
    try:
        return urljoin(url, target)
    except ValueError:
        return ""
