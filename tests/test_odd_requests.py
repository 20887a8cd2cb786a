"""Requests of every odd shape: each is answered, none with a server error, and all with the headers that protect.

The app is asked over sockets, as gunicorn serves it, and through WSGI directly, where a path or a header may hold
what no client of ours would send.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

from igfeed import create_app
from igfeed.clock import system_clock
from igfeed.models import Token
from igfeed.widget.page_cache import pages
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.gunicorn import GunicornServer, gunicorn
from tests.harness.owner import CRON, OWNER, SECRET, STATUS
from tests.harness.variables import variables
from tests.harness.visitor import Visitor
from tests.servers.instagram import FakeInstagram, image

STATIC = "/static/icon.svg"
CANARY = "0192837465"
"""Digits that stand in no page by chance."""

PROTECTION = ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy")
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "BREW")

ROUTES: dict[str, set[str]] = {
    "/": {"GET"},
    "/embed": {"GET"},
    "/media/1-320.webp": {"GET"},
    "/healthz": {"GET"},
    STATIC: {"GET"},
    STATUS: {"GET", "POST"},
    CRON: {"GET", "POST"},
}
"""The contract's routes and methods. OPTIONS comes with all, HEAD with GET unless that starts something."""


@pytest.fixture
def instagram(clock: MovingClock) -> Iterator[FakeInstagram]:
    """An account whose pictures are small, because what they look like is another file's matter."""
    with FakeInstagram(clock=clock, posts=[image(id=f"1790000000000000{number}") for number in range(4)]) as server:
        server.picture_size = (48, 60)
        yield server


@dataclass
class WsgiResponse:
    """What the app answers straight through WSGI; `body` is whole."""

    status: int
    headers: Headers
    body: bytes


