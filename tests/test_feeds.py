"""What holds for every document for programs: who may read it, how it is cached, and which posts it has."""

import gzip
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igfeed import create_app
from igfeed.models import FeedSnapshot, Picture, Token
from igfeed.owner import choosing
from igfeed.services import Services
from igfeed.widget.page_cache import pages
from igfeed.widget.syndication.picture_sizes import picture_sizes
from igfeed.widget.views import FeedFormat
from tests.conftest import MakeServices
from tests.harness.visitor import Visitor
from tests.servers.instagram import FakeInstagram, album, child_image, image, reel, video
from tests.servers.upstash import FakeUpstash

PATHS = [each.value for each in FeedFormat]
FREELY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)

every_format = pytest.mark.parametrize("path", PATHS)


@pytest.fixture
def shown(client: FlaskClient, token: Token, instagram: FakeInstagram) -> FlaskClient:
    """An account with a photo, an album and a video, of which the first two have a hashtag."""
    instagram.posts[:] = [
        image(id="17900000000000003", caption="A #chair"),
        album([child_image(id="179000000000000020")], id="17900000000000002", caption="Four of a kind, #Chair"),
        video(id="17900000000000001", caption="How it is made"),
    ]
    client.get("/")
    return client


def posts_in(client: FlaskClient, path: str) -> list[str]:
    """The ids of the posts in a document: each has a picture, or one of a child with one more digit."""
    found = re.findall(r"/media/(1790000000000000\d)\d?-1080\.webp", client.get(path).text)
    return list(dict.fromkeys(found))


@every_format
def test_any_page_may_read_it_and_caches_keep_it_as_they_keep_pages(shown: FlaskClient, path: str) -> None:
    response, page = shown.get(path), shown.get("/")

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == page.headers["Cache-Control"]
    assert response.headers["Cache-Status"] == "igfeed; hit"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("check_ttl", ["30", "0"])
