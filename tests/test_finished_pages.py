"""Finished pages: who gets them, for how long, and in which encoding."""

import gzip
import re
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from random import Random
from urllib.parse import urlsplit

import pytest
from flask import Flask, request, template_rendered
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse

from igfeed import create_app
from igfeed.models import Token
from igfeed.services import Services
from igfeed.web.proxies import BehindProxies
from igfeed.widget import page_cache
from igfeed.widget.finished_pages import (
    MAX_ANSWERS,
    MAX_BYTES,
    MAX_ORIGINS,
    MAX_PAGES,
    MAX_REQUEST_LENGTH,
    FinishedPages,
)
from igfeed.widget.views import View
from tests.conftest import MakeServices, to_the_moment
from tests.harness.clock import MovingClock
from tests.harness.visitor import Visitor
from tests.servers.instagram import TEMPORARY, FakeInstagram, image
from tests.servers.upstash import FakeUpstash

MOMENT = timedelta(microseconds=1)
CHECK_TTL = timedelta(seconds=30)
GZIP = {"Accept-Encoding": "br;q=0, gzip"}

Asked = list[str]


@pytest.fixture
def asked(app: Flask) -> Asked:
    """The paths of all requests that reached Flask."""
    paths: Asked = []
    app.before_request(lambda: paths.append(request.full_path))
    return paths


@pytest.fixture
def started(client: FlaskClient, token: Token, asked: Asked) -> FlaskClient:
    """The process has the feed, and has finished no page yet."""
    client.get("/healthz")
    client.application.extensions["igfeed"].feed.fetch()
    asked.clear()
    return client


def finished_pages_of(client: FlaskClient) -> FinishedPages:
    layer = behind_proxy_layer(client.application)
    assert isinstance(layer, FinishedPages)
    return layer


def behind_proxy_layer(app: Flask) -> object:
    """The middleware behind the one that reads what proxies say."""
    layer: object = app.wsgi_app
    return layer.app if isinstance(layer, BehindProxies) else layer


@pytest.mark.parametrize("path", ["/", "/embed", "/embed?limit=9&columns=3"])
def test_a_page_is_rendered_once_and_then_sent_again(started: FlaskClient, asked: Asked, path: str) -> None:
    first, *others = (started.get(path) for _ in range(5))

    assert len(asked) == 1
    assert {(other.status_code, other.data, other.headers["ETag"]) for other in others} == {
        (200, first.data, first.headers["ETag"])
    }


def test_a_finished_page_has_all_headers_of_a_page(started: FlaskClient, asked: Asked) -> None:
    bare = dict(started.get("/", headers={"Authorization": "Basic x"}).headers)
    started.get("/")

    finished = dict(started.get("/").headers)

    assert len(asked) == 2
    assert finished.pop("Vary") == "Accept-Encoding"
    assert finished == {name: value for name, value in bare.items() if name != "Date"}


VALUES = {
    "limit": ["1", "5", "24", "99", "0", "x"],
    "page": ["1", "2", "3", "99"],
    "columns": ["1", "4", "8", "9"],
    "gap": ["0", "48"],
    "radius": ["0", "48"],
    "ratio": ["square", "portrait", "tall", "round"],
    "theme": ["auto", "light", "dark"],
    "layout": ["grid", "carousel"],
    "header": ["0", "1"],
    "captions": ["0", "1"],
    "open": ["lightbox", "instagram"],
    "background": ["transparent", "000", "000000", "red"],
    "color": ["FFF"],
    "accent": ["e1306c"],
    "font": ["serif"],
    "type": ["photo", "video", "album", "reel"],
    "tag": ["light", "LIGHT", "nothing", "#light"],
    "fbclid": ["x"],
}
ALONE = [f"{name}={value}" for name, values in VALUES.items() for value in values]
TOGETHER = [f"{one}&{other}" for one, other in combinations(ALONE, 2)]


@to_the_moment
def test_with_any_options_a_finished_page_equals_flasks_answer_byte_for_byte(
    started: FlaskClient, asked: Asked
) -> None:
    queries = ["", *ALONE, *Random(1).sample(TOGETHER, 60)]
    pages = [f"{path}?{query}" for path in ("/", "/embed") for query in queries]
    for page in pages:  # All before any is compared, so that one could be taken for another.
        started.get(page)
    slow = [answered(started.get(page, headers={"Authorization": "Basic x"})) for page in pages]
    asked.clear()

    fast = [answered(started.get(page)) for page in pages]

    assert asked == []
    assert fast == slow


