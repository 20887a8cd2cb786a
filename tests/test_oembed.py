"""The feed for CMSs: somebody pastes its address, and the CMS asks what to show."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import product
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from xml.etree import ElementTree as ET

import micawber
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from micawber import Provider, ProviderRegistry
from werkzeug.test import TestResponse

from igfeed import create_app
from igfeed.models import FeedSnapshot, Picture, Post, Profile, Token
from igfeed.services import Services
from igfeed.widget.oembed.addresses import query_of_our_page
from igfeed.widget.oembed.frame_size import MAX_FRAME_HEIGHT, frame_within
from igfeed.widget.options import RATIOS, Options, default_options
from igfeed.widget.translations import language_of
from igfeed.widget.views import View
from tests.conftest import MakeServices
from tests.harness.app_server import serving
from tests.harness.hostile import TEXTS
from tests.harness.owner import OWNER
from tests.harness.visitor import Visitor
from tests.servers.instagram import FakeInstagram, image, video

HERE = "http://localhost/"
FREELY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


class Html(HTMLParser):
    """The elements of a piece of HTML with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    def the(self, tag: str) -> dict[str, str | None]:
        (attributes,) = [attributes for name, attributes in self.elements if name == tag]
        return attributes


def ask(client: FlaskClient, url: str = HERE, **more: Any) -> TestResponse:
    return client.get("/oembed", query_string={"url": url, **more})


def answer(client: FlaskClient, url: str = HERE, **more: Any) -> dict[str, Any]:
    response = ask(client, url, **more)
    assert response.status_code == 200, url
    found: dict[str, Any] = json.loads(response.data)
    return found


def frame_of(found: dict[str, Any]) -> dict[str, str | None]:
    return Html(found["html"]).the("iframe")


def asked_of_the_embed(found: dict[str, Any]) -> dict[str, list[str]]:
    """The options in the frame's address."""
    return parse_qs(urlsplit(frame_of(found)["src"] or "").query)


@pytest.fixture
def shown(client: FlaskClient, token: Token) -> FlaskClient:
    """There is a feed."""
    client.get("/")
    return client


@pytest.fixture
def pictured(shown: FlaskClient, instagram: FakeInstagram) -> FlaskClient:
    """The newest post's picture is kept too."""
    instagram.picture_size = (640, 800)
    shown.get(f"/media/{instagram.posts[0]['id']}-640.webp")
    return shown


# The document


def test_a_pasted_page_is_a_rich_frame_with_all_that_a_cms_wants_to_know(
    pictured: FlaskClient, instagram: FakeInstagram
) -> None:
    found = answer(pictured)

    assert found | {"html": "", "width": 0, "height": 0} == {
        "type": "rich",
        "version": "1.0",
        "title": "Studio Nord on Instagram",
        "author_name": "Studio Nord",
        "author_url": "https://www.instagram.com/studio.nord/",
        "provider_name": "localhost",
        "provider_url": HERE,
        "cache_age": 86400,
        "thumbnail_url": f"{HERE}media/{instagram.posts[0]['id']}-640.webp",
        "thumbnail_width": 640,
        "thumbnail_height": 800,
        "html": "",
        "width": 0,
        "height": 0,
    }
    assert [type(found[name]) for name in ("width", "height")] == [int, int]


def test_the_html_is_a_quote_with_a_link_and_then_a_plain_frame_in_one_line(shown: FlaskClient) -> None:
    found = answer(shown, maxwidth=500)
    html = Html(found["html"])

    assert html.tags == ["blockquote", "a", "iframe"]
    assert "\n" not in found["html"]
    assert html.the("blockquote") == {}
    assert html.the("a") == {"href": HERE}
    assert html.text == found["title"]
    frame = html.the("iframe")
    assert frame["src"] == f"{HERE}embed"
    assert (frame["width"], frame["height"]) == (str(found["width"]), str(found["height"]))
    assert frame["title"] == found["title"]