@every_format
def test_a_reader_that_has_it_gets_304(path: str, check_ttl: str, make_services: MakeServices, token: Token) -> None:
    """With and without the layer of finished pages."""
    client = Visitor(create_app(services=make_services(IGFEED_CHECK_TTL=check_ttl)))
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert re.fullmatch(r'"[0-9a-f]+"', first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Access-Control-Allow-Origin"] == "*"


@every_format
def test_a_fetch_that_brings_nothing_new_leaves_readers_with_what_they_have(
    path: str, shown: FlaskClient, services: Services, instagram: FakeInstagram
) -> None:
    instagram.posts[:] = [post for post in instagram.posts if post["media_type"] == "IMAGE"]
    services.feed.fetch()
    before = shown.get(path).headers["ETag"]

    services.feed.fetch()
    assert shown.get(path).headers["ETag"] == before

    instagram.posts[0]["caption"] = "Another text"
    services.feed.fetch()
    assert shown.get(path).headers["ETag"] != before


@every_format
def test_it_is_sent_compressed_and_head_has_no_body(path: str, shown: FlaskClient) -> None:
    plain = shown.get(path)
    small = shown.get(path, headers={"Accept-Encoding": "br;q=0, gzip"})
    head = shown.head(path)

    assert gzip.decompress(small.data) == plain.data
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == plain.headers["ETag"]


@every_format
def test_a_view_costs_no_store_command_more_than_a_page_does(
    path: str, upstash: FakeUpstash, make_services: MakeServices, token: Token
) -> None:
    upstash_pair = {"UPSTASH_REDIS_REST_URL": upstash.url, "UPSTASH_REDIS_REST_TOKEN": upstash.token}
    writer = make_services(**upstash_pair)
    writer.tokens.adopt(token, is_verified=True)
    writer.feed.fetch()
    costs = []
    for each in ("/", path):
        client = Visitor(create_app(services=make_services(**upstash_pair)))
        upstash.forget()
        assert [client.get(each).status_code for _ in range(3)] == [200] * 3
        costs.append(len(upstash.commands()))

    assert costs == [1, 1]


# Which posts


@every_format
def test_type_tag_and_limit_choose_as_on_the_page_and_nothing_else_counts(path: str, shown: FlaskClient) -> None:
    whole = shown.get(path)

    assert posts_in(shown, path) == ["17900000000000003", "17900000000000002", "17900000000000001"]
    assert posts_in(shown, f"{path}?type=video") == ["17900000000000001"]
    assert posts_in(shown, f"{path}?tag=CHAIR&limit=1") == ["17900000000000003"]
    assert posts_in(shown, f"{path}?tag=nothing") == []
    for ignored in ("columns=3", "page=2", "limit=x", "limit=99", "type=story", "theme=dark&x=1"):
        assert shown.get(f"{path}?{ignored}").data == whole.data, ignored


@every_format
def test_it_has_all_kept_posts_unless_it_is_asked_for_fewer(
    path: str, client: FlaskClient, token: Token, instagram: FakeInstagram
) -> None:
    instagram.posts[:] = [image(id=f"179000000000000{number:02}") for number in range(40, 10, -1)]

    found = re.findall(r"/media/(179\d+)-1080\.webp", client.get(path).text)

    assert list(dict.fromkeys(found)) == [post["id"] for post in instagram.posts[:24]]


@every_format
def test_posts_that_the_owner_hides_are_in_no_document_and_pinned_ones_come_first(
    path: str, shown: FlaskClient, services: Services, instagram: FakeInstagram
) -> None:
    instagram.publish(reel(id="17900000000000009", is_shared_to_feed=False, caption="Only a try"))
    services.feed.fetch()

    choosing.hide(services, ["17900000000000003"])
    choosing.pin(services, ["17900000000000001"])

    assert posts_in(shown, path) == ["17900000000000001", "17900000000000002"]
    for unseen in ("17900000000000003", "A #chair", "17900000000000009", "Only a try"):
        assert unseen not in shown.get(path).text


@given(noise=st.lists(st.tuples(st.text(max_size=12), st.text(max_size=40)), max_size=6))
@FREELY
def test_what_has_no_meaning_reaches_no_cache_key(
    client: FlaskClient, token: Token, noise: list[tuple[str, str]]
) -> None:
    for path in PATHS:
        client.get(path)
    before = len(vars(pages.cache)["_cache"])

    for path in PATHS:
        client.get(path, query_string=[*((f"x{name}", value) for name, value in noise), ("tag", "nobody-has-it")])
        client.get(path, query_string=[("gap", "7"), ("limit", "100")])

    assert len(vars(pages.cache)["_cache"]) <= before + len(PATHS)  # All unknown hashtags share one empty document.


# Addresses


@every_format
def test_each_address_of_ours_is_whole_and_under_the_prefix(path: str, shown: FlaskClient, app: Flask) -> None:
    text = app.test_client().get(path, base_url="https://Feed.Example/shop").text

    assert set(re.findall(r"[^\s\"'<>;]*/media/", text)) == {"https://feed.example/shop/media/"}
    assert ".invalid" not in text


@every_format
def test_base_url_is_the_origin_whatever_the_host_is(path: str, make_services: MakeServices, token: Token) -> None:
    client = Visitor(create_app(services=make_services(BASE_URL="https://feed.example")))

    response = client.get(path, base_url="http://10.0.0.7:8000/")

    assert "https://feed.example/media/" in response.text
    assert "10.0.0.7" not in response.text


@every_format
def test_without_a_usable_host_there_is_no_document(path: str, shown: FlaskClient) -> None:
    response = shown.get(path, headers={"Host": 'x"><script>'})

    assert response.status_code == 400
    assert "script>" not in response.text


# While there is nothing to show


@every_format
def test_before_the_first_feed_it_is_a_503_without_the_owners_words(path: str, client: FlaskClient) -> None:
    response = client.get(path)

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.mimetype == "application/json"  # A reader of Atom looks at the status.
    assert response.get_json() == {
        "error": "not_ready",
        "message": "The posts are on their way",
        "hint": "They will show here soon. Please come back a little later.",
    }


@every_format
def test_the_first_reader_waits_for_the_first_fetch(path: str, client: FlaskClient, token: Token) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["Cache-Status"] == "igfeed; fwd=miss"


@every_format
def test_an_account_without_posts_has_a_document_without_posts(
    path: str, client: FlaskClient, token: Token, instagram: FakeInstagram
) -> None:
    instagram.posts.clear()

    assert client.get(path).status_code == 200
    assert posts_in(client, path) == []


# The sizes of pictures


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1080, 1350), [(320, 400), (640, 800), (1080, 1350)]),
        ((1080, 719), [(320, 213), (640, 426), (1080, 719)]),
        ((500, 400), [(320, 256), (500, 400), (500, 400)]),
        ((96, 120), [(96, 120)] * 3),
        ((320, 400), [(320, 400), (None, None), (None, None)]),
        (None, [(None, None)] * 3),
    ],
)
def test_the_sizes_are_those_of_the_files_as_far_as_they_are_known(
    size: tuple[int, int] | None, expected: list[tuple[int | None, int | None]]
) -> None:
    sizes = picture_sizes(Picture("1", "https://a.example/1.jpg", size=size))

    assert [each.name for each in sizes] == [320, 640, 1080]
    assert [(each.width, each.height) for each in sizes] == expected


def test_the_sizes_are_those_of_the_files_that_are_made(
    shown: FlaskClient, services: Services, instagram: FakeInstagram
) -> None:
    from io import BytesIO

    from PIL import Image

    instagram.picture_size = (913, 1141)
    post = services.feed.fetch().posts[0]
    files = [shown.get(f"/media/{post.id}-{width}.webp").data for width in (320, 640, 1080)]
    made = [Image.open(BytesIO(file)).size for file in files]
    snapshot: FeedSnapshot = services.feed.fetch()

    assert [(each.width, each.height) for each in picture_sizes(snapshot.posts[0].picture)] == made


def test_a_post_without_a_picture_has_no_sizes() -> None:
    assert picture_sizes(Picture("1")) == ()