def answered(response: TestResponse) -> tuple[bytes, dict[str, str]]:
    """Without the date, and what only matters where there is another encoding."""
    headers = {name: value for name, value in response.headers.items() if name not in ("Date", "Vary")}
    return response.data, headers


@to_the_moment
def test_a_page_is_rendered_again_when_the_feed_is_no_longer_fresh(
    make_services: MakeServices, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    client = Visitor(create_app(services=make_services(IGFEED_FEED_TTL="60", IGFEED_CHECK_TTL="3600")))
    client.get("/")
    clock.now += timedelta(seconds=60) - MOMENT
    fresh = client.get("/").headers["Cache-Status"]
    new = instagram.publish(image())
    clock.now += MOMENT

    due = client.get("/").headers["Cache-Status"]

    assert (fresh, due) == ("igfeed; hit", "igfeed; fwd=stale")
    assert new["id"] in client.get("/").text


@pytest.fixture
def rarely_syncing(make_services: MakeServices, instagram: FakeInstagram, token: Token) -> Flask:
    """It asks the store once an hour, and has just fetched a feed that is fresh for a minute."""
    app = create_app(services=make_services(IGFEED_FEED_TTL="60", IGFEED_CHECK_TTL="3600"))
    app.extensions["igfeed"].feed.fetch()
    return app


@to_the_moment
def test_a_page_that_became_stale_while_it_was_rendered_is_not_sent_again(
    rarely_syncing: Flask, clock: MovingClock
) -> None:
    client = Visitor(rarely_syncing)
    clock.now += timedelta(seconds=60) - MOMENT
    rarely_syncing.teardown_request(lambda _: clock.forward(microseconds=1))

    pages = [client.get("/?columns=3").headers["Cache-Status"] for _ in range(2)]

    assert pages == ["igfeed; hit", "igfeed; fwd=stale"]


@to_the_moment
@pytest.mark.parametrize("later", [timedelta(), timedelta(seconds=59)], ids=["the first page", "a later page"])
def test_a_stale_page_is_sent_again_until_the_next_fetch_may_be_tried(
    rarely_syncing: Flask, instagram: FakeInstagram, clock: MovingClock, later: timedelta
) -> None:
    asked: Asked = []
    rarely_syncing.before_request(lambda: asked.append(request.path))
    client = Visitor(rarely_syncing)
    instagram.fail("media", TEMPORARY)
    clock.forward(hours=1)
    client.get("/")
    instagram.heal()
    new = instagram.publish(image())
    clock.now += later
    client.get("/?columns=3")
    asked.clear()
    clock.now += timedelta(seconds=60) - later - MOMENT
    client.get("/?columns=3")
    before = len(asked)
    clock.now += MOMENT
    client.get("/?columns=3")

    assert (before, len(asked)) == (0, 1)
    assert new["id"] in client.get("/").text


@to_the_moment
@pytest.mark.parametrize(("age", "is_reused"), [(CHECK_TTL - MOMENT, True), (CHECK_TTL, False)], ids=["before", "on"])
def test_a_page_is_sent_again_until_the_check_ttl_is_over(
    started: FlaskClient, asked: Asked, clock: MovingClock, age: timedelta, is_reused: bool
) -> None:
    started.get("/")
    clock.now += age

    started.get("/")

    assert len(asked) == (1 if is_reused else 2)


def test_a_new_feed_is_shown_at_once(started: FlaskClient, instagram: FakeInstagram) -> None:
    started.get("/")
    post = instagram.publish(image())
    started.application.extensions["igfeed"].feed.fetch()

    assert f'data-post-id="{post["id"]}"' in started.get("/").text


def test_a_stale_page_is_sent_and_the_feed_is_refreshed(
    started: FlaskClient, asked: Asked, instagram: FakeInstagram, clock: MovingClock
) -> None:
    started.get("/")
    post = instagram.publish(image())
    clock.forward(minutes=16)

    stale, fresh = started.get("/"), started.get("/")

    assert stale.headers["Cache-Status"] == "igfeed; fwd=stale"
    assert f'data-post-id="{post["id"]}"' in fresh.text
    assert len(asked) == 3


@to_the_moment
def test_finished_pages_cost_no_store_command_and_no_call_to_instagram(
    make_services: MakeServices, instagram: FakeInstagram, upstash: FakeUpstash, clock: MovingClock
) -> None:
    services = make_services(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
    services.tokens.adopt(Token(instagram.issue(), clock(), clock() + timedelta(days=60)), is_verified=True)
    client = Visitor(create_app(services=services))
    client.get("/embed")
    upstash.forget()
    instagram.forget_calls()

    statuses = {client.get("/embed?nothing=" + str(view)).status_code for view in range(1000)}

    assert statuses == {200}
    assert upstash.commands() == []
    assert instagram.count("*") == 0


def test_a_fresh_process_asks_the_store_once_before_its_first_page(
    make_services: MakeServices, instagram: FakeInstagram, upstash: FakeUpstash, clock: MovingClock
) -> None:
    variables = {"UPSTASH_REDIS_REST_URL": upstash.url, "UPSTASH_REDIS_REST_TOKEN": upstash.token}
    earlier = make_services(**variables)
    earlier.tokens.adopt(Token(instagram.issue(), clock(), clock() + timedelta(days=60)), is_verified=True)
    earlier.feed.fetch()
    upstash.forget()

    Visitor(create_app(services=make_services(**variables))).get("/")

    (command,) = upstash.commands()
    assert (command[0], command[3]) == ("EVAL_RO", "feed:v1")


# Requests that go to Flask


NOT_FOR_EVERYBODY: dict[str, Callable[[FlaskClient], object]] = {
    "with a secret": lambda client: client.get("/", headers={"Authorization": "Basic eDp5"}),
    "another path": lambda client: client.get("/healthz"),
    "another method": lambda client: client.post("/"),
}


@pytest.mark.parametrize("ask", NOT_FOR_EVERYBODY.values(), ids=NOT_FOR_EVERYBODY)
def test_a_request_whose_answer_is_not_for_everybody_goes_to_flask(
    started: FlaskClient, asked: Asked, ask: Callable[[FlaskClient], object]
) -> None:
    started.get("/")

    ask(started)
    ask(started)

    assert len(asked) == 3


def test_a_page_without_a_feed_is_not_kept(client: FlaskClient, asked: Asked, instagram: FakeInstagram) -> None:
    statuses = [client.get("/").status_code for _ in range(2)]

    assert statuses == [503, 503]
    assert len(asked) == 2
    assert not finished_pages_of(client)._pages


def test_each_host_gets_a_page_with_its_own_addresses(started: FlaskClient, asked: Asked) -> None:
    hosts = ("one.example", "two.example", "one.example")

    pages = [started.get("/", base_url=f"https://{host}/").text for host in hosts]

    assert [f"https://{host}/" in page for host, page in zip(hosts, pages, strict=True)] == [True] * 3
    assert pages[0] != pages[1]
    assert len(asked) == 2


@pytest.mark.parametrize(
    "variable", [{"BASE_URL": "https://feed.example"}, {"VERCEL_PROJECT_PRODUCTION_URL": "feed.example"}]
)
def test_with_a_known_origin_all_hosts_share_a_page(
    make_services: MakeServices, token: Token, clock: MovingClock, variable: dict[str, str]
) -> None:
    services = make_services(**variable)
    services.feed.fetch()
    client = Visitor(create_app(services=services))

    for number in range(5):
        page = client.get("/", base_url=f"https://host{number}.example/").text
        assert '<link rel="canonical" href="https://feed.example/">' in page

    assert len(finished_pages_of(client)._pages) == 1


ODD_HOSTS = {
    "a quote": 'x"onload="alert(1)',
    "a bracket": "<script>",
    "a user": "you@feed.example",
    "a list": "a.example,b.example",
    "a control character": "feed.example\x00",
    "a line break": "feed.example\n",
    "a space": "feed example",
    "a backslash": "feed.example\\evil.example",
    "a path": "feed.example/evil",
    "no ASCII": "f\xfc.example",
    "too long": "long." * 51 + "x",
    "a port too high": "feed.example:65536",
    "no name": ":80",
    "nothing": "",
}
HOSTS = ["one.example", "ONE.example:80", "one.example:8080", "two_.example", "[::1]:8000", *ODD_HOSTS.values()]


@to_the_moment
@pytest.mark.parametrize("ancestors", ["*", "'self' https://shop.example"])
def test_with_any_host_a_finished_page_equals_flasks_answer_byte_for_byte(
    make_services: MakeServices, token: Token, ancestors: str
) -> None:
    services = make_services(IGFEED_FRAME_ANCESTORS=ancestors)
    services.feed.fetch()
    client = Visitor(create_app(services=services))
    views = [(path, {"HTTP_HOST": host}) for path in ("/", "/embed", "/?columns=3") for host in HOSTS]
    for path, host in views:  # All before any is compared, so that one could be taken for another.
        client.get(path, environ_overrides=host)

    fast = [answered(client.get(path, environ_overrides=host)) for path, host in views]

    secret = {"HTTP_AUTHORIZATION": "Basic x"}
    assert fast == [answered(client.get(path, environ_overrides={**host, **secret})) for path, host in views]


@pytest.mark.parametrize("host", ODD_HOSTS.values(), ids=ODD_HOSTS)
def test_a_request_with_an_invalid_host_gets_a_page_without_our_absolute_addresses(
    started: FlaskClient, host: str
) -> None:
    pages = [started.get("/", environ_overrides={"HTTP_HOST": host}) for _ in range(2)]

    for page in pages:
        assert page.status_code == 200
        assert not re.search("canonical|og:url|og:image|ld[+]json|[.]invalid", page.text)


def test_a_page_names_the_host_of_the_request_and_no_other(started: FlaskClient, instagram: FakeInstagram) -> None:
    page = started.get("/", base_url="http://one.example:8080/").text

    others = {"www.instagram.com", "schema.org", urlsplit(instagram.url).netloc}
    named = {urlsplit(address).netloc for address in re.findall(r"https?://[^\s\"<>]*", page)}
    assert named - others == {"one.example:8080"}


def test_a_page_that_names_its_host_has_another_etag_for_each_host(started: FlaskClient) -> None:
    tags = {path: {etag_of(started, path, host) for host in ("one.example", "two.example")} for path in ("/", "/embed")}

    assert (len(tags["/"]), len(tags["/embed"])) == (2, 1)


def etag_of(client: FlaskClient, path: str, host: str) -> str:
    return client.get(path, base_url=f"http://{host}/").headers["ETag"]


@to_the_moment
def test_a_thousand_hosts_cost_one_rendering_and_a_bounded_number_of_finished_pages(
    started: FlaskClient,
) -> None:
    rendered: list[str | None] = []
    hosts = [f"host-{number}.example" for number in range(1000)]

    with template_rendered.connected_to(lambda _, template, **__: rendered.append(template.name)):
        named = [f"http://{host}/".encode() in started.get("/", base_url=f"http://{host}/").data for host in hosts]

    assert all(named)
    assert rendered.count(View.PAGE.template) == 1
    assert len(finished_pages_of(started)._pages) == MAX_ORIGINS


@to_the_moment
def test_a_thousand_hosts_share_the_embed(started: FlaskClient, asked: Asked) -> None:
    for number in range(1000):
        started.get("/embed", base_url=f"http://host-{number}.example/")

    assert len(asked) == 1


@to_the_moment
def test_a_host_gets_finished_pages_once_those_of_other_hosts_have_expired(
    started: FlaskClient, asked: Asked, clock: MovingClock
) -> None:
    for number in range(MAX_ORIGINS):
        etag_of(started, "/", f"host-{number}.example")
    asked.clear()
    etag_of(started, "/", "late.example")
    etag_of(started, "/", "late.example")
    before = len(asked)
    clock.now += CHECK_TTL

    for _ in range(3):
        etag_of(started, "/", "late.example")

    assert (before, len(asked)) == (2, 3)


def test_pages_beyond_the_last_of_a_process_that_has_just_started_are_one_page(
    client: FlaskClient, services: Services, token: Token
) -> None:
    services.feed.fetch()
    cached = client.application.extensions["cache"][page_cache.pages]

    texts = {client.get(f"/embed?limit=24&page={page}").data for page in range(2, 12)}

    assert len(texts) == len(finished_pages_of(client)._pages) == len(cached._cache) == 1


@to_the_moment
def test_pages_of_a_feed_that_became_longer_are_found_by_its_new_length(
    started: FlaskClient, instagram: FakeInstagram
) -> None:
    kept = instagram.posts[:]
    instagram.posts[:] = kept[:5]
    started.application.extensions["igfeed"].feed.fetch()
    short = [started.get(f"/embed?limit={limit}").text.count("data-post-id") for limit in (6, 10)]
    instagram.posts[:] = kept
    started.application.extensions["igfeed"].feed.fetch()

    long = [started.get(f"/embed?limit={limit}").text.count("data-post-id") for limit in (10, 6, 10, 6)]

    assert short == [5, 5]
    assert long == [10, 6, 10, 6]


def test_pages_beyond_the_last_and_limits_beyond_the_feed_share_a_finished_page(
    started: FlaskClient, asked: Asked
) -> None:
    queries = [*(f"limit=10&page={page}" for page in range(3, 13)), *(f"limit={limit}" for limit in range(24, 30))]

    texts = {started.get(f"/embed?{query}").data for query in queries}

    assert len(asked) == len(texts) == len(finished_pages_of(started)._pages) == 2


def test_a_check_ttl_of_0_keeps_nothing(make_services: MakeServices, token: Token) -> None:
    app = create_app(services=make_services(IGFEED_CHECK_TTL="0"))

    assert not isinstance(behind_proxy_layer(app), FinishedPages)
    assert Visitor(app).get("/").status_code == 200


# Bytes and tags


def test_a_visitor_who_accepts_gzip_gets_the_same_page_smaller(started: FlaskClient) -> None:
    plain = started.get("/embed")

    packed = started.get("/embed", headers=GZIP)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Length"] == str(len(packed.data))
    assert len(packed.data) < len(plain.data) / 2
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, *", None),
        ("zstd, deflate", None),
        ("gzip, identity", "gzip"),
        ("gzip, identity;q=0.5", "gzip"),
        ("gzip;q=0.1, identity", None),
        (";;;,=,\x00", None),
        ("gzip;q=much", None),
    ],
)
def test_the_encoding_is_one_that_the_visitor_accepts(
    started: FlaskClient, accepted: str, encoding: str | None
) -> None:
    answer = started.get("/", environ_overrides={"HTTP_ACCEPT_ENCODING": accepted})

    assert answer.status_code == 200
    assert answer.headers.get("Content-Encoding") == encoding


