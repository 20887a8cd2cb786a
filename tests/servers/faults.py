"""Because most of what the app must survive is a service that misbehaves, both fakes share one server that can.

`FakeServer` listens on a real socket, keeps connections alive and plays at most one fault per request. A fault is any
callable that takes the `Exchange`: an `Answer` is one (it is sent in place of the true answer), the constructors below
make the others. Every wait in here ends at once with `heal()`, `stop()` or `close()`, so no test ever sleeps.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit

HOST = "127.0.0.1"
PATIENCE = 60.0
"""Seconds after which a held or hanging request goes on by itself, so that a broken test ends instead of freezing."""


@dataclass(frozen=True)
class Request:
    """What a client sent: `path` without the query, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """A whole HTTP reply; used as a fault, it takes the place of the true one.

    `length` overrules Content-Length: with more than the body has, the connection ends in the middle of the reply.
    `chunked` sends the body without telling its length beforehand.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    chunked: bool = False

    def __call__(self, exchange: Exchange) -> None:
        exchange.send(self)

    @property
    def cut_short(self) -> bool:
        return self.length is not None and self.length > len(self.body)

    def head(self) -> bytes:
        reason = BaseHTTPRequestHandler.responses.get(self.status, ("Unknown",))[0]
        size = len(self.body) if self.length is None else self.length
        lines = [f"HTTP/1.1 {self.status} {reason}", f"Content-Type: {self.content_type}"]
        lines.append("Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {size}")
        lines.extend(f"{name}: {value}" for name, value in self.headers.items())
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def payload(self) -> bytes:
        if not self.chunked:
            return self.body
        parts = (self.body[i : i + 65536] for i in range(0, len(self.body), 65536))
        return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


class Exchange:
    """One request and the ways to answer it, as a fault sees them."""

    def __init__(self, handler: Handler, request: Request) -> None:
        self.request = request
        self.status: int | None = None
        self.released = threading.Event()
        self._handler = handler
        self._fake = handler.server.fake

    def execute(self) -> Answer:
        """Do what was asked for and return the true answer without sending it."""
        return self._fake.answer(self.request)

    def send(self, answer: Answer) -> None:
        answer = self._begin(answer)
        payload = b"" if self.request.method == "HEAD" else answer.payload()
        self._handler.connection.sendall(answer.head() + payload)
        if answer.cut_short:
            self.close()

    def send_half(self, answer: Answer) -> None:
        """Promise the whole body, send half of it and end the connection."""
        answer = self._begin(answer)
        self._handler.connection.sendall(answer.head() + answer.body[: max(1, len(answer.body) // 2)])
        self.close()

    def send_slowly(self, answer: Answer, interval: float) -> None:
        """One byte of the body every `interval` seconds; the rest at once when released."""
        answer = self._begin(answer)
        connection = self._handler.connection
        connection.sendall(answer.head())
        for place in range(len(answer.body)):
            if self.released.is_set():
                connection.sendall(answer.body[place:])
                return
            connection.sendall(answer.body[place : place + 1])
            self.wait(interval)

    def reset(self) -> None:
        """End the connection with RST: the client sees "connection reset by peer"."""
        self._handler.reset()

    def close(self) -> None:
        """End the connection in the ordinary way (FIN)."""
        self._handler.close_connection = True

    def wait(self, seconds: float) -> None:
        """Let time pass for this request only; cut short by heal(), stop() and close()."""
        self.released.wait(min(seconds, PATIENCE))

    def _begin(self, answer: Answer) -> Answer:
        answer = self._fake.dress(self.request, answer)
        # Before the bytes leave: a test that has its reply must find the status in the log already.
        self.status = answer.status
        return answer


Fault: TypeAlias = Callable[[Exchange], None]


def answer(
    status: int = 200,
    body: bytes | str = b"",
    content_type: str = "text/plain",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Exactly this reply."""
    return Answer(status, body.encode() if isinstance(body, str) else body, content_type, headers or {})