def ask(client: FlaskClient, path: bytes, query: bytes = b"", method: str = "GET", **more: str) -> WsgiResponse:
    """Straight through WSGI: path (unquoted), query and headers (``HTTP_…``) are any bytes that a server hands on."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "HTTP_HOST": "feed.example",
        **more,
    }
    body, status, headers = run_wsgi_app(client.application, environ, buffered=True)
    return WsgiResponse(int(status.split()[0]), headers, b"".join(body))


def assert_calm(answer: WsgiResponse) -> None:
    """What holds of every answer, whatever was asked, as long as there is a feed."""
    assert answer.status < 500
    assert b"Traceback" not in answer.body
    assert "Set-Cookie" not in answer.headers
    assert_protected(answer.headers)


def assert_protected(headers: Headers) -> None:
    assert all(len(headers.getlist(name)) == 1 for name in PROTECTION)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert len(re.findall("frame-ancestors", policy)) == 1
    assert headers["X-Content-Type-Options"] == "nosniff"


# Methods


@pytest.mark.parametrize("path", ROUTES)
def test_the_methods_are_those_of_the_contract(client: FlaskClient, token: Token, path: str) -> None:
    client.get("/")
    path = path.replace("1-320", "17900000000000001-320")
    contract = ROUTES.get(path, {"GET"}) | {"OPTIONS"}
    allowed = contract if path == CRON else contract | {"HEAD"}  # Who only looks must not start a run.

    for method in METHODS:
        response = client.open(path, method=method, headers=OWNER)

        assert response.status_code == (200 if method in allowed else 405), method
        assert_protected(response.headers)
        if method == "OPTIONS" or method not in allowed:
            assert contract <= set(response.headers["Allow"].split(", ")) <= allowed


@pytest.mark.parametrize(
    "path", ["/", "/embed?limit=2", "/media/17900000000000001-320.webp", "/healthz", STATIC, STATUS]
)
@pytest.mark.parametrize("headers", [{}, OWNER])
def test_head_says_what_get_would_and_has_no_body(
    client: FlaskClient, token: Token, path: str, headers: dict[str, str]
) -> None:
    client.get("/")
    client.get(path)
    get, head = (client.open(path, method=method, headers=headers) for method in ("GET", "HEAD"))

    assert head.status_code == get.status_code
    assert head.data == b"" != get.data
    varies = {"Date"}
    assert [each for each in head.headers if each[0] not in varies] == [
        each for each in get.headers if each[0] not in varies
    ]


@pytest.mark.parametrize("path", [STATUS, CRON])
def test_options_does_nothing_and_needs_no_secret(client: FlaskClient, instagram: FakeInstagram, path: str) -> None:
    response = client.options(path)

    assert (response.status_code, response.data) == (200, b"")
    assert instagram.calls == []


# Secrets


WRONG_SECRETS = [
    *(SECRET.upper(), SECRET[::-1], SECRET[:-1], f"{SECRET}\x00", f'"{SECRET}"', f"{SECRET},{SECRET}", f"{SECRET}="),
    *(SECRET.replace("e", "\N{CYRILLIC SMALL LETTER IE}"), SECRET.replace("-", "\N{SOFT HYPHEN}-")),
    *(quote(SECRET.replace("-", "\N{EN DASH}")), "\xff" * 40, "x" * 100_000, f"Bearer {SECRET}", "Bearer", ""),
    *("None", "null", "true", "0", "*", "%", "' OR 1=1 --"),
]


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer  ", "Bearer\t", "Basic ", "Digest ", "Token ", " ", ""])
@pytest.mark.parametrize("path", [STATUS, CRON])
def test_a_wrong_secret_is_401_in_every_form(
    client: FlaskClient, instagram: FakeInstagram, scheme: str, path: str
) -> None:
    for secret in WRONG_SECRETS:
        given = (scheme + secret).encode().decode("latin-1")
        if given.split() == ["Bearer", SECRET]:
            continue  # That is right.
        answer = ask(client, path.encode(), HTTP_AUTHORIZATION=given)
        assert answer.status == 401
        assert answer.headers["Cache-Control"] == "no-store"
        assert_calm(answer)
    assert instagram.calls == []


@given(
    secret=st.text() | st.binary().map(lambda text: text.decode("latin-1")),
    scheme=st.sampled_from(["Bearer ", "Basic ", ""]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_but_the_secret_opens(client: FlaskClient, secret: str, scheme: str) -> None:
    given = (scheme + secret).encode().decode("latin-1")

    assert ask(client, STATUS.encode(), HTTP_AUTHORIZATION=given).status == 401


@pytest.mark.parametrize("name", ["secret", "token", "authorization", "Authorization", "cron_secret", "access_token"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_secret_anywhere_but_in_its_header_does_not_open(client: FlaskClient, name: str, method: str) -> None:
    answers = [
        client.open(f"{CRON}?{name}={SECRET}", method=method),
        client.open(f"{CRON}?{name}=Bearer+{SECRET}", method=method),
        client.open(CRON, method=method, headers={"Cookie": f"{name}={SECRET}"}),
        client.open(CRON, method=method, headers={f"X-{name.replace('_', '-')}": SECRET}),
        client.open(f"/{SECRET}@{CRON}", method=method),
    ]
    if method == "POST":
        answers.append(client.post(CRON, data={name: SECRET}))
        answers.append(client.post(CRON, json={name: SECRET}))

    assert [answer.status_code for answer in answers if answer.status_code != 401] == [404]


# Headers


def every_answer(client: FlaskClient, clock: MovingClock) -> dict[str, Any]:
    """One of each kind, by its name."""
    client.get("/")
    etags = {path: client.get(path).headers["ETag"] for path in ("/", "/embed", "/media/17900000000000001-320.webp")}
    answers = {f"304 {path}": client.get(path, headers={"If-None-Match": etag}) for path, etag in etags.items()}
    answers |= {f"200 {path}": client.get(path) for path in (*etags, "/healthz", STATIC)}
    answers |= {f"405 {path}": client.delete(path) for path in ROUTES}
    answers |= {f"404 {path}": client.get(path) for path in ("/nothing", "/media/1-320.webp", "/api/x", "/static/x")}
    answers |= {f"401 {path}": client.get(path) for path in (STATUS, CRON)}
    answers |= {f"200 {path}": client.get(path, headers=OWNER) for path in (STATUS, CRON)}
    answers["416"] = client.get(STATIC, headers={"Range": "bytes=999999-"})
    answers["206"] = client.get(STATIC, headers={"Range": "bytes=0-3"})
    answers["304 static"] = client.get(STATIC, headers={"If-Modified-Since": "Wed, 21 Oct 2099 07:28:00 GMT"})
    return answers


def test_every_answer_is_protected_and_only_pages_for_visitors_may_be_framed(
    make_services: MakeServices, token: Token, clock: MovingClock
) -> None:
    app = create_app(services=make_services(IGFEED_FRAME_ANCESTORS="'self' https://shop.example"))

    for name, response in every_answer(Visitor(app), clock).items():
        status, *path = name.split()
        assert response.status_code == int(status), name
        assert_protected(response.headers)
        may_be_framed = (path in (["/"], ["/embed"]) and status in ("200", "304")) or path == ["/nothing"]
        allowed = "'self' https://shop.example" if may_be_framed else "'none'"
        assert response.headers["Content-Security-Policy"].endswith(f"frame-ancestors {allowed}"), name


@pytest.mark.parametrize("variables", [{}, {"VERCEL": "1"}, {"CRON_SECRET": ""}])
def test_what_is_not_there_yet_is_protected_too(make_services: MakeServices, variables: dict[str, str]) -> None:
    services = make_services(IGFEED_FRAME_ANCESTORS="https://shop.example", **variables)
    client = Visitor(create_app(services=services))

    for path in ("/", "/embed", "/media/17900000000000001-320.webp", STATUS, CRON):
        response = client.get(path)
        allowed = "https://shop.example" if path in ("/", "/embed") else "'none'"
        assert response.status_code in (401, 404, 503)
        assert_protected(response.headers)
        assert response.headers["Content-Security-Policy"].endswith(f"frame-ancestors {allowed}")


def test_a_picture_that_cannot_be_had_is_protected_too(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    client.get("/")
    instagram.stop()

    response = client.get("/media/17900000000000001-320.webp")

    assert response.status_code == 503
    assert_protected(response.headers)
    assert response.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


# The query string


def test_four_thousand_query_strings_make_a_bounded_number_of_pages_and_right_answers(
    make_services: MakeServices, token: Token, instagram: FakeInstagram
) -> None:
    instagram.posts[1:] = []
    app = create_app(services=make_services(IGFEED_POSTS="100"))
    client = Visitor(app)
    bound = app.config["CACHE_THRESHOLD"] + 1
    combinations = product(range(1, 41), ("&", f"&{CANARY}={CANARY}&"), range(50))
    kept = vars(pages.cache)["_cache"]
    largest = 0

    for radius, noise, gap in combinations:
        answer = ask(client, b"/embed", f"radius={radius}{noise}gap={gap}".encode())
        assert answer.status == 200
        assert f"--gap:{min(gap, 48)}px".encode() in answer.body
        assert CANARY.encode() not in answer.body
        largest = max(largest, len(kept))

    assert bound - 1 <= largest <= bound
    assert b"--gap:7px" in client.get("/embed?gap=7").data
    assert instagram.count("media") == 1


@given(query=st.lists(st.tuples(st.text(max_size=12), st.text(max_size=40)), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_has_no_meaning_reaches_no_cache_key(
    client: FlaskClient, token: Token, query: list[tuple[str, str]]
) -> None:
    client.get("/")
    kept = vars(pages.cache)["_cache"]
    before = len(kept)

    client.get("/", query_string=[(f"x{name}", value) for name, value in query])

    assert len(kept) == before


@pytest.mark.parametrize(
    ("query", "css"),
    [
        ("gap=9&gap=11", "--gap:9px"),
        ("gap[]=11", "--gap:4px"),
        ("GAP=11", "--gap:4px"),
        ("gap=11;columns=2", "--gap:4px"),
        ("gap=%31%31", "--gap:11px"),
        ("g%61p=11", "--gap:11px"),
        ("gap=1e1", "--gap:4px"),
        ("gap=0x0b", "--gap:4px"),
        ("gap=%D9%A1%D9%A1", "--gap:4px"),
        ("gap=11%00", "--gap:4px"),
        ("gap=999999999999999999999999", "--gap:48px"),
        (f"gap={'9' * 5000}", "--gap:4px"),
        ("gap=11px", "--gap:4px"),
        ("&&==&gap=11&", "--gap:11px"),
        ("gap", "--gap:4px"),
        ("gap=5%7D%3C%2Fstyle%3E", "--gap:4px"),
    ],
)
def test_an_oddly_written_option_is_taken_or_ignored(client: FlaskClient, token: Token, query: str, css: str) -> None:
    answer = ask(client, b"/embed", query.encode())

    assert answer.status == 200
    assert css.encode() in answer.body


# A fuzz


ODD_BYTES = st.sampled_from(
    [
        *(
            b"%00",
            b"%",
            b"%zz",
            b"%ff",
            b"%c0%ae",
            b"\x00",
            b"\xff\xfe",
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\x7f",
            b"\r\n",
        ),
        *(b"..", b"../", b"%2e%2e%2f", b"//", b"\\", b" ", b"{{7*7}}", b"<script>", b"'\"", b";", b"*", b"~root"),
        *(
            b"a" * 3000,
            b"9" * 500,
            b".webp",
            b"-320",
            b"17900000000000001",
            b"_",
            b"embed",
            b"static",
            b"media",
            b"api",
        ),
    ]
)
KNOWN = [path.encode() for path in ROUTES]
paths = st.builds(
    lambda start, rest: start + b"".join(rest),
    st.sampled_from([*KNOWN, b"", b"/", b"/media/", b"/static/", b"/api/", b"/embed/", b"*", b"http://other.example/"]),
    st.lists(ODD_BYTES | st.binary(max_size=8), max_size=4),
)
queries = st.lists(
    st.builds(
        lambda name, equals, value: name + equals + value,
        st.sampled_from([b"limit", b"page", b"columns", b"gap", b"ratio", b"theme", b"header", b"v"]) | ODD_BYTES,
        st.sampled_from([b"=", b"", b"=="]),
        ODD_BYTES | st.binary(max_size=10) | st.integers().map(lambda number: str(number).encode()),
    ),
    max_size=5,
).map(b"&".join)
texts = st.binary(max_size=30).map(lambda text: text.decode("latin-1")) | ODD_BYTES.map(lambda b: b.decode("latin-1"))
times = st.sampled_from(["Wed, 21 Oct 2099 07:28:00 GMT", "yesterday", "Thu, 32 Foo 0000 99:99:99 XYZ", "9" * 99, "-1"])
ranges = st.sampled_from(
    ["bytes=0-", "bytes=-1", "bytes=5-2", "bytes=0-1,2-3", "bytes=99999999999999999999-", "lines=1", "bytes="]
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_HOST": texts
        | st.sampled_from(["", "a b", "[::1", "evil.example", "feed.example:99999", "x" * 999, "a,b", "ü"]),
        "HTTP_IF_NONE_MATCH": texts | st.sampled_from(["*", '"', 'W/"x', '"a", "b",,', '"' * 99]),
        "HTTP_IF_MATCH": texts | st.sampled_from(["*", '"x"']),
        "HTTP_IF_MODIFIED_SINCE": texts | times,
        "HTTP_IF_UNMODIFIED_SINCE": texts | times,
        "HTTP_IF_RANGE": texts | times,
        "HTTP_RANGE": texts | ranges,
        "HTTP_COOKIE": texts | st.sampled_from(["session=x", "a=b; c", "=;=;"]),
        "HTTP_ACCEPT": texts | st.sampled_from(["*/*;q=x", ",,,", "a/b;q=9"]),
        "HTTP_ACCEPT_LANGUAGE": texts,
        "HTTP_ACCEPT_ENCODING": texts,
        "HTTP_AUTHORIZATION": texts | st.sampled_from(["Basic", "Digest a=b", 'Digest realm="', "Basic =", "Bearer  "]),
        "HTTP_X_FORWARDED_HOST": texts,
        "HTTP_X_FORWARDED_PROTO": texts,
        "HTTP_CONTENT_LENGTH": texts,
        "CONTENT_LENGTH": texts | st.sampled_from(["-1", "9" * 30]),
        "CONTENT_TYPE": texts | st.sampled_from(["multipart/form-data", "application/json; charset=x"]),
        "HTTP_TRANSFER_ENCODING": texts,
    },
)


@given(path=paths, query=queries, more=headers, method=st.sampled_from(("GET",) * len(METHODS) + METHODS))
@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(path=b"/", query=b"limit=\x80", more={}, method="GET")
@example(path=STATUS.encode(), query=b"", more={"HTTP_AUTHORIZATION": "Basic \xc3\xa4"}, method="GET")
@example(path=b"//evil.example/%2f..", query=b"", more={}, method="GET")
@example(path=b"/", query=b"", more={"HTTP_HOST": 'x"><script>'}, method="GET")
@example(path=STATIC.encode(), query=b"", more={"HTTP_RANGE": "bytes=5-2"}, method="GET")
def test_whatever_is_asked_is_answered_without_a_server_error(
    client: FlaskClient, token: Token, path: bytes, query: bytes, more: dict[str, str], method: str
) -> None:
    client.get("/")

    assert_calm(ask(client, path, query, method, **more))


@given(name=st.binary(max_size=24) | st.from_regex(rb"[0-9_]{1,40}-(320|640|1080|[0-9]{1,5})", fullmatch=True))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(name=b"17900000000000001-320\n")
@example(name=b"\xd9\xa1-320")
@example(name=b"17900000000000001-320.webp/../x")
@example(name=b"17900000000000001-00320")
@example(name=b"+17900000000000001-320")
@example(name=b"17900000000000001-320/")
@example(name=b" 17900000000000001-320")
def test_no_name_but_one_of_the_feeds_own_reaches_instagram_or_the_store(
    client: FlaskClient, instagram: FakeInstagram, token: Token, name: bytes
) -> None:
    client.get("/")
    instagram.forget_calls()

    answer = ask(client, b"/media/" + name + b".webp")

    assert answer.status == 404
    assert instagram.calls == []


@pytest.mark.parametrize("query", ["url=http://127.0.0.1/", "u=file:///etc/passwd", "id=http://169.254.169.254/"])
def test_a_picture_is_fetched_from_the_address_in_the_snapshot_and_no_other(
    client: FlaskClient, instagram: FakeInstagram, token: Token, query: str
) -> None:
    client.get("/")
    instagram.forget_calls()

    answer = client.get(f"/media/17900000000000001-320.webp?{query}", headers={"X-Forwarded-Host": "evil.example"})

    assert answer.status_code == 200
    assert [call.path for call in instagram.calls] == ["/pictures/17900000000000001.jpg"]


def test_a_picture_on_an_origin_that_is_not_allowed_is_not_fetched_though_the_snapshot_names_it(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    with FakeInstagram() as other:
        instagram.posts[:] = [image(id="17900000000000001", media_url=f"{other.url}/pictures/1.jpg")]
        client.get("/")

        answer = client.get("/media/17900000000000001-320.webp")

        assert answer.status_code == 503
        assert other.calls == []
        assert other.url.encode() not in answer.data


@given(host=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=255), max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(host='x"onload="alert(1)')
@example(host="evil.example/\\")
def test_a_host_header_stays_inside_its_attribute(client: FlaskClient, token: Token, host: str) -> None:
    client.get("/")

    answer = ask(client, b"/", HTTP_HOST=host)

    assert_calm(answer)
    heads = re.findall(rb"<head>.*?<style>", answer.body, re.DOTALL)
    assert answer.status != 200 or len(re.findall(rb"<link|<meta|<title|<script", heads[0])) in (8, 19)


# Over sockets


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GunicornServer]:
    """The shipped server with a feed."""
    store = tmp_path_factory.mktemp("deployed") / "store.sqlite3"
    with FakeInstagram(
        clock=system_clock, posts=[image(id=f"1790000000000000{number}") for number in range(4)]
    ) as instagram:
        instagram.picture_size = (48, 60)
        environ = variables(instagram, store, INSTAGRAM_ACCESS_TOKEN=instagram.issue(life=timedelta(days=60)))
        with gunicorn(environ, "--workers", "1") as server:
            assert b" 200 OK" in send(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            yield server


def send(server: GunicornServer, request: bytes) -> bytes:
    """All that comes back until the server ends the connection; empty when it does so without a word."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except (ConnectionResetError, BrokenPipeError):
            return b""