@pytest.mark.parametrize("headers", [{}, GZIP], ids=["plain", "gzip"])
@pytest.mark.parametrize("is_reused", [True, False], ids=["finished", "from Flask"])
def test_a_visitor_who_has_the_page_gets_304(
    started: FlaskClient, clock: MovingClock, headers: dict[str, str], is_reused: bool
) -> None:
    page = started.get("/", headers=headers)
    clock.now += timedelta() if is_reused else CHECK_TTL

    answer = started.get("/", headers={**headers, "If-None-Match": f'"other", W/{page.headers["ETag"]}'})

    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == page.headers["ETag"]
    assert answer.headers["Cache-Control"] == page.headers["Cache-Control"]
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize("headers", [{}, GZIP], ids=["plain", "gzip"])
def test_head_gets_the_headers_of_the_page(started: FlaskClient, asked: Asked, headers: dict[str, str]) -> None:
    first = started.head("/", headers=headers)

    page, second = started.get("/", headers=headers), started.head("/", headers=headers)

    assert len(asked) == 1
    assert first.headers == second.headers == page.headers
    assert (first.data, second.data) == (b"", b"")
    assert page.headers["Content-Length"] == str(len(page.data))


@pytest.mark.parametrize(("tags", "status"), [("*", 304), ('"other"', 200), ("", 200), ("\x00,,W/", 200)])
def test_a_visitor_with_another_etag_gets_the_page(started: FlaskClient, tags: str, status: int) -> None:
    started.get("/")

    assert started.get("/", environ_overrides={"HTTP_IF_NONE_MATCH": tags}).status_code == status