def html_error(status: int = 500) -> Answer:
    """The HTML page that a load balancer sends where JSON was expected."""
    page = f"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>{status}</h1></body></html>"
    return Answer(status, page.encode(), "text/html; charset=utf-8")


def reset() -> Fault:
    """The connection is reset; nothing was done."""
    return Exchange.reset


def reset_after() -> Fault:
    """Everything was done, but the connection is reset in place of the reply."""

    def play(exchange: Exchange) -> None:
        exchange.execute()
        exchange.reset()

    return play


def close_after() -> Fault:
    """Everything was done, but the connection ends without a reply."""

    def play(exchange: Exchange) -> None:
        exchange.execute()
        exchange.close()

    return play


def done_but(answer: Answer) -> Fault:
    """Everything was done, but the reply is another one."""

    def play(exchange: Exchange) -> None:
        exchange.execute()
        exchange.send(answer)

    return play


def hang(seconds: float = PATIENCE) -> Fault:
    """No reply for so long, then a reset; nothing was done."""

    def play(exchange: Exchange) -> None:
        exchange.wait(seconds)
        exchange.reset()

    return play


def slow(seconds: float) -> Fault:
    """The true reply, but only after so many seconds."""

    def play(exchange: Exchange) -> None:
        exchange.wait(seconds)
        exchange.send(exchange.execute())

    return play


def drip(interval: float = 0.1) -> Fault:
    """The true reply, one byte of its body every `interval` seconds: no single read ever times out."""

    def play(exchange: Exchange) -> None:
        exchange.send_slowly(exchange.execute(), interval)

    return play


def truncate() -> Fault:
    """The first half of the true reply, then the end of the connection."""

    def play(exchange: Exchange) -> None:
        exchange.send_half(exchange.execute())

    return play


Matcher: TypeAlias = Callable[[Request], bool]


