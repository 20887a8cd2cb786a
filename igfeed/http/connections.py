"""Sends one request with ``requests``, within its limits. No error and no log line contains a URL or a secret."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Literal, TypeVar

import requests
import urllib3

from igfeed.clock import Deadline
from igfeed.http.deadlines import TimedAdapter
from igfeed.http.public_only import PublicOnlyAdapter
from igfeed.http.reply import HEAD_BYTES, Reply, TooLargeError, TooSlowError, TransportError

Method = Literal["GET", "POST"]

ConnectionKind = Literal["any", "public", "patient"]
"""``public``: to public addresses only. ``patient``: the server may be silent until the request's own limit is over."""

CHUNK_BYTES = 64 * 1024

PATIENT_SILENCE_LIMIT = 3600.0
"""Seconds. It is longer than the time limit of any request, so only the request's own limit has an effect."""

T = TypeVar("T")

_url_is_secret: ContextVar[bool] = ContextVar("url_is_secret", default=False)


class _SecretsFilter(logging.Filter):
    """Removes secrets from urllib3's log lines. It logs every URL at DEBUG, and at WARNING those with odd headers."""

    PATTERN = re.compile(r"\b(access_token|client_secret|code)=[^&\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        if _url_is_secret.get():
            return False
        record.msg, record.args = self.PATTERN.sub(r"\1=…", record.getMessage()), ()
        return True


# A filter on the logger "urllib3" would not see the records of the loggers below it, so each of them gets one.
for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_SecretsFilter())


class _Session(requests.Session):
    """Ignores redirects. With ``allow_redirects=False`` alone, ``requests`` still reads all of a redirect's body."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  the signature is requests' own
        return None


class Connections:
    """A connection pool for each kind of connection. Threads may share it, as no cookies are kept."""

    def __init__(self, user_agent: str) -> None:
        self._sessions: dict[ConnectionKind, _Session] = {
            "any": _session(user_agent, TimedAdapter),
            "public": _session(user_agent, PublicOnlyAdapter),
            "patient": _session(user_agent, partial(TimedAdapter, PATIENT_SILENCE_LIMIT)),
        }

    def send(
        self,
        method: Method,
        url: str,
        deadline: Deadline,
        most_bytes: int,
        *,
        kind: ConnectionKind,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        wanted: Callable[[bytes], bool] | None = None,
    ) -> Reply:
        """The reply. ``params`` go into the query, ``form`` or ``json`` into the body.

        Raises TransportError.
        """

        def whole(response: requests.Response) -> Reply:
            return Reply(response.status_code, response.headers, _read(response.raw, most_bytes, wanted))

        return _ask(self._sessions[kind], method, url, deadline, whole, params=params, data=form, json=json)

    def deliver(self, url: str, body: bytes, headers: Mapping[str, str], deadline: Deadline) -> int:
        """POST the body. Returns the status of the reply, whose own body is not read. Raises TransportError.

        The whole URL counts as a secret: no log line has any part of it.
        """

        def status(response: requests.Response) -> int:
            return response.status_code

        with _unlogged_url():
            return _ask(self._sessions["any"], "POST", url, deadline, status, data=body, headers=headers)


def _ask(
    session: _Session,
    method: Method,
    url: str,
    deadline: Deadline,
    read: Callable[[requests.Response], T],
    **content: Any,
) -> T:
    """What ``read`` makes of the response. ``content`` is what goes into the request. Raises TransportError."""
    try:
        timeout: Any = urllib3.Timeout(total=_left(deadline))  # requests accepts it, its types do not say so.
        with session.request(method, url, timeout=timeout, stream=True, allow_redirects=False, **content) as response:
            return read(response)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        failure = _failure(error, deadline)
    # Outside of the except block, so that the original exception, which contains the URL, is not its context.
    raise failure


@contextmanager
def _unlogged_url() -> Iterator[None]:
    before = _url_is_secret.set(True)
    try:
        yield
    finally:
        _url_is_secret.reset(before)


def _session(user_agent: str, adapter: Callable[[], TimedAdapter]) -> _Session:
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter())
    session.headers["User-Agent"] = user_agent
    # Without this policy a session keeps cookies, and threads would send the cookies of each other's replies.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _left(deadline: Deadline) -> float:
    if left := deadline.left():
        return left
    raise TimeoutError


def _failure(error: Exception, deadline: Deadline) -> TransportError:
    """Our error for one of requests or urllib3, without its text, which may contain the URL with the token."""
    is_late = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError) or not deadline.left()
    if is_late:
        return TooSlowError("no answer in time", is_sent=_may_be_sent(error))
    return TransportError(f"no answer ({type(error).__name__})", is_sent=_may_be_sent(error))


def _may_be_sent(error: Exception) -> bool:
    """False only if the request was certainly not sent. ``requests`` wraps urllib3's error, which has the reason."""
    wrapped = error.args[0] if error.args else None
    reason = getattr(wrapped, "reason", error)
    return not isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _read(raw: urllib3.response.BaseHTTPResponse, most_bytes: int, wanted: Callable[[bytes], bool] | None) -> bytes:
    """The body. It is read in chunks, because a body that is too large must not fill the memory first."""
    body = bytearray()
    # Counted after decompression, because a small compressed body may become very large.
    while chunk := raw.read1(CHUNK_BYTES, decode_content=True):
        body += chunk
        if len(body) > most_bytes:
            raise TooLargeError(f"the answer is larger than {most_bytes} bytes")
        if wanted and len(body) >= HEAD_BYTES and not wanted(bytes(body[:HEAD_BYTES])):
            break
    return bytes(body)