def test_a_server_may_change_the_headers_that_it_is_given(started: FlaskClient) -> None:
    given: list[list[tuple[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: object = None) -> Callable[[bytes], object]:
        given.append([*headers])
        headers.clear()
        return bytes

    for _ in range(3):
        list(started.application.wsgi_app(EnvironBuilder("/embed").get_environ(), start_response))

    assert given[0] == given[1] == given[2] != []


# How much is kept


def test_with_any_number_of_options_a_bounded_number_of_pages_is_kept(started: FlaskClient) -> None:
    for gap in range(49):
        for columns in range(1, 9):
            started.get(f"/embed?gap={gap}&color={columns:06}&tag=none{columns}&junk={gap}{columns}")

    pages = finished_pages_of(started)._pages
    assert len(pages) == MAX_PAGES
    assert sum(page.size for page in pages.values()) <= MAX_BYTES


@to_the_moment
def test_the_oldest_page_is_dropped_first(started: FlaskClient, asked: Asked) -> None:
    views = [f"/embed?gap={gap}&columns={columns}" for gap in range(49) for columns in range(1, 9)][: MAX_PAGES + 1]
    for view in views:
        started.get(view)
    asked.clear()

    started.get(views[-1])
    started.get(views[1])
    assert asked == []
    started.get(views[0])
    assert len(asked) == 1


@to_the_moment
def test_with_any_raw_requests_a_bounded_number_of_answers_is_kept(started: FlaskClient) -> None:
    views = [{"QUERY_STRING": f"utm={number}", "HTTP_IF_NONE_MATCH": f'"{number}"'} for number in range(2000)]
    views += [{"QUERY_STRING": "utm=" + "x" * length} for length in range(2000)]
    for words in views:
        started.get("/embed", environ_overrides=words)

    kept = finished_pages_of(started)._answers
    assert 0 < len(kept) <= MAX_ANSWERS
    assert max(sum(map(len, filter(None, words))) for words in kept) <= MAX_REQUEST_LENGTH


def test_no_answer_holds_a_page_that_was_dropped(started: FlaskClient, instagram: FakeInstagram) -> None:
    for number in range(20):
        started.get(f"/embed?utm={number}")
    instagram.publish(image())
    started.application.extensions["igfeed"].feed.fetch()

    for _ in range(2):
        started.get("/embed?columns=3")

    layer = finished_pages_of(started)
    assert [answer.lifetime.is_over for answer in layer._answers.values()] == [False]


# Answers that are found by the raw request


@pytest.fixture
def repeated(started: FlaskClient, asked: Asked) -> FlaskClient:
    """The embed was requested often enough to be found by its raw request."""
    for _ in range(3):
        started.get("/embed")
    assert len(finished_pages_of(started)._answers) == 1
    asked.clear()
    return started


def test_an_answer_found_by_its_raw_request_equals_that_of_its_page(repeated: FlaskClient, asked: Asked) -> None:
    by_raw_request = answered(repeated.get("/embed"))

    assert by_raw_request == answered(repeated.get("/embed?other=words"))
    assert asked == []


def test_an_answer_found_by_its_raw_request_is_dropped_with_a_new_feed(
    repeated: FlaskClient, instagram: FakeInstagram
) -> None:
    post = instagram.publish(image())
    repeated.application.extensions["igfeed"].feed.fetch()

    assert post["id"] in repeated.get("/embed").text


@to_the_moment
@pytest.mark.parametrize(("age", "is_reused"), [(CHECK_TTL - MOMENT, True), (CHECK_TTL, False)], ids=["before", "on"])
def test_an_answer_found_by_its_raw_request_is_sent_for_as_long_as_its_page(
    repeated: FlaskClient, asked: Asked, clock: MovingClock, age: timedelta, is_reused: bool
) -> None:
    clock.now += age

    repeated.get("/embed")

    assert len(asked) == (0 if is_reused else 1)


OTHER_REQUESTS: dict[str, tuple[dict[str, str], Callable[[TestResponse], bool]]] = {
    "an encoding": ({"HTTP_ACCEPT_ENCODING": "gzip"}, lambda answer: "Content-Encoding" in answer.headers),
    "a tag": ({"HTTP_IF_NONE_MATCH": "*"}, lambda answer: answer.status_code == 304),
    "HEAD": ({"REQUEST_METHOD": "HEAD"}, lambda answer: answer.data == b""),
    "POST": ({"REQUEST_METHOD": "POST"}, lambda answer: answer.status_code == 405),
    "a query": ({"QUERY_STRING": "gap=33"}, lambda answer: "--gap:33px" in answer.text),
    "a path": ({"PATH_INFO": "/"}, lambda answer: "canonical" in answer.text),
    "a prefix": ({"SCRIPT_NAME": "/feed"}, lambda answer: '"/feed/media/' in answer.text),
    "a secret": ({"HTTP_AUTHORIZATION": "Basic x"}, lambda answer: "Vary" not in answer.headers),
}


@pytest.mark.parametrize(("words", "is_right"), OTHER_REQUESTS.values(), ids=OTHER_REQUESTS)
def test_another_raw_request_gets_another_answer(
    repeated: FlaskClient, words: dict[str, str], is_right: Callable[[TestResponse], bool]
) -> None:
    assert is_right(repeated.get("/embed", environ_overrides=words))
    assert is_right(repeated.get("/embed", environ_overrides=words))
    assert is_right(repeated.get("/embed", environ_overrides=words))
    assert not is_right(repeated.get("/embed"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_scheme_is_part_of_the_raw_request(started: FlaskClient, scheme: str) -> None:
    for each in ("https", "http", "https", "http", "https", "http"):
        started.get("/", base_url=f"{each}://feed.example/")

    assert f'"{scheme}://feed.example/"' in started.get("/", base_url=f"{scheme}://feed.example/").text
