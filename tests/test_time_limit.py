"""One time limit for all of a reply, from its first line to its last byte: in clear, over TLS, behind a proxy."""

import gzip
import ssl
from collections.abc import Callable
from pathlib import Path
from socket import socket
from threading import Event

import pytest

from igfeed.http.reply import Reply, TooSlowError
from igfeed.http.transport import Transport
from tests.harness.leaks import told_by
from tests.servers.instagram import FakeInstagram
from tests.servers.raw import Talk, drips, drips_unasked, encrypted, identity, listening, says, tunnel

NAME = "instagram.test"
SECRET = "IGAAsecret"
FEW_SECONDS = 0.5

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: 7\r\n\r\narrived"
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
UNTIL_THE_END = OK + b"Connection: close\r\n\r\narrived"

DRIPS = {
    "the status line": drips(b"HTTP/1.1 200 O", b"O"),
    "a header": drips(OK + b"X-Long: ", b"x"),
    "replies before the reply": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "the body": drips(OK + b"Content-Length: 100000\r\n\r\n", b"x"),
    "the size of a chunk": drips(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    "a trailer": drips(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Long: ", b"x"),
    "a packed body of nothing": drips(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], EMPTY_BLOCK),
}


@pytest.fixture
def transport() -> Transport:
    return Transport("igfeed/tests")


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server of that name needs; whoever asks trusts it."""
    trusted, context = identity(NAME, tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    return context


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sends everything through the proxy at that address."""
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)

    def use(address: str) -> None:
        for variable in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(variable, f"http://{address}")

    return use


def get(transport: Transport, address: str, seconds: float = 30.0) -> Reply:
    return transport.get(f"{address}/x", {"access_token": SECRET}, seconds=seconds, most_bytes=1_000_000)


def assert_too_slow(transport: Transport, address: str) -> None:
    with pytest.raises(TooSlowError) as caught:
        get(transport, address, FEW_SECONDS)
    assert SECRET not in told_by(caught.value)


@pytest.mark.parametrize("talk", DRIPS.values(), ids=DRIPS)
def test_the_limit_ends_a_reply_that_drips(transport: Transport, talk: Talk) -> None:
    with listening(talk) as address:
        assert_too_slow(transport, f"http://{address}")


@pytest.mark.parametrize("talk", DRIPS.values(), ids=DRIPS)
def test_the_limit_ends_a_reply_that_drips_over_tls(transport: Transport, tls: ssl.SSLContext, talk: Talk) -> None:
    with listening(encrypted(talk, tls)) as address:
        assert_too_slow(transport, f"https://{address}")


def test_the_limit_ends_a_handshake_that_drips(transport: Transport, tls: ssl.SSLContext) -> None:
    long_record = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"
    with listening(drips_unasked(long_record)) as address:
        assert_too_slow(transport, f"https://{address}")


def test_the_limit_holds_on_a_connection_that_was_kept(transport: Transport) -> None:
    def talk(connection: socket, over: Event) -> None:
        says(WHOLE)(connection, over)
        DRIPS["a header"](connection, over)

    with listening(talk) as address:
        assert get(transport, f"http://{address}").body == b"arrived"
        assert_too_slow(transport, f"http://{address}")


def test_the_limit_ends_a_proxy_that_drips(transport: Transport, proxy: Callable[[str], None]) -> None:
    with listening(DRIPS["a header"]) as address:
        proxy(address)
        assert_too_slow(transport, f"http://{NAME}")
        assert_too_slow(transport, f"https://{NAME}")


def test_the_limit_holds_behind_a_proxy(
    transport: Transport, tls: ssl.SSLContext, proxy: Callable[[str], None]
) -> None:
    with listening(tunnel(encrypted(DRIPS["a header"], tls))) as address:
        proxy(address)
        assert_too_slow(transport, f"https://{NAME}")


@pytest.mark.parametrize("reply", [WHOLE, UNTIL_THE_END], ids=["with a length", "until the connection ends"])
def test_a_whole_reply_arrives_over_tls_and_behind_a_proxy(
    transport: Transport, tls: ssl.SSLContext, proxy: Callable[[str], None], reply: bytes
) -> None:
    with listening(encrypted(says(reply), tls)) as address:
        assert get(transport, f"https://{address}").body == b"arrived"
    with listening(tunnel(encrypted(says(reply), tls))) as address:
        proxy(address)
        assert get(transport, f"https://{NAME}").body == b"arrived"


def test_a_proxy_is_asked_for_the_whole_address(
    transport: Transport, instagram: FakeInstagram, proxy: Callable[[str], None]
) -> None:
    proxy(instagram.url.removeprefix("http://"))

    assert get(transport, f"http://{NAME}").status == 400

    assert [call.headers["host"] for call in instagram.calls] == [NAME]
