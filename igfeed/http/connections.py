"""One request by ``requests``, within its time and its bytes, and nothing of it in what goes wrong."""

import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Literal

import requests
import urllib3

from igfeed.clock import Deadline
from igfeed.http.deadlines import TimedAdapter
from igfeed.http.public_only import PublicOnlyAdapter
from igfeed.http.reply import BEGINNING, Reply, TooLargeError, TooSlowError, TransportError

Way = Literal["any", "public", "patient"]
"""Which connections a request may take: any, those to public addresses only, or those that bear a long silence."""

CHUNK = 64 * 1024

ALL_THE_TIME = 3600.0
"""Seconds of silence that no request is given: what ends it is its own limit."""


class _Secrets(logging.Filter):
    """Takes secrets out of what urllib3 logs: at DEBUG every address whole, at WARNING those with odd headers."""

    PATTERN = re.compile(r"\b(access_token|client_secret|code)=[^&\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.PATTERN.sub(r"\1=…", record.getMessage()), ()
        return True


for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_Secrets())


class _Session(requests.Session):
    """Knows no redirects: even when told not to follow one, ``requests`` reads the whole of it to prepare the next."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  the signature is requests' own
        return None


class Connections:
    """A pool of connections for each way; they keep no cookies, so threads may share them."""

    def __init__(self, user_agent: str) -> None:
        self._sessions: dict[Way, _Session] = {
            "any": _session(user_agent, TimedAdapter),
            "public": _session(user_agent, PublicOnlyAdapter),
            "patient": _session(user_agent, partial(TimedAdapter, ALL_THE_TIME)),
        }

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None,
        deadline: Deadline,
        most_bytes: int,
        wanted: Callable[[bytes], bool] | None,
        *,
        way: Way,
    ) -> Reply:
        """Raises TransportError."""
        session = self._sessions[way]
        try:
            timeout: Any = urllib3.Timeout(total=_left(deadline))  # requests takes one, its types do not say so.
            with session.get(url, params=params, timeout=timeout, stream=True, allow_redirects=False) as response:
                return Reply(response.status_code, response.headers, _read(response.raw, most_bytes, wanted))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            failure = _failure(error, deadline)
        raise failure  # Out here, so that it has not even a context.


def _session(user_agent: str, adapter: Callable[[], TimedAdapter]) -> _Session:
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter())
    session.headers["User-Agent"] = user_agent
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _left(deadline: Deadline) -> float:
    if left := deadline.left():
        return left
    raise TimeoutError


def _failure(error: Exception, deadline: Deadline) -> TransportError:
    """What went wrong. The error's own text holds the address, and so the token: only its name goes on."""
    is_late = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError) or not deadline.left()
    if is_late:
        return TooSlowError("no answer in time", is_sent=_may_be_sent(error))
    return TransportError(f"no answer ({type(error).__name__})", is_sent=_may_be_sent(error))


def _may_be_sent(error: Exception) -> bool:
    """False only where that is certain: ``requests`` wraps what urllib3 says, which names the reason."""
    told = error.args[0] if error.args else None
    reason = getattr(told, "reason", error)
    return not isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _read(raw: urllib3.response.BaseHTTPResponse, most_bytes: int, wanted: Callable[[bytes], bool] | None) -> bytes:
    """The body, read as it comes, so that the bytes are counted before they are kept."""
    body = bytearray()
    while chunk := raw.read1(CHUNK, decode_content=True):
        body += chunk
        if len(body) > most_bytes:
            raise TooLargeError(f"the answer is larger than {most_bytes} bytes")
        if wanted and len(body) >= BEGINNING and not wanted(bytes(body[:BEGINNING])):
            break
    return bytes(body)