class Gate:
    """Holds requests until the test lets them go; also a context manager that releases at its end."""

    def __init__(self, matches: Matcher) -> None:
        self.arrived = threading.Event()
        """Set as soon as one request is being held."""
        self.matches = matches
        self._held = 0
        self._changed = threading.Condition()
        self._released = threading.Event()

    def pass_through(self) -> None:
        """Called by the server: returns when the gate is open."""
        if self._released.is_set():
            return
        with self._changed:
            self._held += 1
            self._changed.notify_all()
        self.arrived.set()
        self._released.wait(PATIENCE)

    def wait(self, count: int = 1, timeout: float = 10.0) -> bool:
        """Wait until `count` requests have come to the gate; False when they did not in `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._held >= count, timeout)

    def release(self) -> None:
        """Let the held ones and all later ones through."""
        self._released.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@dataclass
class Rule:
    """A fault that waits for its requests: lets `after` of them pass, then meets `times` (None: all)."""

    name: str
    fault: Fault
    matches: Matcher
    times: int | None
    after: int
    released: threading.Event = field(default_factory=threading.Event)

    def take(self, request: Request) -> bool:
        if self.times == 0 or not self.matches(request):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class FakeServer:
    """A misbehaving HTTP/1.1 server on 127.0.0.1; its subclasses say what the true answers are.

    `errors` holds what went wrong inside the fake itself; leaving the `with` block raises the first of them, so that
    a mistake in here never passes for a fault that a test asked for.
    """

    def __init__(self, port: int = 0) -> None:
        self.errors: list[Exception] = []
        self._lock = threading.RLock()
        self._port = port
        self._listener: Listener | None = None
        self._placeholder: socket.socket | None = None
        self._rules: list[Rule] = []
        self._gates: list[tuple[str, Gate]] = []

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`; the port is known from the first start() on and never changes."""
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Listen: on a free port the first time, on the same one ever after."""
        if self._listener is not None:
            return
        self._drop_placeholder()
        self._listener = Listener(self._port, self)
        self._port = self._listener.server_address[1]
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections and cut the open ones; what the server knows is kept for start()."""
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        listener.shutdown()
        listener.server_close()
        listener.cut_connections()
        self._release()  # After the cut, or what was held would still be answered.
        listener.wait_for_the_last()
        # Bound but not listening: connections are refused, and no other process can get the port meanwhile.
        self._placeholder = socket.socket()
        self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._placeholder.bind((HOST, self._port))

    def close(self) -> None:
        """Stop for good; may be called twice."""
        self.stop()
        self._drop_placeholder()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if kind is None and self.errors:
            raise self.errors[0]

    def answer(self, request: Request) -> Answer:
        """Do what the request asks for and return the true answer."""
        raise NotImplementedError

    def note(self, exchange: Exchange, fault: str | None) -> None:
        """Log the request; called before anything is answered."""
        raise NotImplementedError

    def dress(self, request: Request, answer: Answer) -> Answer:
        """Last touch to every answer that is sent, injected ones too."""
        return answer

    def serve(self, exchange: Exchange) -> None:
        """Called once per request, in the thread of its connection."""
        request = exchange.request
        with self._lock:
            rule = next((rule for rule in self._rules if rule.take(request)), None)
            gates = [gate for _, gate in self._gates if gate.matches(request)]
            self.note(exchange, rule.name if rule else None)
            if rule:
                exchange.released = rule.released
        for gate in gates:
            gate.pass_through()
        if rule:
            rule.fault(exchange)
        else:
            exchange.send(exchange.execute())

    def _add_rule(self, rule: Rule) -> None:
        with self._lock:
            self._rules.append(rule)

    def _add_gate(self, name: str, matches: Matcher) -> Gate:
        gate = Gate(matches)
        with self._lock:
            self._gates.append((name, gate))
        return gate

    def _heal(self, name: str | None) -> None:
        """Forget the faults and gates of that name (None: all) and let their requests go on."""
        with self._lock:
            for rule in [rule for rule in self._rules if name in (None, rule.name)]:
                self._rules.remove(rule)
                rule.released.set()
            for entry in [entry for entry in self._gates if name in (None, entry[0])]:
                self._gates.remove(entry)
                entry[1].release()

    def _release(self) -> None:
        """Let everything that waits go on, but keep the faults for the requests to come."""
        with self._lock:
            for rule in self._rules:
                rule.released.set()
                rule.released = threading.Event()
            for _, gate in self._gates:
                gate.release()

    def _drop_placeholder(self) -> None:
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None


class Listener(ThreadingTCPServer):
    """The listening socket. Not HTTPServer, which looks up its own host name (slow on some networks)."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, fake: FakeServer) -> None:
        self.fake = fake
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((HOST, port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def cut_connections(self) -> None:
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def wait_for_the_last(self) -> None:
        """Wait for the threads that serve connections."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._open, PATIENCE):
                raise RuntimeError("requests are still being served")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep it for the end of the test; nothing is printed, and a client that went away is no error."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.fake.errors.append(error)


class Handler(BaseHTTPRequestHandler):
    """One connection: reads requests and gives them to the fake."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any, **__: Any) -> None:
        """Nothing is printed: the fakes keep a log of their own."""

    def do_any(self) -> None:
        self.server.fake.serve(Exchange(self, self._read()))

    def reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # close() alone would wait for the two file objects made of this socket, and an orderly end go out first.
        os.close(self.connection.detach())

    def _read(self) -> Request:
        size = int(self.headers.get("Content-Length") or 0)
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, url.path, url.query, headers, self.rfile.read(size) if size else b"")


for _method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    setattr(Handler, f"do_{_method}", Handler.do_any)


def show(**settings: str) -> None:
    """Print settings as a person can paste them into `.env.local`."""
    sys.stdout.writelines(f"{name}={value}\n" for name, value in settings.items())
    sys.stdout.flush()


def run_until_stopped() -> None:
    """Wait for Ctrl-C or SIGTERM, so that a fake run by hand still closes in order."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