def statuses(reply: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", reply)]


END = b"Host: feed.example\r\nConnection: close\r\n\r\n"
ODD_REQUESTS: dict[str, tuple[bytes, set[int]]] = {
    "no version": (b"GET /\r\n\r\n", {200, 400}),
    "HTTP/1.0 without a host": (b"GET / HTTP/1.0\r\n\r\n", {200}),
    "HTTP/1.1 without a host": (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", {200, 400}),
    "HTTP/9.9": (b"GET / HTTP/9.9\r\n" + END, {400, 505}),
    "nothing": (b"\r\n\r\n", {400}),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400}),
    "binary": (bytes(range(256)) + b"\r\n\r\n", {400}),
    "a path without a slash": (b"GET embed HTTP/1.1\r\n" + END, {400, 404}),
    "a whole address": (b"GET http://feed.example/embed HTTP/1.1\r\n" + END, {200, 400, 404}),
    "another's address": (b"GET http://evil.example/ HTTP/1.1\r\n" + END, {200, 400, 404}),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\n" + END, {200, 400, 404}),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + END, {400, 404, 405}),
    "a trace": (b"TRACE / HTTP/1.1\r\n" + END, {405}),
    "an invented method": (b"BREW / HTTP/1.1\r\n" + END, {405}),
    "a method in small letters": (b"get / HTTP/1.1\r\n" + END, {400, 405}),
    "a long method": (b"A" * 500 + b" / HTTP/1.1\r\n" + END, {400, 405}),
    "NUL": (b"GET /%00 HTTP/1.1\r\n" + END, {404}),
    "NUL in a picture's name": (b"GET /media/%0017900000000000001-320.webp HTTP/1.1\r\n" + END, {404}),
    "a raw NUL": (b"GET /\x00 HTTP/1.1\r\n" + END, {400, 404}),
    "no UTF-8": (b"GET /%ff%fe%c0%af HTTP/1.1\r\n" + END, {404}),
    "raw bytes beyond ASCII": (b"GET /\xff\xfe HTTP/1.1\r\n" + END, {400, 404}),
    "an overlong slash": (b"GET /static/%c0%ae%c0%ae%c0%af.env HTTP/1.1\r\n" + END, {404}),
    "half an escape": (b"GET /%e HTTP/1.1\r\n" + END, {404}),
    "a way out": (b"GET /static/../../../../etc/passwd HTTP/1.1\r\n" + END, {404}),
    "a hidden way out": (b"GET /static/%2e%2e/%2e%2e/igfeed/config/settings.py HTTP/1.1\r\n" + END, {404}),
    "a way out with a backslash": (b"GET /static/..\\..\\wsgi.py HTTP/1.1\r\n" + END, {404}),
    "an absolute file": (b"GET /static//etc/passwd HTTP/1.1\r\n" + END, {308, 404}),
    "a double slash": (b"GET //embed HTTP/1.1\r\n" + END, {200, 308, 404}),
    "a slash at the end": (b"GET /embed/ HTTP/1.1\r\n" + END, {200}),
    "a long path": (b"GET /" + b"a" * 3900 + b" HTTP/1.1\r\n" + END, {404}),
    "too long a path": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + END, {400, 414}),
    "a long query": (b"GET /?" + b"a=1&" * 900 + b" HTTP/1.1\r\n" + END, {200}),
    "a header of 60 KB": (b"GET / HTTP/1.1\r\nX: " + b"a" * 60_000 + b"\r\n" + END, {200, 400, 431}),
    "a thousand headers": (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 1000 + END, {400, 431}),
    "a header without a colon": (b"GET / HTTP/1.1\r\nno colon\r\n" + END, {400}),
    "a folded header": (b"GET / HTTP/1.1\r\nX: 1\r\n 2\r\n" + END, {200, 400}),
    "a space before the colon": (b"GET / HTTP/1.1\r\nX : 1\r\n" + END, {400}),
    "NUL in a header": (b"GET / HTTP/1.1\r\nX: \x00\r\n" + END, {200, 400}),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", {200, 400}),
    "an odd host": (b"GET / HTTP/1.1\r\nHost: <script>\r\nConnection: close\r\n\r\n", {200, 400}),
    "an unfinished body": (b"POST " + CRON.encode() + b" HTTP/1.1\r\nContent-Length: 99\r\n" + END + b"x", {400, 401}),
    "a negative length": (b"POST " + CRON.encode() + b" HTTP/1.1\r\nContent-Length: -1\r\n" + END, {400}),
    "two lengths": (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n" + END, {400}),
    "length and chunks": (
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n" + END + b"0\r\n\r\n",
        {400, 405},
    ),
    "broken chunks": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + END + b"zz\r\n", {400, 405}),
    "an upgrade": (b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\nHost: x\r\n\r\n", {200}),
    "an expectation": (b"GET / HTTP/1.1\r\nExpect: the-unexpected\r\n" + END, {200, 400, 417}),
    "garbage for conditions": (
        b'GET / HTTP/1.1\r\nIf-None-Match: W/"",,"\r\nIf-Modified-Since: never\r\nRange: bytes=9-1\r\n' + END,
        {200},
    ),
    "a secret that is no UTF-8": (
        b"GET " + STATUS.encode() + b" HTTP/1.1\r\nAuthorization: Bearer \xff\r\n" + END,
        {401},
    ),
    "a Basic secret that is no ASCII": (
        b"GET " + STATUS.encode() + b" HTTP/1.1\r\nAuthorization: Basic \xc3\xa4\r\n" + END,
        {401},
    ),
    "a query that is no UTF-8": (b"GET /?limit=\x80 HTTP/1.1\r\n" + END, {200, 400}),
    "a secret after a NUL": (
        b"GET " + STATUS.encode() + b" HTTP/1.1\r\nAuthorization: Bearer \x00" + SECRET.encode() + b"\r\n" + END,
        {400, 401},
    ),
    "two secrets": (
        b"GET " + STATUS.encode() + b" HTTP/1.1\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y\r\n" + END,
        {400, 401},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_REQUESTS)
def test_an_odd_request_over_a_socket_is_answered_calmly(deployed: GunicornServer, name: str) -> None:
    request, expected = ODD_REQUESTS[name]

    reply = send(deployed, request)

    assert set(statuses(reply)) <= expected
    assert statuses(reply) or name in ("too long a path", "a TLS hello", "nothing", "no version")
    assert b"Traceback" not in reply
    assert b"\r\nset-cookie:" not in reply.lower()
    assert "Traceback" not in deployed.said


@given(
    path=paths.filter(lambda path: not re.search(rb"[\r\n ]", path)),
    lines=st.lists(
        st.tuples(st.sampled_from([b"Range", b"If-None-Match", b"Cookie", b"Host", b"Accept"]), st.binary(max_size=20)),
        max_size=3,
    ),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_fuzz_over_sockets_finds_no_server_error(
    deployed: GunicornServer, path: bytes, lines: list[tuple[bytes, bytes]]
) -> None:
    head = b"".join(b"%s: %s\r\n" % line for line in lines)

    reply = send(deployed, b"GET " + (path or b"/") + b" HTTP/1.1\r\n" + head + END)

    assert all(status < 500 for status in statuses(reply))
    assert b"Traceback" not in reply
    assert "Traceback" not in deployed.said


def test_two_requests_at_once_on_one_connection_are_answered_in_order(deployed: GunicornServer) -> None:
    first = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    second = b"GET /embed?limit=1 HTTP/1.1\r\n" + END

    reply = send(deployed, first + second)

    assert statuses(reply) == [200, 200]
    assert reply.index(b'{"ok": true}') < reply.index(b"data-post-id")


def test_over_a_socket_head_has_the_length_of_get_and_no_body(deployed: GunicornServer) -> None:
    get, head = (send(deployed, method + b" /embed?limit=2 HTTP/1.1\r\n" + END) for method in (b"GET", b"HEAD"))

    lengths = [re.findall(rb"content-length: (\d+)", reply.lower()) for reply in (get, head)]
    assert lengths[0] == lengths[1] != []
    assert head.endswith(b"\r\n\r\n")
    assert int(lengths[0][0]) == len(get.split(b"\r\n\r\n", 1)[1]) > 1000


def test_after_all_that_the_server_still_shows_the_feed(deployed: GunicornServer) -> None:
    for request, _ in ODD_REQUESTS.values():
        send(deployed, request)

    reply = send(deployed, b"GET / HTTP/1.1\r\n" + END)

    assert statuses(reply) == [200]
    assert reply.count(b"data-post-id") == 4
    assert "Traceback" not in deployed.said