def test_xml_has_the_same_as_json(pictured: FlaskClient) -> None:
    response = ask(pictured, format="xml")
    root = ET.fromstring(response.data)

    assert response.content_type == "text/xml; charset=utf-8"
    assert root.tag == "oembed"
    assert {each.tag: each.text for each in root} == {name: str(value) for name, value in answer(pictured).items()}


@pytest.mark.parametrize(("name", "content_type"), [("json", "application/json"), ("xml", "text/xml; charset=utf-8")])
def test_any_page_may_read_it_and_caches_may_keep_it(shown: FlaskClient, name: str, content_type: str) -> None:
    response = ask(shown, format=name)
    again = shown.get(response.request.url, headers={"If-None-Match": response.headers["ETag"]})

    assert response.content_type == content_type
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"].startswith("public, max-age=300, ")
    assert "Set-Cookie" not in response.headers
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["yaml", "", "JSON", "json,xml"])
def test_an_unknown_format_is_not_implemented(shown: FlaskClient, name: str) -> None:
    response = ask(shown, format=name)

    assert response.status_code == 501
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"


def test_without_posts_it_says_to_come_back_later(client: FlaskClient) -> None:
    response = ask(client)

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["Cache-Control"] == "no-store"
    assert language_of("en").words.feed_not_ready in response.text


def test_an_account_without_a_single_post_has_a_frame_and_no_thumbnail(
    client: FlaskClient, token: Token, instagram: FakeInstagram
) -> None:
    instagram.posts.clear()
    found = answer(client)

    assert found["height"] > 0
    assert not [name for name in found if name.startswith("thumbnail")]


# The thumbnail


@pytest.mark.parametrize(
    ("room", "size"),
    [
        ({"maxwidth": 640}, (640, 800)),
        ({"maxwidth": 639}, (320, 400)),
        ({"maxheight": 799}, (320, 400)),
        ({"maxwidth": 319}, None),
        ({"maxheight": 399}, None),
    ],
)
def test_the_thumbnail_is_no_larger_than_the_room(
    pictured: FlaskClient, room: dict[str, Any], size: tuple[int, int] | None
) -> None:
    found = answer(pictured, **room)

    assert (found.get("thumbnail_width"), found.get("thumbnail_height")) == (size or (None, None))


def test_no_cms_waits_for_a_picture_that_is_not_kept_yet(
    client: FlaskClient, token: Token, instagram: FakeInstagram
) -> None:
    client.get("/")

    assert "thumbnail_url" not in answer(client)
    assert instagram.count("picture") == 0


def test_the_thumbnail_is_of_a_post_that_the_frame_shows(pictured: FlaskClient, instagram: FakeInstagram) -> None:
    first = next(post["id"] for post in instagram.posts if post["media_type"] == "VIDEO")
    pictured.get(f"/media/{first}-640.webp")

    assert f"/{first}-" in answer(pictured, f"{HERE}?type=video")["thumbnail_url"]


# Which addresses are ours


@pytest.mark.parametrize(
    "address",
    [
        *("https://feed.example/", "https://feed.example", "http://feed.example/", "https://www.feed.example/"),
        *(
            "https://FEED.Example/",
            "https://feed.example:443/",
            "http://feed.example:80/",
            "https://feed.example/embed",
        ),
        *("https://feed.example/embed/", "https://feed.example/?x=1#top", "https://feed.example/%65mbed"),
        *("HTTPS://feed.example/", "https://feed.example?columns=3", " https://feed.example/"),
    ],
)
def test_an_address_is_ours_however_it_is_written(address: str) -> None:
    assert query_of_our_page(address, "https://feed.example", "") is not None


