"""HTTP with an end: every way in which a reply does not arrive whole, and where a redirect may lead."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from igfeed.http.reply import Reply, TransportError
from igfeed.http.transport import Transport
from tests.harness.leaks import told_by
from tests.servers.faults import Exchange, Request
from tests.servers.instagram import (
    Answer,
    FakeInstagram,
    Fault,
    answer,
    close_after,
    drip,
    hang,
    reset,
    reset_after,
    slow,
    truncate,
)

SECRET = "IGAAsecret"
PLENTY = 30.0
FEW_SECONDS = 0.3


@pytest.fixture
def transport() -> Transport:
    return Transport("igfeed/tests")


def get(
    transport: Transport,
    server: FakeInstagram,
    *,
    seconds: float = PLENTY,
    most_bytes: int = 1_000_000,
    allowed: Callable[[str], bool] | None = None,
) -> Reply:
    params = {"access_token": SECRET}
    return transport.get(f"{server.url}/x", params, seconds=seconds, most_bytes=most_bytes, allowed=allowed)


def redirect(target: str, status: int = 302) -> Answer:
    return answer(status, headers={"Location": target})


def test_a_reply_is_status_headers_and_body(transport: Transport, instagram: FakeInstagram) -> None:
    instagram.fail("other", answer(418, b"\x00tea", "text/x-tea", {"X-Pot": "1"}))
    reply = get(transport, instagram)
    assert (reply.status, reply.body) == (418, b"\x00tea")
    assert (reply.headers["content-type"], reply.headers["x-pot"]) == ("text/x-tea", "1")


def test_what_is_sent_is_the_query_and_who_we_are(transport: Transport, instagram: FakeInstagram) -> None:
    get(transport, instagram)
    (call,) = instagram.calls
    assert call.params == {"access_token": SECRET}
    assert call.headers["user-agent"] == "igfeed/tests"


def test_no_cookie_is_kept(transport: Transport, instagram: FakeInstagram) -> None:
    instagram.fail("other", answer(headers={"Set-Cookie": "id=1"}), times=1)
    get(transport, instagram)
    get(transport, instagram)
    assert "cookie" not in instagram.calls[1].headers


def test_a_packed_body_is_unpacked(transport: Transport, instagram: FakeInstagram) -> None:
    packed = answer(body=gzip.compress(b"text" * 1000), headers={"Content-Encoding": "gzip"})
    instagram.fail("other", packed)
    assert get(transport, instagram).body == b"text" * 1000


@pytest.mark.parametrize(
    "fault",
    [
        reset(),
        reset_after(),
        close_after(),
        truncate(),
        answer(body=b"x" * 100, headers={"Content-Encoding": "gzip"}),
        Answer(body=b"x" * 10, length=100),
    ],
    ids=["reset", "reset after", "closed after", "truncated", "not gzip", "shorter than promised"],
)
def test_a_reply_that_does_not_arrive_whole_is_an_error_that_tells_nothing(
    transport: Transport, instagram: FakeInstagram, fault: Fault
) -> None:
    instagram.fail("other", fault)
    with pytest.raises(TransportError, match=r"^no answer \(\w+\)$") as caught:
        get(transport, instagram)
    assert SECRET not in told_by(caught.value)
    assert instagram.url.removeprefix("http://") not in told_by(caught.value)


def test_a_stopped_server_is_an_error_that_tells_nothing(transport: Transport, instagram: FakeInstagram) -> None:
    instagram.stop()
    with pytest.raises(TransportError) as caught:
        get(transport, instagram)
    assert SECRET not in told_by(caught.value)


@pytest.mark.parametrize("url", ["http://", "no address", "http://[::1", "http://a b/", "ftp://127.0.0.1/", ""])
def test_an_address_that_is_none_is_an_error(transport: Transport, url: str) -> None:
    with pytest.raises(TransportError) as caught:
        transport.get(url, {"access_token": SECRET}, seconds=PLENTY, most_bytes=10)
    assert SECRET not in told_by(caught.value)


@pytest.mark.parametrize("fault", [hang(), drip(0.1), slow(60)], ids=["hangs", "drips", "is slow"])
def test_the_time_limit_ends_a_reply_that(transport: Transport, instagram: FakeInstagram, fault: Fault) -> None:
    instagram.fail("other", fault)
    with pytest.raises(TransportError, match="in time") as caught:
        get(transport, instagram, seconds=FEW_SECONDS)
    assert SECRET not in told_by(caught.value)


def test_without_time_left_there_is_no_request(transport: Transport, instagram: FakeInstagram) -> None:
    with pytest.raises(TransportError):
        get(transport, instagram, seconds=0)
    assert instagram.count("*") == 0


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "fits"), [(999, True), (1000, True), (1001, False), (500_000, False)])
def test_the_size_limit_is_the_last_that_fits(
    transport: Transport, instagram: FakeInstagram, size: int, fits: bool, chunked: bool
) -> None:
    instagram.fail("other", Answer(body=b"x" * size, chunked=chunked))
    if fits:
        assert len(get(transport, instagram, most_bytes=1000).body) == size
        return
    with pytest.raises(TransportError, match="larger than 1000 bytes"):
        get(transport, instagram, most_bytes=1000)


def test_the_size_limit_counts_what_is_unpacked(transport: Transport, instagram: FakeInstagram) -> None:
    packed = answer(body=gzip.compress(bytes(500_000)), headers={"Content-Encoding": "gzip"})
    instagram.fail("other", packed)
    with pytest.raises(TransportError, match="larger than 1000 bytes"):
        get(transport, instagram, most_bytes=1000)


def test_after_every_fault_the_same_session_works_again(transport: Transport, instagram: FakeInstagram) -> None:
    for fault in (reset(), truncate(), Answer(body=b"x" * 500_000)):
        instagram.fail("other", fault, times=1)
        with pytest.raises(TransportError):
            get(transport, instagram, most_bytes=1000)
        assert get(transport, instagram).status == 400


# Redirects


def test_where_nothing_is_allowed_a_redirect_is_the_reply(transport: Transport, instagram: FakeInstagram) -> None:
    instagram.fail("other", redirect("/y"))
    assert get(transport, instagram).status == 302
    assert instagram.count("*") == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_allowed_redirect_is_followed_without_the_query(
    transport: Transport, instagram: FakeInstagram, status: int
) -> None:
    instagram.fail("other", redirect("/y?z=1", status), times=1)
    instagram.fail("other", answer(body="arrived"))
    assert get(transport, instagram, allowed=lambda _: True).body == b"arrived"
    assert [(call.path, call.params) for call in instagram.calls] == [
        ("/x", {"access_token": SECRET}),
        ("/y", {"z": "1"}),
    ]


@pytest.mark.parametrize(
    "target", ["/y", "http://10.0.0.1/", "//evil.example/", "file:///etc/passwd", "http://[bad", "http://a:b/"]
)
def test_a_redirect_that_is_not_allowed_is_not_followed(
    transport: Transport, instagram: FakeInstagram, target: str
) -> None:
    instagram.fail("other", redirect(target))
    with pytest.raises(TransportError, match="not allowed"):
        get(transport, instagram, allowed=lambda _: False)
    assert instagram.count("*") == 1


def test_every_redirect_is_asked_about_as_a_whole_address(transport: Transport, instagram: FakeInstagram) -> None:
    asked: list[str] = []
    instagram.fail("other", redirect("/y"), times=1)
    instagram.fail("other", redirect("z"), times=1)
    get(transport, instagram, allowed=lambda url: not asked.append(url))  # type: ignore[func-returns-value]
    assert asked == [f"{instagram.url}/y", f"{instagram.url}/z"]


@pytest.mark.parametrize("allowed", [None, lambda _: True])
def test_the_limits_hold_for_the_body_of_a_redirect_too(
    transport: Transport, instagram: FakeInstagram, allowed: Callable[[str], bool] | None
) -> None:
    long = Answer(302, b"x" * 500_000, headers={"Location": "/y"})
    instagram.fail("other", long, times=1)
    with pytest.raises(TransportError, match="larger than 1000 bytes"):
        get(transport, instagram, most_bytes=1000, allowed=allowed)
    instagram.fail("other", lambda exchange: exchange.send_slowly(long, 0.05), times=1)
    with pytest.raises(TransportError, match="in time"):
        get(transport, instagram, seconds=FEW_SECONDS, allowed=allowed)


def test_a_redirect_without_an_address_is_the_reply(transport: Transport, instagram: FakeInstagram) -> None:
    instagram.fail("other", answer(304))
    assert get(transport, instagram, allowed=lambda _: True).status == 304


def test_a_redirect_that_goes_round_ends(transport: Transport, instagram: FakeInstagram) -> None:
    instagram.fail("other", redirect("/x"))
    with pytest.raises(TransportError, match="too often"):
        get(transport, instagram, allowed=lambda _: True)
    assert instagram.count("*") == 3


# POST


def post(transport: Transport, server: FakeInstagram, **content: Any) -> Reply:
    return transport.post(f"{server.url}/x", **{"seconds": PLENTY, "most_bytes": 1000, **content})


def recording(requests: list[Request]) -> Fault:
    """Answers with a 200, and keeps the request as it came over the socket."""

    def play(exchange: Exchange) -> None:
        requests.append(exchange.request)
        exchange.send(answer(body="taken"))

    return play


@pytest.mark.parametrize(
    ("content", "kind", "body"),
    [
        ({"form": {"code": "a b&c", "x": "ü"}}, "application/x-www-form-urlencoded", b"code=a+b%26c&x=%C3%BC"),
        ({"json": {"text": "new", "ids": [1, 2]}}, "application/json", b'{"text": "new", "ids": [1, 2]}'),
    ],
    ids=["form", "json"],
)
def test_a_post_sends_a_form_or_json_and_brings_the_reply(
    transport: Transport, instagram: FakeInstagram, content: dict[str, Any], kind: str, body: bytes
) -> None:
    requests: list[Request] = []
    instagram.fail("other", recording(requests))

    reply = post(transport, instagram, **content)

    (request,) = requests
    assert (reply.status, reply.body) == (200, b"taken")
    assert (request.method, request.path, request.body) == ("POST", "/x", body)
    assert request.headers["content-type"] == kind
    assert request.headers["user-agent"] == "igfeed/tests"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_post_never_follows_a_redirect(transport: Transport, instagram: FakeInstagram, status: int) -> None:
    instagram.fail("other", redirect("/y", status))

    assert post(transport, instagram, form={"client_secret": SECRET}).status == status
    assert instagram.count("*") == 1


@pytest.mark.parametrize(
    "content", [{"form": {"client_secret": SECRET}}, {"json": {"secret": SECRET}}], ids=["form", "json"]
)
@pytest.mark.parametrize(
    ("fault", "seconds", "message"),
    [
        (reset(), PLENTY, r"no answer \(\w+\)"),
        (truncate(), PLENTY, r"no answer \(\w+\)"),
        (hang(), FEW_SECONDS, "in time"),
        (drip(0.1), FEW_SECONDS, "in time"),
        (Answer(body=b"x" * 1001), PLENTY, "larger than 1000 bytes"),
    ],
    ids=["reset", "truncated", "hangs", "drips", "too large"],
)
def test_a_post_has_the_limits_of_a_get_and_its_errors_tell_nothing(
    transport: Transport,
    instagram: FakeInstagram,
    caplog: pytest.LogCaptureFixture,
    content: dict[str, Any],
    fault: Fault,
    seconds: float,
    message: str,
) -> None:
    caplog.set_level("DEBUG")
    instagram.fail("other", fault)

    with pytest.raises(TransportError, match=message) as caught:
        post(transport, instagram, seconds=seconds, **content)

    assert caught.value.is_sent
    assert SECRET not in told_by(caught.value) + caplog.text
    assert instagram.url.removeprefix("http://") not in told_by(caught.value)


def test_a_post_to_a_stopped_server_says_that_nothing_was_sent(transport: Transport, instagram: FakeInstagram) -> None:
    instagram.stop()
    with pytest.raises(TransportError) as caught:
        post(transport, instagram, form={"client_secret": SECRET})
    assert not caught.value.is_sent
    assert SECRET not in told_by(caught.value)


# A delivery, whose URL is a secret


def deliver(transport: Transport, server: FakeInstagram, seconds: float = PLENTY) -> int:
    return transport.deliver(f"{server.url}/{SECRET}", b"\x00new", {"Igfeed-Signature": "ab12"}, seconds=seconds)


def test_a_delivery_sends_the_bytes_with_their_headers_and_brings_the_status(
    transport: Transport, instagram: FakeInstagram
) -> None:
    requests: list[Request] = []
    instagram.fail("other", recording(requests))

    assert deliver(transport, instagram) == 200
    (request,) = requests
    assert (request.method, request.path, request.body) == ("POST", f"/{SECRET}", b"\x00new")
    assert request.headers["igfeed-signature"] == "ab12"


@pytest.mark.parametrize(
    "fault",
    [
        Answer(202, b"x" * 5_000_000),
        redirect("/y", 202),
        answer(202, b"x", headers={"X-Odd": "1\r\nno header"}),
    ],
    ids=["a large body", "a place", "a line that is no header"],
)
def test_a_delivery_is_done_with_the_status_whatever_follows(
    transport: Transport, instagram: FakeInstagram, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level("DEBUG")
    instagram.fail("other", fault)

    assert deliver(transport, instagram) == 202
    assert instagram.count("*") == 1
    assert SECRET not in caplog.text


def test_a_delivery_follows_no_redirect(transport: Transport, instagram: FakeInstagram) -> None:
    instagram.fail("other", redirect("/y", 307))

    assert deliver(transport, instagram) == 307
    assert instagram.count("*") == 1


@pytest.mark.parametrize(
    ("fault", "seconds", "message"),
    [(reset(), PLENTY, r"no answer \(\w+\)"), (hang(), FEW_SECONDS, "in time")],
    ids=["reset", "hangs"],
)
def test_a_delivery_that_fails_tells_nothing_of_its_url(
    transport: Transport,
    instagram: FakeInstagram,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
    seconds: float,
    message: str,
) -> None:
    caplog.set_level("DEBUG")
    instagram.fail("other", fault)

    with pytest.raises(TransportError, match=message) as caught:
        deliver(transport, instagram, seconds)

    assert SECRET not in told_by(caught.value) + caplog.text
    assert instagram.url.removeprefix("http://") not in told_by(caught.value) + caplog.text
