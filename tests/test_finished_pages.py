"""Finished pages: who gets them, how long, in which bytes."""

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
    LONGEST_REQUEST,
    MOST_ANSWERS,
    MOST_BYTES,
    MOST_ORIGINS,
    MOST_PAGES,
    FinishedPages,
)
from igfeed.widget.views import View
from tests.conftest import MakeServices, MovingClock, Visitor, to_the_moment
from tests.servers.instagram import TEMPORARY, FakeInstagram, image
from tests.servers.upstash import FakeUpstash

MOMENT = timedelta(microseconds=1)
CHECK_TTL = timedelta(seconds=30)
GZIP = {"Accept-Encoding": "br;q=0, gzip"}

Asked = list[str]


@pytest.fixture
def asked(app: Flask) -> Asked:
    """What Flask was woken up for."""
    paths: Asked = []
    app.before_request(lambda: paths.append(request.full_path))
    return paths


@pytest.fixture
def warm(client: FlaskClient, token: Token, asked: Asked) -> FlaskClient:
    """The process has the feed, and has finished no page yet."""
    client.get("/healthz")
    client.application.extensions["igfeed"].feed.fetch()
    asked.clear()
    return client


def shelf(client: FlaskClient) -> FinishedPages:
    layer = behind_proxy_layer(client.application)
    assert isinstance(layer, FinishedPages)
    return layer


def behind_proxy_layer(app: Flask) -> object:
    """What proxies say of a request is read before it is looked up."""
    layer: object = app.wsgi_app
    return layer.app if isinstance(layer, BehindProxies) else layer


@pytest.mark.parametrize("path", ["/", "/embed", "/embed?limit=9&columns=3"])
def test_a_page_is_made_once_and_then_handed_out(warm: FlaskClient, asked: Asked, path: str) -> None:
    first, *others = (warm.get(path) for _ in range(5))

    assert len(asked) == 1
    assert {(other.status_code, other.data, other.headers["ETag"]) for other in others} == {
        (200, first.data, first.headers["ETag"])
    }


def test_what_is_handed_out_has_all_headers_that_a_page_has(warm: FlaskClient, asked: Asked) -> None:
    bare = dict(warm.get("/", headers={"Authorization": "Basic x"}).headers)
    warm.get("/")

    hot = dict(warm.get("/").headers)

    assert len(asked) == 2
    assert hot.pop("Vary") == "Accept-Encoding"
    assert hot == {name: value for name, value in bare.items() if name != "Date"}


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
    "fbclid": ["x"],
}
ALONE = [f"{name}={value}" for name, values in VALUES.items() for value in values]
TOGETHER = [f"{one}&{other}" for one, other in combinations(ALONE, 2)]


@to_the_moment
def test_whatever_is_asked_for_what_is_handed_out_is_what_flask_answers_byte_for_byte(
    warm: FlaskClient, asked: Asked
) -> None:
    queries = ["", *ALONE, *Random(1).sample(TOGETHER, 60)]
    pages = [f"{path}?{query}" for path in ("/", "/embed") for query in queries]
    for page in pages:  # All before any is compared, so that one could be taken for another.
        warm.get(page)
    slow = [answered(warm.get(page, headers={"Authorization": "Basic x"})) for page in pages]
    asked.clear()

    fast = [answered(warm.get(page)) for page in pages]

    assert asked == []
    assert fast == slow


def answered(response: TestResponse) -> tuple[bytes, dict[str, str]]:
    """Without the date, and what only matters where there is another encoding."""
    headers = {name: value for name, value in response.headers.items() if name not in ("Date", "Vary")}
    return response.data, headers