@pytest.mark.parametrize(
    "address",
    [
        *("", "/", "feed.example", "//feed.example/", "ftp://feed.example/", "javascript:alert(1)//feed.example/"),
        *(
            "https://feed.example:8443/",
            "http://feed.example:443/",
            "https://other.example/",
            "https://feed.example.evil/",
        ),
        *("https://feed.example@evil.example/", "https://me@feed.example/", "https://me:pw@feed.example/"),
        *(
            "https://evil.example\\@feed.example/",
            "https://feed.example\\.evil.example/",
            "https://evil.example#@feed.example/",
        ),
        *(
            "https://feed.example/embed.js",
            "https://feed.example/nothing",
            "https://feed.example/api/",
            "https://feed.example//",
        ),
        *("https://feed.example/%2565mbed", "https://feed.example/%2e%2e/embed", "https://feed.example/../embed"),
        *("https://www.www.feed.example/", "https://[::1/", "https://feed.example:99999/", "https://feed.example:x/"),
        *(
            f"https://feed.example/?{'x' * 100_000}",
            "https://feed.example/embed\x00",
            "data:text/html,https://feed.example/",
        ),
    ],
)
def test_an_address_is_not_ours_however_it_pretends(address: str) -> None:
    assert query_of_our_page(address, "https://feed.example", "") is None


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("http://localhost:8000", "http://localhost:8000/embed"),
        ("https://www.feed.example", "https://feed.example/"),
        ("http://[::1]:8000", "http://[::1]:8000/"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/?columns=2"),
    ],
)
def test_our_own_origin_may_have_a_port_and_a_www(origin: str, address: str) -> None:
    assert query_of_our_page(address, origin, "") is not None


def test_under_a_prefix_only_addresses_with_it_are_ours() -> None:
    def ours(path: str) -> bool:
        return query_of_our_page(f"https://shop.example{path}", "https://shop.example", "/insta") is not None

    assert [path for path in ("/insta", "/insta/", "/insta/embed", "/insta?limit=2") if not ours(path)] == []
    assert [
        path for path in ("/", "/embed", "/instaembed", "/insta2/", "/x/insta/", "/embed/insta") if ours(path)
    ] == []


@given(st.text(max_size=60) | st.text(max_size=20).map(lambda text: f"https://feed.example/{text}"))
@example("https://feed.example/?\udcff".encode("utf-8", "replace").decode())
@example("http://[")
@example("https://feed.example/?%00%ff%zz")
def test_whatever_is_pasted_is_answered_calmly(address: str) -> None:
    query = query_of_our_page(address, "https://feed.example", "")

    assert query is None or isinstance(query.encode("latin-1"), bytes)


def test_the_page_is_looked_for_at_base_url_or_else_at_the_requests_own_host(
    make_services: MakeServices, token: Token
) -> None:
    by_request = Visitor(create_app(services=make_services()))
    by_setting = Visitor(create_app(services=make_services(BASE_URL="https://feed.example")))

    assert (
        ask(
            by_request,
            "http://feed.test:81/",
        ).status_code
        == 404
    )
    found = json.loads(by_request.get("/oembed?url=http://feed.test:81/", base_url="http://feed.test:81/").data)
    assert frame_of(found)["src"] == "http://feed.test:81/embed"
    assert ask(by_setting, HERE).status_code == 404
    assert frame_of(answer(by_setting, "http://www.feed.example/"))["src"] == "https://feed.example/embed"


def test_a_request_with_an_impossible_host_has_no_page(shown: FlaskClient) -> None:
    assert shown.get("/oembed?url=http://x/", headers={"Host": "x y"}).status_code == 404


def test_under_a_prefix_all_addresses_in_the_answer_have_it(pictured: FlaskClient) -> None:
    response = pictured.get("/oembed?url=http://localhost/shop/", environ_overrides={"SCRIPT_NAME": "/shop"})
    found = json.loads(response.data)

    assert frame_of(found)["src"] == f"{HERE}shop/embed"
    assert found["provider_url"] == Html(found["html"]).the("a")["href"] == f"{HERE}shop/"
    assert found["thumbnail_url"].startswith(f"{HERE}shop/media/")


# Options


