"""Connections with one time limit for a whole reply, so that a server cannot extend it by sending byte after byte.

``requests`` passes its time limit to the socket, where it starts again with each read, and one line of a reply may take
any number of reads. Here every read gets what is left of the request's ``urllib3.Timeout(total=…)``. So do the TLS
handshake and a proxy's reply to CONNECT. Only the lookup of a host name cannot be interrupted; the system limits it.
"""

import socket
from functools import cache
from http.client import HTTPResponse
from io import BufferedIOBase, BufferedReader, RawIOBase
from typing import Any

from requests.adapters import HTTPAdapter

from igfeed.clock import Deadline

CONNECT_TIME_LIMIT = 3.05
"""Seconds to connect to one address. A little over three, because TCP sends a lost packet again after three."""

SILENCE_LIMIT = 10.0
"""Seconds without a byte after which a reply is given up, unless an adapter has another limit."""

MIN_SOCKET_TIMEOUT = 0.001
"""Seconds. A timeout of 0 would make the socket non-blocking, which raises other errors."""


class _TimedFile(RawIOBase):
    """The bytes from a socket. The socket's timeout at the start becomes the time limit for all reads together."""

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
        # At most one read of the socket, unlike readinto: the time left is set anew before each.
        return self._file.readinto1(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedResponse(HTTPResponse):
    silence = SILENCE_LIMIT

    def __init__(self, connected: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(connected, *args, **kwargs)
        self.fp = BufferedReader(_TimedFile(self.fp, connected, self.silence))


class _Timed:
    """A mixin for urllib3's connections. Their pool sets ``timeout`` to the time left: to connect, then to read."""

    timeout: float

    def _new_conn(self) -> socket.socket:
        deadline = Deadline(self.timeout)
        self.timeout = min(self.timeout, CONNECT_TIME_LIMIT)
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]  # of the connection it is mixed into
        # The rest of the time is for the TLS handshake and for a proxy's reply.
        connected.settimeout(max(deadline.left(), MIN_SOCKET_TIMEOUT))
        return connected


@cache
def _timed(connection: type, silence: float) -> type:
    # A pool serves many requests, and its class was replaced for the first of them.
    if issubclass(connection, _Timed):
        return connection
    response = type("_TimedResponse", (_TimedResponse,), {"silence": silence})
    return type(connection.__name__, (_Timed, connection), {"response_class": response})


class TimedAdapter(HTTPAdapter):
    """Puts the time limit on every kind of connection, also through a proxy.

    ``silence`` is the number of seconds that may pass without a byte, SILENCE_LIMIT by default.
    """

    def __init__(self, silence: float | None = None) -> None:
        self._silence = SILENCE_LIMIT if silence is None else silence
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _timed(pool.ConnectionCls, self._silence)
        return pool