@to_the_moment
def test_a_page_is_made_anew_when_the_feed_is_no_longer_fresh(
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
def seldom(make_services: MakeServices, instagram: FakeInstagram, token: Token) -> Flask:
    """It looks into the store once an hour and has just fetched a feed that is fresh for a minute."""
    app = create_app(services=make_services(IGFEED_FEED_TTL="60", IGFEED_CHECK_TTL="3600"))
    app.extensions["igfeed"].feed.fetch()
    return app


@to_the_moment
def test_a_page_that_fell_due_while_it_was_made_is_not_handed_out_again(seldom: Flask, clock: MovingClock) -> None:
    client = Visitor(seldom)
    clock.now += timedelta(seconds=60) - MOMENT
    seldom.teardown_request(lambda _: clock.forward(microseconds=1))

    pages = [client.get("/?columns=3").headers["Cache-Status"] for _ in range(2)]

    assert pages == ["igfeed; hit", "igfeed; fwd=stale"]


@to_the_moment
@pytest.mark.parametrize("later", [timedelta(), timedelta(seconds=59)], ids=["the first page", "a later page"])
def test_a_page_of_a_feed_that_cannot_be_had_anew_is_kept_for_as_long_as_nobody_may_try(
    seldom: Flask, instagram: FakeInstagram, clock: MovingClock, later: timedelta
) -> None:
    asked: Asked = []
    seldom.before_request(lambda: asked.append(request.path))
    client = Visitor(seldom)
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
@pytest.mark.parametrize(("age", "is_hot"), [(CHECK_TTL - MOMENT, True), (CHECK_TTL, False)], ids=["before", "on"])
def test_a_page_is_handed_out_for_as_long_as_the_process_trusts_its_copy(
    warm: FlaskClient, asked: Asked, clock: MovingClock, age: timedelta, is_hot: bool
) -> None:
    warm.get("/")
    clock.now += age

    warm.get("/")

    assert len(asked) == (1 if is_hot else 2)


def test_a_new_feed_is_shown_at_once(warm: FlaskClient, instagram: FakeInstagram) -> None:
    warm.get("/")
    post = instagram.publish(image())
    warm.application.extensions["igfeed"].feed.fetch()

    assert f'data-post-id="{post["id"]}"' in warm.get("/").text


def test_a_stale_page_is_handed_out_and_still_renewed(
    warm: FlaskClient, asked: Asked, instagram: FakeInstagram, clock: MovingClock
) -> None:
    warm.get("/")
    post = instagram.publish(image())
    clock.forward(minutes=16)

    stale, fresh = warm.get("/"), warm.get("/")

    assert stale.headers["Cache-Status"] == "igfeed; fwd=stale"
    assert f'data-post-id="{post["id"]}"' in fresh.text
    assert len(asked) == 3


@to_the_moment
def test_hot_views_cost_no_store_command_and_no_call(
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


# Who gets another answer


NOT_FOR_EVERYBODY: dict[str, Callable[[FlaskClient], object]] = {
    "with a secret": lambda client: client.get("/", headers={"Authorization": "Basic eDp5"}),
    "another path": lambda client: client.get("/healthz"),
    "another method": lambda client: client.post("/"),
}


@pytest.mark.parametrize("ask", NOT_FOR_EVERYBODY.values(), ids=NOT_FOR_EVERYBODY)
def test_what_is_not_the_same_for_everybody_is_flasks(
    warm: FlaskClient, asked: Asked, ask: Callable[[FlaskClient], object]
) -> None:
    warm.get("/")

    ask(warm)
    ask(warm)

    assert len(asked) == 3


def test_a_page_that_says_there_is_nothing_is_not_kept(
    client: FlaskClient, asked: Asked, instagram: FakeInstagram
) -> None:
    statuses = [client.get("/").status_code for _ in range(2)]

    assert statuses == [503, 503]
    assert len(asked) == 2
    assert not shelf(client)._pages


def test_each_host_gets_a_page_with_its_own_addresses(warm: FlaskClient, asked: Asked) -> None:
    hosts = ("one.example", "two.example", "one.example")

    pages = [warm.get("/", base_url=f"https://{host}/").text for host in hosts]

    assert [f"https://{host}/" in page for host, page in zip(hosts, pages, strict=True)] == [True] * 3
    assert pages[0] != pages[1]
    assert len(asked) == 2


@pytest.mark.parametrize(
    "variable", [{"BASE_URL": "https://feed.example"}, {"VERCEL_PROJECT_PRODUCTION_URL": "feed.example"}]
)
def test_where_the_origin_is_set_or_vercel_says_it_all_hosts_share_a_page(
    make_services: MakeServices, token: Token, clock: MovingClock, variable: dict[str, str]
) -> None:
    services = make_services(**variable)
    services.feed.fetch()
    client = Visitor(create_app(services=services))

    for number in range(5):
        page = client.get("/", base_url=f"https://host{number}.example/").text
        assert '<link rel="canonical" href="https://feed.example/">' in page

    assert len(shelf(client)._pages) == 1


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
def test_whatever_host_is_asked_what_is_handed_out_is_what_flask_answers_byte_for_byte(
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
def test_a_page_asked_of_an_odd_host_has_no_absolute_address_of_ours(warm: FlaskClient, host: str) -> None:
    pages = [warm.get("/", environ_overrides={"HTTP_HOST": host}) for _ in range(2)]

    for page in pages:
        assert page.status_code == 200
        assert not re.search("canonical|og:url|og:image|ld[+]json|[.]invalid", page.text)


def test_a_page_names_the_host_that_it_was_asked_of_and_no_other(warm: FlaskClient, instagram: FakeInstagram) -> None:
    page = warm.get("/", base_url="http://one.example:8080/").text

    others = {"www.instagram.com", "schema.org", urlsplit(instagram.url).netloc}
    named = {urlsplit(address).netloc for address in re.findall(r"https?://[^\s\"<>]*", page)}
    assert named - others == {"one.example:8080"}


def test_the_etag_of_a_page_that_names_its_host_is_another_for_each_host(warm: FlaskClient) -> None:
    tags = {path: {ask_of(warm, path, host) for host in ("one.example", "two.example")} for path in ("/", "/embed")}

    assert (len(tags["/"]), len(tags["/embed"])) == (2, 1)


def ask_of(client: FlaskClient, path: str, host: str) -> str:
    return client.get(path, base_url=f"http://{host}/").headers["ETag"]


@to_the_moment
def test_a_thousand_hosts_are_one_rendering_and_a_bounded_number_of_finished_pages(
    warm: FlaskClient,
) -> None:
    rendered: list[str | None] = []
    hosts = [f"host-{number}.example" for number in range(1000)]

    with template_rendered.connected_to(lambda _, template, **__: rendered.append(template.name)):
        named = [f"http://{host}/".encode() in warm.get("/", base_url=f"http://{host}/").data for host in hosts]

    assert all(named)
    assert rendered.count(View.PAGE.template) == 1
    assert len(shelf(warm)._pages) == MOST_ORIGINS


@to_the_moment
def test_a_thousand_hosts_share_the_embed(warm: FlaskClient, asked: Asked) -> None:
    for number in range(1000):
        warm.get("/embed", base_url=f"http://host-{number}.example/")

    assert len(asked) == 1


@to_the_moment
def test_a_host_gets_finished_pages_once_those_of_others_have_had_their_time(
    warm: FlaskClient, asked: Asked, clock: MovingClock
) -> None:
    for number in range(MOST_ORIGINS):
        ask_of(warm, "/", f"host-{number}.example")
    asked.clear()
    ask_of(warm, "/", "late.example")
    ask_of(warm, "/", "late.example")
    before = len(asked)
    clock.now += CHECK_TTL

    for _ in range(3):
        ask_of(warm, "/", "late.example")

    assert (before, len(asked)) == (2, 3)


def test_pages_beyond_the_last_of_a_process_that_has_just_started_are_one_page(
    client: FlaskClient, services: Services, token: Token
) -> None:
    services.feed.fetch()
    cached = client.application.extensions["cache"][page_cache.pages]

    texts = {client.get(f"/embed?limit=24&page={page}").data for page in range(2, 12)}

    assert len(texts) == len(shelf(client)._pages) == len(cached._cache) == 1


@to_the_moment
def test_pages_of_a_feed_that_became_longer_are_found_by_its_new_length(
    warm: FlaskClient, instagram: FakeInstagram
) -> None:
    kept = instagram.posts[:]
    instagram.posts[:] = kept[:5]
    warm.application.extensions["igfeed"].feed.fetch()
    short = [warm.get(f"/embed?limit={limit}").text.count("data-post-id") for limit in (6, 10)]
    instagram.posts[:] = kept
    warm.application.extensions["igfeed"].feed.fetch()

    long = [warm.get(f"/embed?limit={limit}").text.count("data-post-id") for limit in (10, 6, 10, 6)]

    assert short == [5, 5]
    assert long == [10, 6, 10, 6]


def test_pages_beyond_the_last_and_limits_beyond_the_feed_are_no_pages_of_their_own(
    warm: FlaskClient, asked: Asked
) -> None:
    queries = [*(f"limit=10&page={page}" for page in range(3, 13)), *(f"limit={limit}" for limit in range(24, 30))]

    texts = {warm.get(f"/embed?{query}").data for query in queries}

    assert len(asked) == len(texts) == len(shelf(warm)._pages) == 2


def test_a_check_ttl_of_0_keeps_nothing(make_services: MakeServices, token: Token) -> None:
    app = create_app(services=make_services(IGFEED_CHECK_TTL="0"))

    assert not isinstance(behind_proxy_layer(app), FinishedPages)
    assert Visitor(app).get("/").status_code == 200


# Bytes and tags


def test_who_takes_gzip_gets_the_same_page_smaller(warm: FlaskClient) -> None:
    plain = warm.get("/embed")

    packed = warm.get("/embed", headers=GZIP)

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
def test_the_encoding_is_one_that_was_asked_for(warm: FlaskClient, accepted: str, encoding: str | None) -> None:
    answer = warm.get("/", environ_overrides={"HTTP_ACCEPT_ENCODING": accepted})

    assert answer.status_code == 200
    assert answer.headers.get("Content-Encoding") == encoding


@pytest.mark.parametrize("headers", [{}, GZIP], ids=["plain", "gzip"])
@pytest.mark.parametrize("is_hot", [True, False], ids=["hot", "cold"])
def test_who_has_the_page_already_gets_a_304(
    warm: FlaskClient, clock: MovingClock, headers: dict[str, str], is_hot: bool
) -> None:
    page = warm.get("/", headers=headers)
    clock.now += timedelta() if is_hot else CHECK_TTL

    answer = warm.get("/", headers={**headers, "If-None-Match": f'"other", W/{page.headers["ETag"]}'})

    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == page.headers["ETag"]
    assert answer.headers["Cache-Control"] == page.headers["Cache-Control"]
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize("headers", [{}, GZIP], ids=["plain", "gzip"])
def test_who_only_asks_about_the_page_gets_its_headers(
    warm: FlaskClient, asked: Asked, headers: dict[str, str]
) -> None:
    first = warm.head("/", headers=headers)

    page, second = warm.get("/", headers=headers), warm.head("/", headers=headers)

    assert len(asked) == 1
    assert first.headers == second.headers == page.headers
    assert (first.data, second.data) == (b"", b"")
    assert page.headers["Content-Length"] == str(len(page.data))


@pytest.mark.parametrize(("tags", "status"), [("*", 304), ('"other"', 200), ("", 200), ("\x00,,W/", 200)])
def test_other_tags_get_the_page(warm: FlaskClient, tags: str, status: int) -> None:
    warm.get("/")

    assert warm.get("/", environ_overrides={"HTTP_IF_NONE_MATCH": tags}).status_code == status


def test_a_server_may_change_the_headers_that_it_is_given(warm: FlaskClient) -> None:
    given: list[list[tuple[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: object = None) -> Callable[[bytes], object]:
        given.append([*headers])
        headers.clear()
        return bytes

    for _ in range(3):
        list(warm.application.wsgi_app(EnvironBuilder("/embed").get_environ(), start_response))

    assert given[0] == given[1] == given[2] != []


# How much is kept


def test_however_many_ways_a_page_is_asked_for_a_bounded_number_is_kept(warm: FlaskClient) -> None:
    for gap in range(49):
        for columns in range(1, 9):
            warm.get(f"/embed?gap={gap}&columns={columns}&junk={gap}{columns}")

    pages = shelf(warm)._pages
    assert len(pages) == MOST_PAGES
    assert sum(page.size for page in pages.values()) <= MOST_BYTES


@to_the_moment
def test_the_page_that_was_made_longest_ago_makes_room(warm: FlaskClient, asked: Asked) -> None:
    views = [f"/embed?gap={gap}&columns={columns}" for gap in range(49) for columns in range(1, 9)][: MOST_PAGES + 1]
    for view in views:
        warm.get(view)
    asked.clear()

    warm.get(views[-1])
    warm.get(views[1])
    assert asked == []
    warm.get(views[0])
    assert len(asked) == 1


@to_the_moment
def test_however_odd_the_words_of_requests_are_a_bounded_number_of_answers_is_kept(warm: FlaskClient) -> None:
    views = [{"QUERY_STRING": f"utm={number}", "HTTP_IF_NONE_MATCH": f'"{number}"'} for number in range(2000)]
    views += [{"QUERY_STRING": "utm=" + "x" * length} for length in range(2000)]
    for words in views:
        warm.get("/embed", environ_overrides=words)

    kept = shelf(warm)._answers
    assert 0 < len(kept) <= MOST_ANSWERS
    assert max(sum(map(len, filter(None, words))) for words in kept) <= LONGEST_REQUEST


def test_no_answer_holds_a_page_that_is_gone(warm: FlaskClient, instagram: FakeInstagram) -> None:
    for number in range(20):
        warm.get(f"/embed?utm={number}")
    instagram.publish(image())
    warm.application.extensions["igfeed"].feed.fetch()

    for _ in range(2):
        warm.get("/embed?columns=3")

    layer = shelf(warm)
    assert [answer.lifetime.is_over for answer in layer._answers.values()] == [False]


# Answers that are found by the words of the request


@pytest.fixture
def familiar(warm: FlaskClient, asked: Asked) -> FlaskClient:
    """The embed was asked for in the same words often enough to be found by them."""
    for _ in range(3):
        warm.get("/embed")
    assert len(shelf(warm)._answers) == 1
    asked.clear()
    return warm


def test_an_answer_found_by_its_words_is_the_one_that_its_page_gives(familiar: FlaskClient, asked: Asked) -> None:
    by_words = answered(familiar.get("/embed"))

    assert by_words == answered(familiar.get("/embed?other=words"))
    assert asked == []


def test_an_answer_found_by_its_words_gives_way_to_a_new_feed(familiar: FlaskClient, instagram: FakeInstagram) -> None:
    post = instagram.publish(image())
    familiar.application.extensions["igfeed"].feed.fetch()

    assert post["id"] in familiar.get("/embed").text


@to_the_moment
@pytest.mark.parametrize(("age", "is_hot"), [(CHECK_TTL - MOMENT, True), (CHECK_TTL, False)], ids=["before", "on"])
def test_an_answer_found_by_its_words_is_given_for_as_long_as_its_page(
    familiar: FlaskClient, asked: Asked, clock: MovingClock, age: timedelta, is_hot: bool
) -> None:
    clock.now += age

    familiar.get("/embed")

    assert len(asked) == (0 if is_hot else 1)


OTHER_WORDS: dict[str, tuple[dict[str, str], Callable[[TestResponse], bool]]] = {
    "an encoding": ({"HTTP_ACCEPT_ENCODING": "gzip"}, lambda answer: "Content-Encoding" in answer.headers),
    "a tag": ({"HTTP_IF_NONE_MATCH": "*"}, lambda answer: answer.status_code == 304),
    "HEAD": ({"REQUEST_METHOD": "HEAD"}, lambda answer: answer.data == b""),
    "POST": ({"REQUEST_METHOD": "POST"}, lambda answer: answer.status_code == 405),
    "a query": ({"QUERY_STRING": "gap=33"}, lambda answer: "--gap:33px" in answer.text),
    "a path": ({"PATH_INFO": "/"}, lambda answer: "canonical" in answer.text),
    "a prefix": ({"SCRIPT_NAME": "/feed"}, lambda answer: '"/feed/media/' in answer.text),
    "a secret": ({"HTTP_AUTHORIZATION": "Basic x"}, lambda answer: "Vary" not in answer.headers),
}


@pytest.mark.parametrize(("words", "is_right"), OTHER_WORDS.values(), ids=OTHER_WORDS)
def test_other_words_find_another_answer(
    familiar: FlaskClient, words: dict[str, str], is_right: Callable[[TestResponse], bool]
) -> None:
    assert is_right(familiar.get("/embed", environ_overrides=words))
    assert is_right(familiar.get("/embed", environ_overrides=words))
    assert is_right(familiar.get("/embed", environ_overrides=words))
    assert not is_right(familiar.get("/embed"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_scheme_of_a_request_is_one_of_its_words(warm: FlaskClient, scheme: str) -> None:
    for each in ("https", "http", "https", "http", "https", "http"):
        warm.get("/", base_url=f"{each}://feed.example/")

    assert f'"{scheme}://feed.example/"' in warm.get("/", base_url=f"{scheme}://feed.example/").text