def test_the_options_of_the_pasted_address_go_into_the_frame_and_others_do_not(shown: FlaskClient) -> None:
    found = answer(shown, f"{HERE}?columns=2&gap=8&theme=dark&nothing=1&limit=4&ratio=oval&url=x&maxwidth=9")

    assert asked_of_the_embed(found) == {"columns": ["2"], "gap": ["8"], "theme": ["dark"], "limit": ["4"]}


def test_every_option_passes_through(shown: FlaskClient) -> None:
    """By the table, so that a new option passes too."""
    usual, others = default_options(View.EMBED), {}
    for name, row in Options.table().items():
        for value in re.findall(r"`(\w+)`", row.values) if name not in ("limit", "page") else ():
            if row.kind.parse(value) != getattr(usual, name):
                others[name] = value
    found = answer(shown, f"{HERE}?{'&'.join(f'{name}={value}' for name, value in others.items())}")

    asked = asked_of_the_embed(found)
    assert {name: asked.get(name) for name in others} == {name: [value] for name, value in others.items()}
    assert len(others) >= 6


def test_the_page_that_was_pasted_is_the_page_in_the_frame(shown: FlaskClient) -> None:
    assert asked_of_the_embed(answer(shown, f"{HERE}?limit=3&page=2")) == {"limit": ["3"], "page": ["2"]}


def test_a_feed_that_is_short_today_does_not_shorten_the_frame_for_ever(
    client: FlaskClient, token: Token, instagram: FakeInstagram
) -> None:
    instagram.posts[:] = [image(), video()]

    assert asked_of_the_embed(answer(client)) == {}


@FREELY
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*Options.table(), "x", '"><script>', "url"]),
            st.sampled_from(
                ['"><script>alert(1)</script>', "'", "&amp;", "]]>", "\x00", "%22", "javascript:1", "1", "0"]
            )
            | st.text(max_size=8),
        ),
        max_size=6,
    )
)
def test_hostile_options_are_harmless_in_html_json_and_xml(shown: FlaskClient, pairs: list[tuple[str, str]]) -> None:
    address = f"{HERE}?{'&'.join(f'{quote(name)}={quote(value)}' for name, value in pairs)}"
    found = answer(shown, address)

    assert Html(found["html"]).tags == ["blockquote", "a", "iframe"]
    assert set(frame_of(found)) == set(frame_of(answer(shown)))
    assert re.fullmatch(rf"{HERE}embed(\?[\w=&%.-]*)?", frame_of(found)["src"] or "")
    assert ET.fromstring(ask(shown, address, format="xml").data).findtext("html") == found["html"]


def test_hostile_names_stay_texts(
    client: FlaskClient, token: Token, instagram: FakeInstagram, services: Services
) -> None:
    for text in TEXTS:
        instagram.profile |= {"name": text, "username": text}
        services.feed.fetch()
        found = answer(client)

        html = Html(found["html"])
        assert html.tags == ["blockquote", "a", "iframe"]
        assert html.text == found["title"] == frame_of(found)["title"]
        assert found["author_url"].startswith("https://www.instagram.com/")
        xml = ET.fromstring(ask(client, format="xml").data)
        assert (xml.findtext("title") or "").split() == found["title"].split()


# The size


