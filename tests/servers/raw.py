"""For what no HTTP server can be brought to say: replies that go wrong before they are one, in clear and over TLS.

A `Talk` has one connection to itself and says on it what it likes; the functions below make talks, some out of others.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socket import socket
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from .faults import HOST, PATIENCE

Talk: TypeAlias = Callable[[socket, Event], None]
"""Speaks on a connection until it has nothing more to say, or until the event is set."""

INTERVAL = 0.02
"""Seconds between two drops: far less than any limit on a single read."""


def says(reply: bytes) -> Talk:
    def talk(connection: socket, over: Event) -> None:
        read_head(connection)
        connection.sendall(reply)

    return talk


def drips(begin: bytes, drop: bytes) -> Talk:
    """That beginning, then drop after drop for as long as somebody listens; the first request is waited for."""

    def talk(connection: socket, over: Event) -> None:
        read_head(connection)
        connection.sendall(begin)
        for _ in range(int(PATIENCE / INTERVAL)):
            if over.wait(INTERVAL):
                return
            connection.sendall(drop)

    return talk


def drips_unasked(drop: bytes) -> Talk:
    """Drop after drop in place of a TLS handshake."""

    def talk(connection: socket, over: Event) -> None:
        for _ in range(int(PATIENCE / INTERVAL)):
            if over.wait(INTERVAL):
                return
            connection.sendall(drop)

    return talk


def tunnel(inner: Talk) -> Talk:
    """A proxy that agrees to CONNECT, and is the other end as well."""

    def talk(connection: socket, over: Event) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        inner(connection, over)

    return talk


def encrypted(inner: Talk, context: ssl.SSLContext) -> Talk:
    def talk(connection: socket, over: Event) -> None:
        with context.wrap_socket(connection, server_side=True) as safe:
            inner(safe, over)

    return talk


def read_head(connection: socket) -> bytes:
    """All up to the empty line, or to the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and (byte := connection.recv(1)):
        head += byte
    return head


class _Handler(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        with suppress(OSError):  # Whoever listened has gone.
            self.server.talk(self.request, self.server.over)


class _Server(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.over = Event()
        super().__init__((HOST, 0), _Handler)


@contextmanager
def listening(talk: Talk) -> Iterator[str]:
    """``127.0.0.1:PORT``, where every connection gets this talk."""
    with _Server(talk) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"{HOST}:{server.server_address[1]}"
        finally:
            server.over.set()
            server.shutdown()


def identity(name: str, folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of our own for that name and for 127.0.0.1: the file to trust, and what a server needs."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ip_address(HOST))])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    trusted, private = folder / "certificate.pem", folder / "key.pem"
    trusted.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return trusted, context
