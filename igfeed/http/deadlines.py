"""Connections with one time limit for all of a reply: it cannot be outlived byte by byte.

``requests`` gives its limits to the socket, where each read has them anew, and one line of a reply may take any number
of reads. Here every read has what is left of the request's ``urllib3.Timeout(total=…)``, and so have the handshake of
TLS and a proxy's reply to CONNECT. Only the resolving of a name cannot be interrupted; the system limits it.
"""

import socket
from functools import cache
from http.client import HTTPResponse
from io import BufferedIOBase, BufferedReader, RawIOBase
from typing import Any

from requests.adapters import HTTPAdapter

from igfeed.clock import Deadline

CONNECT_LIMIT = 3.05
"""Seconds to connect to one address: a little over a multiple of three, as TCP repeats a lost packet after three."""

READ_LIMIT = 10.0
"""Seconds without a byte, unless an adapter says otherwise."""

A_MOMENT = 0.001
"""Seconds; none at all would mean a socket that never waits, in place of one that waits no longer."""


class _TimedFile(RawIOBase):
    """What comes from a socket, until the time is over that the socket has now."""

    def __init__(self, file: BufferedIOBase, connected: socket.socket, silence: float) -> None:
        self._file = file
        self._socket = connected
        self._silence = silence
        self._deadline = Deadline(connected.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline.left()
        if not left:
            raise TimeoutError
        self._socket.settimeout(min(left, self._silence))
        return self._file.readinto1(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedResponse(HTTPResponse):
    silence = READ_LIMIT

    def __init__(self, connected: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(connected, *args, **kwargs)
        self.fp = BufferedReader(_TimedFile(self.fp, connected, self.silence))


class _Timed:
    """Mixed into urllib3's connections, whose pools set ``timeout`` to what is left, now and again before the reply."""

    timeout: float

    def _new_conn(self) -> socket.socket:
        deadline = Deadline(self.timeout)
        self.timeout = min(self.timeout, CONNECT_LIMIT)
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]  # of the connection it is mixed into
        connected.settimeout(max(deadline.left(), A_MOMENT))
        return connected


@cache
def _timed(connection: type, silence: float) -> type:
    if issubclass(connection, _Timed):
        return connection
    response = type("_TimedResponse", (_TimedResponse,), {"silence": silence})
    return type(connection.__name__, (_Timed, connection), {"response_class": response})


class TimedAdapter(HTTPAdapter):
    """Times whatever kind of connection it would have made, one through a proxy included.

    ``silence`` is how many seconds may pass without a byte, if not the usual ones.
    """

    def __init__(self, silence: float | None = None) -> None:
        self._silence = READ_LIMIT if silence is None else silence
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _timed(pool.ConnectionCls, self._silence)
        return pool