def snapshot_of(posts: int, **profile: Any) -> FeedSnapshot:
    pictures = [Picture(str(number), "https://x.example/1.jpg") for number in range(1, posts + 1)]
    kept = tuple(Post(picture, "IMAGE", caption="An oak stool, soaped") for picture in pictures)
    return FeedSnapshot(Profile("studio.nord", **profile), kept, datetime(2026, 5, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("width", "height"), [(500, 750), (600, 900), (640, 960), (1200, 1000), (350, 525), (200, 300)]
)
@pytest.mark.parametrize("more", [{}, {"header": True, "captions": True}])
def test_a_frame_fits_into_the_room_that_wordpress_gives(width: int, height: int, more: dict[str, Any]) -> None:
    for ratio, columns, layout in product(RATIOS, [None, 1, 3, 8], ["grid", "carousel"]):
        options = Options(limit=24, columns=columns, ratio=ratio, layout=layout, **more)
        frame = frame_within(options, snapshot_of(24), width, height)

        assert 0 < frame.width <= width
        assert 0 < frame.height <= min(height, MAX_FRAME_HEIGHT)
        assert 1 <= frame.options.limit <= 24
        assert replace(frame.options, limit=24) == options


def test_a_frame_that_would_be_too_high_ends_with_a_whole_row() -> None:
    frame = frame_within(Options(limit=24), snapshot_of(24), 600, None)

    assert (frame.options.limit, frame.width) == (12, 600)
    assert frame.height <= MAX_FRAME_HEIGHT


def test_one_post_that_is_too_high_gets_a_narrower_frame() -> None:
    frame = frame_within(Options(limit=5, columns=1, ratio="tall"), snapshot_of(5), 1100, 700)

    assert frame.options.limit == 1
    assert 300 < frame.width < 500
    assert 680 < frame.height <= 700


@pytest.mark.parametrize(
    "room", [{"maxwidth": "x"}, {"maxwidth": "-5", "maxheight": "0"}, {"maxwidth": "9" * 5000}, {}]
)
def test_a_room_that_makes_no_sense_counts_as_none(shown: FlaskClient, room: dict[str, str]) -> None:
    assert answer(shown, **room) == answer(shown)


@pytest.mark.parametrize(("maxwidth", "maxheight"), [(1, 1), (1, 5000), (5000, 1), (10**9, 10**9), (320, 200)])
def test_the_tightest_room_is_kept_to(shown: FlaskClient, maxwidth: int, maxheight: int) -> None:
    found = answer(shown, maxwidth=maxwidth, maxheight=maxheight)

    assert 1 <= found["width"] <= min(maxwidth, 1140)
    assert 1 <= found["height"] <= min(maxheight, 1000)


# Discovery


def discovered(client: FlaskClient, path: str = "/", **more: Any) -> dict[str, str]:
    """The addresses by their type, found as WordPress finds them."""
    head = client.get(path, **more).text.partition("</head>")[0]
    links = [dict(re.findall(r'(\w+)="([^"]*)"', link)) for link in re.findall(r"<link([^<>]+)/?>", head)]
    return {link["type"]: link["href"].replace("&amp;", "&") for link in links if "oembed" in link.get("type", "")}


@pytest.mark.parametrize("path", ["/", "/?columns=2&theme=dark&captions=1", "/?page=2&limit=4"])
def test_a_page_names_its_document_which_has_the_pages_options(shown: FlaskClient, path: str) -> None:
    found = discovered(shown, path)
    options = parse_qs(urlsplit(path).query)

    assert list(found) == ["application/json+oembed", "text/xml+oembed"]
    assert all(address.startswith(f"{HERE}oembed?url=http://localhost/") for address in found.values())
    document = shown.get(found["application/json+oembed"]).json
    assert document
    asked = asked_of_the_embed(document)
    assert {name: asked.get(name) for name in options} == options
    xml = ET.fromstring(shown.get(found["text/xml+oembed"]).data)
    assert xml.findtext("html") == document["html"]


def test_the_document_is_found_under_a_prefix_and_at_base_url(
    make_services: MakeServices, token: Token, shown: FlaskClient
) -> None:
    prefixed = discovered(shown, environ_overrides={"SCRIPT_NAME": "/shop"})["application/json+oembed"]
    settled = Visitor(create_app(services=make_services(BASE_URL="https://feed.example")))

    assert prefixed == f"{HERE}shop/oembed?url={HERE}shop/"
    assert discovered(settled)["application/json+oembed"] == "https://feed.example/oembed?url=https://feed.example/"


def test_the_embed_and_a_page_that_does_not_know_its_address_name_no_document(shown: FlaskClient) -> None:
    assert discovered(shown, "/embed") == {}
    assert discovered(shown, headers={"Host": "x y"}) == {}


def test_a_page_of_a_tag_that_no_post_has_names_no_document(shown: FlaskClient) -> None:
    assert discovered(shown, "/?tag=nobody-has-it") != {}, "no tag at all"
    assert discovered(shown, "/?tag=nobodyhasit") == {}


# A consumer that nobody here has written


def test_micawber_shows_the_feed_in_the_place_of_its_address(app: Flask, token: Token) -> None:
    app.test_client().get("/")
    with serving(app) as port:
        site = f"http://127.0.0.1:{port}"
        registry = ProviderRegistry()
        registry.register(rf"{site}/\S*", Provider(f"{site}/oembed", maxwidth=640))
        html = micawber.parse_html(f"<p>{site}/?columns=2</p>", registry)

    frame = Html(html).the("iframe")
    assert (frame["src"], frame["width"]) == (f"{site}/embed?limit=4&columns=2", "640")


# The way out


def test_a_shown_post_is_a_redirect_to_its_permalink(shown: FlaskClient, instagram: FakeInstagram) -> None:
    post = instagram.posts[0]
    response = shown.get(f"/go/{post['id']}")

    assert (response.status_code, response.headers["Location"]) == (302, post["permalink"])
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "Set-Cookie" not in response.headers


def test_the_account_is_a_redirect_too(shown: FlaskClient) -> None:
    response = shown.get("/go/profile")

    assert (response.status_code, response.headers["Location"]) == (302, "https://www.instagram.com/studio.nord/")


@pytest.mark.parametrize(
    "target",
    ["1", "x", "https://evil.example", "..", "17900000000000001%0d%0aX:1", "None", "a" * 100_000],
)
def test_anything_else_is_the_page_for_a_wrong_address(shown: FlaskClient, target: str) -> None:
    response = shown.get(f"/go/{target}")

    assert response.status_code == 404
    assert language_of("en").words.page_not_found in response.text
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    "permalink",
    [
        *(
            "https://evil.example/p/x/",
            "https://www.instagram.com@evil.example/",
            "//evil.example",
            "javascript:alert(1)",
        ),
        *(
            "https://www.instagram.com.evil.example/",
            "https://www.instagram.com\\@evil.example/",
            "http://instagram.com/p/",
        ),
    ],
)
def test_no_address_elsewhere_is_gone_to_though_instagram_sends_it(
    client: FlaskClient, token: Token, instagram: FakeInstagram, permalink: str
) -> None:
    instagram.posts[:] = [image(id="17900000000000001", permalink=permalink)]

    assert client.get("/go/17900000000000001").status_code == 404


@given(st.text(st.characters(codec="utf-8"), max_size=20))
@FREELY
@example("\x00\x7f\x80")
@example("\r\nSet-Cookie: a=b")
def test_a_redirect_stays_on_instagram_and_in_its_header_whatever_the_path(
    client: FlaskClient, token: Token, instagram: FakeInstagram, services: Services, tail: str
) -> None:
    instagram.posts[:] = [image(id="17900000000000001", permalink=f"https://www.instagram.com/p/{tail}")]
    services.feed.fetch()
    response = client.get("/go/17900000000000001")

    assert response.status_code in (302, 404)
    if response.status_code == 302:
        assert re.fullmatch(r"https://www\.instagram\.com/p/[!-~]*", response.headers["Location"])


# Methods and secrets


@pytest.mark.parametrize("path", ["/oembed?url=http://localhost/", "/go/profile"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_both_are_for_reading_only(shown: FlaskClient, path: str, method: str) -> None:
    assert shown.open(path, method=method, headers=OWNER).status_code == 405


@pytest.mark.parametrize("path", ["/oembed?url=http://localhost/", "/oembed/?url=http://localhost/", "/go/profile/"])
def test_a_final_slash_and_a_head_request_are_fine(shown: FlaskClient, path: str) -> None:
    got, looked = shown.get(path), shown.head(path)

    assert got.status_code == looked.status_code in (200, 302)
    assert looked.data == b""
