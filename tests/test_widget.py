"""The page, the embed and the pictures, as a browser gets them."""

import base64
import gzip
import hashlib
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import pytest
from flask.testing import FlaskClient
from flask_caching.backends.base import BaseCache
from PIL import Image

from igfeed import create_app
from igfeed.config import LANGUAGES, Settings
from igfeed.errors import ConfigError
from igfeed.feed.pictures import MAX_WAITING_FOR_PICTURES
from igfeed.models import Token
from igfeed.services import Services
from igfeed.widget.translations import language_of
from tests.conftest import MakeServices, to_the_moment
from tests.harness.clock import MovingClock
from tests.harness.owner import CRON, OWNER, STATUS
from tests.harness.visitor import Visitor
from tests.servers.instagram import (
    EXPIRED,
    TEMPORARY,
    FakeInstagram,
    PictureReply,
    album,
    answer,
    child_video,
    image,
    reel,
    video,
)
from tests.servers.upstash import FakeUpstash


@pytest.fixture(autouse=True)
def picture_size(instagram: FakeInstagram) -> None:
    """As large as Instagram's are: each of our widths is smaller."""
    instagram.picture_size = (1440, 1800)


class Elements(HTMLParser):
    """All elements of a page with their attributes, in order; apart from them what is inert in templates."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.in_templates: list[tuple[str, dict[str, str]]] = []
        self._is_in_template = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_in_template = self._is_in_template or tag == "template"
        place = self.in_templates if self._is_in_template else self.found
        place.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self._is_in_template = self._is_in_template and tag != "template"

    def all(self, tag: str, attribute: str | None = None) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.found if name == tag and (attribute is None or attribute in attrs)]


def elements(client: FlaskClient, path: str = "/") -> Elements:
    response = client.get(path)
    assert response.status_code == 200
    return Elements(response.text)


def shown_ids(client: FlaskClient, path: str = "/") -> list[str]:
    return [attrs["data-post-id"] for attrs in elements(client, path).all("li", "data-post-id")]


def ids(instagram: FakeInstagram) -> list[str]:
    return [post["id"] for post in instagram.posts]


@pytest.mark.parametrize("path", ["/", "/embed"])
def test_the_first_visitor_gets_the_posts(
    client: FlaskClient, instagram: FakeInstagram, token: Token, path: str
) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert shown_ids(client, path) == ids(instagram)[:12]
    assert response.headers["Cache-Status"] == "igfeed; fwd=miss"
    assert instagram.count("media") == 1


def test_every_tile_has_a_picture_of_ours_with_alt_text_and_a_link_to_the_post(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    page = elements(client, "/?limit=24")

    pictures = page.all("img", "srcset")
    assert len(pictures) == 24
    assert all(picture["alt"] and picture["src"].startswith("/media/") for picture in pictures)
    assert [link["href"] for link in page.all("a") if "/p/" in link["href"] or "/reel/" in link["href"]] == [
        post["permalink"] for post in instagram.posts[:24]
    ]


def test_nothing_on_the_page_is_requested_from_another_host(client: FlaskClient, token: Token) -> None:
    page = elements(client, "/?captions=1")

    addresses = [attrs[name] for _, attrs in page.found for name in ("src", "srcset", "poster") if name in attrs]
    addresses += [link["href"] for link in page.all("link") if link["rel"] not in ("canonical", "alternate")]
    assert addresses
    assert all(re.fullmatch(r"(/[^,]+(, )?)+", address) for address in addresses)


def test_the_grid_says_when_it_was_fetched(client: FlaskClient, token: Token) -> None:
    assert [grid["data-fetched-at"] for grid in elements(client).all("ul", "data-fetched-at")] == [
        "2026-05-03T12:00:00Z"
    ]


@pytest.mark.parametrize("path", ["/", "/embed", "/?theme=dark&gap=9"])
def test_the_policy_allows_exactly_the_style_on_the_page(client: FlaskClient, token: Token, path: str) -> None:
    response = client.get(path)

    style = re.search(r"<style>(.*?)</style>", response.text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = response.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors *" in policy


@pytest.mark.parametrize(("path", "count"), [("/", 2), ("/embed", 3), ("/embed?open=instagram", 2)])
def test_the_policy_allows_exactly_the_scripts_on_the_page(
    client: FlaskClient, token: Token, path: str, count: int
) -> None:
    response = client.get(path)

    scripts = re.findall(r"<script>(.*?)</script>", response.text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    assert len(scripts) == count
    assert f"; script-src {allowed}; connect-src 'self'; " in response.headers["Content-Security-Policy"]


def test_the_owner_chooses_who_may_embed(make_services: MakeServices, token: Token) -> None:
    app = create_app(services=make_services(IGFEED_FRAME_ANCESTORS="'self' https://shop.example"))

    policy = app.test_client().get("/embed").headers["Content-Security-Policy"]

    assert policy.endswith("frame-ancestors 'self' https://shop.example")


@pytest.mark.parametrize("path", ["/", "/embed", "/?page=2"])
def test_no_cookie_is_ever_set(client: FlaskClient, token: Token, path: str) -> None:
    assert "Set-Cookie" not in client.get(path).headers


# Caching


def test_a_fresh_page_may_be_cached_at_the_edge_and_names_its_version(client: FlaskClient, token: Token) -> None:
    client.get("/")
    response = client.get("/")

    assert response.headers["Cache-Control"] == (
        "public, max-age=0, s-maxage=300, stale-while-revalidate=86400, stale-if-error=604800"
    )
    assert re.fullmatch(r'"[0-9a-f]{16}"', response.headers["ETag"])
    assert response.headers["Cache-Status"] == "igfeed; hit"


def test_a_visitor_who_has_the_page_gets_304_and_no_body(client: FlaskClient, token: Token) -> None:
    etag = client.get("/").headers["ETag"]

    response = client.get("/", headers={"If-None-Match": etag})

    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"] == etag


def test_a_new_snapshot_is_a_new_page(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    before = client.get("/").headers["ETag"]
    instagram.publish(image(caption="Brand new"))
    clock.forward(hours=1)
    client.get("/")

    after = client.get("/")

    assert after.headers["ETag"] != before
    assert "Brand new" in after.text


def test_a_stale_page_is_answered_at_once_and_refreshed_after_the_answer(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    client.get("/")
    old = ids(instagram)[:12]
    instagram.publish(image())
    clock.forward(hours=1)

    stale = client.get("/")

    assert stale.headers["Cache-Status"] == "igfeed; fwd=stale"
    assert [attrs["data-post-id"] for attrs in Elements(stale.text).all("li", "data-post-id")] == old
    assert shown_ids(client) == ids(instagram)[:12]
    assert client.get("/").headers["Cache-Status"] == "igfeed; hit"


def test_views_of_a_fresh_page_call_neither_instagram_nor_render_again(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    first = client.get("/").data
    instagram.forget_calls()

    assert {client.get("/").data for _ in range(20)} == {first}
    assert instagram.calls == []


def test_a_different_spelling_of_the_same_options_is_the_same_page(client: FlaskClient, token: Token) -> None:
    spellings = ["/", "/?limit=12", "/?limit=abc", "/?utm_source=x", "/?theme=pink&columns=", "/?page=0", "/?page=-7"]

    assert len({client.get(path).headers["ETag"] for path in spellings}) == 1


# Options


def test_limit_and_page_choose_the_posts(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    assert shown_ids(client, "/?limit=5&page=2") == ids(instagram)[5:10]


def test_a_limit_beyond_what_is_kept_shows_what_is_kept(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    assert shown_ids(client, "/?limit=1000") == ids(instagram)[:24]


def test_a_page_beyond_the_last_is_the_last(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    assert shown_ids(client, "/?limit=10&page=99") == ids(instagram)[20:24]


def test_links_lead_through_the_pages_and_keep_the_options(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    path, seen = "/embed?limit=10&theme=dark", []
    for _ in range(3):
        seen += shown_ids(client, path)
        path = next((link["href"] for link in elements(client, path).all("a") if link.get("rel") == "next"), "")

    assert seen == ids(instagram)[:24]
    assert path == ""


def test_type_and_tag_choose_among_the_kept_posts_and_the_links_keep_them(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.posts[:] = [
        *(image(caption="Proof of the day #Drucke"), video(caption="#drucke"), image(caption="#drucker")),
        *(album(), image(caption="#DRUCKE und mehr"), image(caption=None), image(caption="#druckE")),
    ]
    known, path = ids(instagram), "/embed?type=photo&tag=dRuCkE&limit=2"
    first = elements(client, path)
    older = next(link["href"] for link in first.all("a") if link.get("rel") == "next")

    assert shown_ids(client, path) == [known[0], known[4]]
    assert shown_ids(client, older) == [known[6]]
    assert shown_ids(client, "/?type=video") == [known[1]]
    assert shown_ids(client, "/?type=album&page=9") == [known[3]]


def test_a_tag_that_no_post_has_shows_that_there_are_no_posts(client: FlaskClient, token: Token) -> None:
    pages = [client.get(f"/embed?tag={tag}") for tag in ("nowhere", "elsewhere")]

    assert [(page.status_code, "No posts yet." in page.text, "data-post-id" in page.text) for page in pages] == [
        (200, True, False)
    ] * 2
    assert pages[0].headers["ETag"] == pages[1].headers["ETag"]


@pytest.mark.parametrize(
    ("query", "css"),
    [
        ("gap=12", "--gap:12px"),
        ("gap=999", "--gap:48px"),
        ("gap=-1", "--gap:0px"),
        ("columns=5", "--columns:5"),
        ("columns=99", "--columns:8"),
        ("radius=12", "--radius:12px"),
        ("radius=49", "--radius:48px"),
        ("ratio=portrait", "--ratio:4/5"),
        ("ratio=tall", "--ratio:3/4"),
        ("", "--gap:4px"),
        ("", "--ratio:1/1"),
    ],
)
def test_options_reach_the_style(client: FlaskClient, token: Token, query: str, css: str) -> None:
    assert css in client.get(f"/embed?{query}").text


def test_the_picture_reserves_the_shape_of_its_tile(client: FlaskClient, token: Token) -> None:
    picture = elements(client, "/embed?ratio=portrait").all("img")[0]

    assert (picture["width"], picture["height"]) == ("640", "800")


def test_theme_header_and_captions(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    instagram.posts[0]["caption"] = "A caption of its own kind"

    plain, full = client.get("/embed").text, client.get("/embed?theme=dark&header=1&captions=1").text

    assert 'data-theme="light"' in plain
    assert "<header" not in plain
    assert "<figcaption" not in plain
    assert 'data-theme="dark"' in full
    assert "<header" in full
    assert re.search(r"<figcaption[^>]*>A caption of its own kind</figcaption>", full)


def test_where_a_caption_is_shown_the_alternative_text_does_not_repeat_it(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    bare, captioned = image(caption=None), image(caption="The kettle is on.")
    instagram.posts[:] = [bare, captioned]
    alone, beside = (
        [img["alt"] for img in elements(client, path).all("img")] for path in ("/embed", "/embed?captions=1")
    )

    assert alone[1] == "The kettle is on."
    assert "kettle" not in beside[1]
    assert beside[1].startswith("Photo by @studio.nord, ")
    assert alone[0] == beside[0]


def test_the_page_has_a_header_and_can_do_without(client: FlaskClient, token: Token) -> None:
    assert "<header" in client.get("/").text
    assert "<header" not in client.get("/?header=0").text


@pytest.mark.parametrize("hostile", ['"><script>alert(1)</script>', "' onerror='x", "{{ 7*7 }}", "\u202egnp.exe"])
def test_a_hostile_caption_stays_text(
    client: FlaskClient, instagram: FakeInstagram, token: Token, hostile: str
) -> None:
    instagram.posts[0] = image(caption=hostile, alt_text=None)
    instagram.profile["name"] = hostile
    instagram.profile["biography"] = hostile

    page = elements(client, "/?captions=1")

    assert [attrs.get("type") for attrs in page.all("script")] == ["application/ld+json", None, None]
    assert not [attrs for _, attrs in page.found if any(name.startswith("on") for name in attrs)]
    assert hostile in client.get("/?captions=1").text or "&#" in client.get("/?captions=1").text


def test_a_post_without_a_trustworthy_permalink_is_shown_without_a_link(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.posts[:] = [image(permalink="javascript:alert(1)")]

    page = elements(client, "/")

    assert len(page.all("img", "srcset")) == 1
    assert "javascript" not in client.get("/").text


def test_albums_and_videos_have_a_badge_with_a_name(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.posts[:] = [image(), album(), video(), reel()]

    assert [mark["aria-label"] for mark in elements(client).all("span", "aria-label")] == ["Album", "Video", "Reel"]


def glances(client: FlaskClient, path: str = "/embed") -> list[str]:
    """What shows under the pointer, one text for each post that has something to show there."""
    found = re.findall(r'<div class="glance" aria-hidden="true">(.*?)</div>', client.get(path).text)
    return [re.sub("(<[^>]+>)+", "|", each) for each in found]


def test_under_the_pointer_are_the_captions_first_line_and_the_counts_that_are_known(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.posts[:] = [
        image(caption="—\nThe kettle is on.\nCome in!", like_count=12840, comments_count=7),
        image(caption="❤️", like_count=0, comments_count=1),
        image(caption="word " * 100, like_count=None, comments_count=None),
        image(caption=None, like_count=None, comments_count=0),
    ]

    assert glances(client) == ["|The kettle is on.|12,840|7|", "|❤️|1|", f"|{'word ' * 17}word…|"]
    assert glances(client, "/embed?captions=1") == ["|12,840|7|", "|1|"]


def test_the_page_speaks_the_owners_language(make_services: MakeServices, token: Token) -> None:
    page = create_app(services=make_services(IGFEED_LANGUAGE="de")).test_client().get("/").text

    assert '<html lang="de"' in page
    assert "Auf Instagram folgen" in page


def test_an_account_without_posts_says_so(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    instagram.posts.clear()

    response = client.get("/")

    assert response.status_code == 200
    assert "No posts yet." in response.text


# Nothing to show yet


STUDIO = "/studio"


def owners_link(html: str) -> dict[str, str]:
    (link,) = Elements(html).all("a")
    return link


@pytest.mark.parametrize("path", ["/", "/embed"])
def test_without_a_token_visitors_read_that_the_posts_are_on_their_way_and_nothing_of_tokens(
    client: FlaskClient, path: str
) -> None:
    response = client.get(path)

    assert response.status_code == 503
    assert response.headers["Cache-Control"] == "no-store"
    assert int(response.headers["Retry-After"]) > 0
    assert "The posts are on their way" in response.text
    assert re.findall("(?i)token|flask|<code>|store", response.text) == []
    # The embed tells the script of a host page, and nobody else.
    assert response.text.count("<script") == (path == "/embed")


@pytest.mark.parametrize("prefix", ["", "/feeds/insta"])
def test_the_owners_link_leads_to_the_studio_where_the_account_can_be_connected(
    client: FlaskClient, prefix: str
) -> None:
    """In a tab of its own: in the host page's frame nobody could type the secret, and the host page shall stay."""
    link = owners_link(client.get("/embed", environ_overrides={"SCRIPT_NAME": prefix}).text)

    assert link["href"] == f"{prefix}{STUDIO}"
    assert (link["target"], "noopener" in link["rel"].split()) == ("_blank", True)
    studio = client.get(link["href"].removeprefix(prefix), headers=OWNER).text
    assert "Connect Instagram" in studio


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_without_posts_speaks_the_owners_language(make_services: MakeServices, language: str) -> None:
    page = create_app(services=make_services(IGFEED_LANGUAGE=language)).test_client().get("/").text

    words = language_of(language).words
    assert f'<html lang="{language}"' in page
    assert all(text in page for text in (words.feed_not_ready, words.come_back_later, words.link_for_owner))
    assert page.count(" lang=") == 1


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_the_page_without_posts_has_the_theme_that_was_asked_for(client: FlaskClient, theme: str) -> None:
    assert f'data-theme="{theme}"' in client.get(f"/embed?theme={theme}").text


def test_the_log_says_what_is_missing_and_what_to_do_once_and_not_for_every_visitor(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        client.get("/embed")

    lines = [record.getMessage() for record in caplog.records if "nothing to show yet" in record.getMessage()]
    assert len(lines) == 1
    assert "No access token is set up." in lines[0]
    assert "flask igfeed setup-token" in lines[0]


def test_when_instagram_fails_the_first_time_the_status_says_so_and_the_next_visitor_does_not_wait(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.fail("media", EXPIRED)
    first = client.get("/")
    instagram.forget_calls()

    second = client.get("/embed")

    assert (first.status_code, second.status_code) == (503, 503)
    assert "access token" not in first.text + second.text
    assert "rejected the access token" in (client.get(STATUS, headers=OWNER).json or {})["problem"]
    assert instagram.calls == []
    assert token.value not in first.text + second.text


def test_once_shown_the_posts_stay_whatever_instagram_says(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    before = shown_ids(client)
    for fault in (EXPIRED, TEMPORARY, answer(200, b'{"data": []}', "application/json")):
        instagram.fail("*", fault)
        clock.forward(hours=2)

        assert shown_ids(client) == before
        instagram.heal()


def test_on_vercel_without_a_database_the_status_says_how_to_add_one_and_the_page_does_not(
    make_services: MakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    client = create_app(services=make_services(VERCEL="1", INSTAGRAM_ACCESS_TOKEN="IGAAtoken")).test_client()

    for path in ("/", "/embed"):
        response = client.get(path)
        assert response.status_code == 503
        assert "The posts are on their way" in response.text
        assert "Upstash" not in response.text
    assert "Add the Upstash integration" in (client.get(STATUS, headers=OWNER).json or {})["hint"]
    assert "Add the Upstash integration" in caplog.text


def test_on_vercel_without_a_database_a_picture_is_a_placeholder_and_the_script_still_comes(
    make_services: MakeServices,
) -> None:
    client = create_app(services=make_services(VERCEL="1")).test_client()

    picture = client.get("/media/17900000000000001-320.webp")

    assert (picture.status_code, picture.mimetype) == (503, "image/svg+xml")
    assert picture.headers["Cache-Control"] == "no-store"
    assert client.get("/embed.js").status_code == 200


# Pictures


def picture(client: FlaskClient, address: str) -> Image.Image:
    response = client.get(address)
    assert response.status_code == 200
    assert response.mimetype == "image/webp"
    return Image.open(BytesIO(response.data))


@pytest.mark.parametrize("width", [320, 640, 1080])
def test_a_picture_comes_as_webp_in_the_width_asked_for(
    client: FlaskClient, instagram: FakeInstagram, token: Token, width: int
) -> None:
    client.get("/")

    assert picture(client, f"/media/{ids(instagram)[0]}-{width}.webp").width == width


@pytest.mark.parametrize("width", [320, 640, 1080])
def test_a_picture_comes_as_avif_in_the_width_asked_for(
    client: FlaskClient, instagram: FakeInstagram, token: Token, width: int
) -> None:
    client.get("/")
    response = client.get(f"/media/{ids(instagram)[0]}-{width}.avif")
    image = Image.open(BytesIO(response.data))

    assert (response.status_code, response.mimetype) == (200, "image/avif")
    assert (image.format, image.width) == ("AVIF", width)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_where_there_is_no_avif_its_address_answers_webp_for_an_hour(
    client: FlaskClient, instagram: FakeInstagram, services: Services, token: Token
) -> None:
    client.get("/")
    name = ids(instagram)[0]
    webp = client.get(f"/media/{name}-320.webp").data
    services.store.delete(f"picture:v1:{name}-320.avif")
    services.pictures.files._memory.clear()

    response = client.get(f"/media/{name}-320.avif")

    assert (response.status_code, response.mimetype, response.data) == (200, "image/webp", webp)
    assert response.headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("case", ["unknown", "expired", "no picture"])
def test_an_avif_that_cannot_be_shown_has_the_same_placeholder_as_webp(
    case: str, client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    if case == "no picture":
        instagram.posts[0]["media_url"] = None
    client.get("/")
    name = "12345" if case == "unknown" else ids(instagram)[0]
    instagram.pictures[name] = PictureReply(403, "text/plain", b"URL signature expired")

    avif, webp = (client.get(f"/media/{name}-320.{each}") for each in ("avif", "webp"))

    assert avif.mimetype == "image/svg+xml"
    assert (avif.status_code, avif.data) == (webp.status_code, webp.data)
    assert avif.headers["Cache-Control"] == webp.headers["Cache-Control"]


def test_an_albums_children_have_pictures_of_their_own(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.posts[:] = [album()]
    client.get("/")
    children = instagram.posts[0]["children"]["data"]

    assert children
    assert all(picture(client, f"/media/{child['id']}-320.webp").width == 320 for child in children)


def test_browsers_may_cache_a_picture_for_good(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    client.get("/")
    address = f"/media/{ids(instagram)[0]}-320.webp"
    response = client.get(address)

    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get(address, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_a_picture_once_shown_outlives_its_address(
    client: FlaskClient, instagram: FakeInstagram, make_services: MakeServices, token: Token, clock: MovingClock
) -> None:
    client.get("/")
    address = f"/media/{ids(instagram)[0]}-320.webp"
    shown = client.get(address).data
    clock.forward(days=29)
    instagram.stop()

    fresh_process = create_app(services=make_services()).test_client()

    assert fresh_process.get(address).data == shown


@pytest.mark.parametrize(
    "name",
    [
        "17000000000000000-320",
        "{known}-321",
        "{known}-0320",
        "{known}-",
        "{known}",
        "-320",
        "{known}-320x",
        "..%2f{known}-320",
        "{known}-٣٢٠",
        "%00-320",
    ],
)
def test_an_unknown_id_or_width_is_404(client: FlaskClient, instagram: FakeInstagram, token: Token, name: str) -> None:
    client.get("/")

    response = client.get(f"/media/{name.format(known=ids(instagram)[0])}.webp")

    assert response.status_code == 404


@pytest.mark.parametrize("views", [1, 2])
def test_an_unknown_picture_is_not_cached(client: FlaskClient, token: Token, views: int) -> None:
    """Another process may have fetched it a moment ago, and a page may show it: so it is the calm placeholder too."""
    client.get("/")
    for _ in range(views):
        response = client.get("/media/12345-320.webp")

    assert (response.status_code, response.mimetype) == (404, "image/svg+xml")
    assert response.headers["Cache-Control"] == "no-store"


def test_a_stored_picture_is_not_404_while_the_store_is_down(
    make_services: MakeServices, instagram: FakeInstagram, upstash: FakeUpstash, clock: MovingClock
) -> None:
    variables = {"UPSTASH_REDIS_REST_URL": upstash.url, "UPSTASH_REDIS_REST_TOKEN": upstash.token}
    services = make_services(INSTAGRAM_ACCESS_TOKEN=instagram.issue(), **variables)
    address = f"/media/{ids(instagram)[0]}-320.webp"
    services.feed.fetch()
    assert picture(Visitor(create_app(services=services)), address).width == 320
    fresh = Visitor(create_app(services=make_services(**variables)))
    upstash.fail("redis_down")

    away = fresh.get(address)
    upstash.heal()
    clock.forward(seconds=5)

    assert (away.status_code, away.mimetype) == (503, "image/svg+xml")
    assert away.headers["Cache-Control"] == "no-store"
    assert picture(fresh, address).width == 320


@to_the_moment
@pytest.mark.parametrize("path", ["/", "/embed", "/embed.js", "/media/1-320.webp"])
def test_a_hundred_views_of_a_deployment_without_a_feed_cost_one_command_in_the_check_ttl(
    make_services: MakeServices, upstash: FakeUpstash, clock: MovingClock, path: str
) -> None:
    variables = {"UPSTASH_REDIS_REST_URL": upstash.url, "UPSTASH_REDIS_REST_TOKEN": upstash.token}
    client = Visitor(create_app(services=make_services(**variables)))
    client.get("/")
    client.get(path)
    for _ in range(2):
        clock.forward(seconds=30)
        upstash.forget()

        statuses = {client.get(path).status_code for _ in range(100)}

        assert statuses == ({200} if path == "/embed.js" else {503})
        assert len(upstash.commands()) == 1


def test_a_picture_that_cannot_be_fetched_now_is_a_placeholder_that_is_not_cached(
    client: FlaskClient, services: Services, instagram: FakeInstagram, token: Token
) -> None:
    client.get("/")
    first = ids(instagram)[0]
    instagram.pictures[first] = PictureReply(403, "text/plain", b"URL signature expired")

    response = client.get(f"/media/{first}-320.webp")

    assert response.status_code == 503
    assert response.mimetype == "image/svg+xml"
    assert response.headers["Cache-Control"] == "no-store"
    instagram.pictures.clear()
    services.feed.fetch()  # It brings a new address.
    assert picture(client, f"/media/{first}-320.webp").width == 320


def test_the_log_says_once_that_a_picture_cannot_be_shown_however_many_look(
    client: FlaskClient, instagram: FakeInstagram, token: Token, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/")
    first = ids(instagram)[0]
    instagram.pictures[first] = PictureReply(403, "text/plain", b"URL signature expired")

    statuses = {client.get(f"/media/{first}-320.webp").status_code for _ in range(20)}

    assert statuses == {503}
    assert caplog.text.count(f"/media/{first}-320.webp cannot be shown") == 1


def test_a_picture_beyond_the_limit_of_downloads_is_fetched_after_the_response_and_shown_next(
    client: FlaskClient, services: Services, instagram: FakeInstagram, token: Token
) -> None:
    client.get("/")
    address = f"/media/{ids(instagram)[0]}-320.webp"
    for _ in range(MAX_WAITING_FOR_PICTURES):
        services.pictures._places.acquire()

    response = client.get(address)

    assert (response.status_code, response.headers["Cache-Control"]) == (503, "no-store")
    assert picture(client, address).width == 320
    assert instagram.count("picture") == 1


@pytest.mark.parametrize(
    "post",
    [
        reel(thumbnail_url=None),
        reel(thumbnail_url=None, media_url=None),
        image(media_url=None),
        image(media_url="/videos/1.mp4"),
        album([child_video(thumbnail_url=None)] * 2, media_url=None),
        image(media_type="BROADCAST", media_url=None),
    ],
    ids=["a film", "a film with no address", "an image", "a film called an image", "an album of films", "a broadcast"],
)
def test_a_post_without_any_picture_has_a_placeholder_that_may_be_cached(
    post: dict[str, Any], client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.posts[:] = [image(), post]
    tiles = elements(client).all("img", "srcset")

    response = client.get(f"/media/{post['id']}-640.webp")

    assert (response.status_code, response.mimetype) == (200, "image/svg+xml")
    assert response.headers["Cache-Control"] == "public, max-age=3600"
    assert (
        client.get(f"/media/{post['id']}-640.webp", headers={"If-None-Match": response.headers["ETag"]}).status_code
        == 304
    )
    assert len(tiles) == 2
    assert all(tile["alt"] for tile in tiles)


def test_a_picture_that_only_the_store_has_is_not_404_while_the_store_is_down(
    make_services: MakeServices, instagram: FakeInstagram, upstash: FakeUpstash, clock: MovingClock
) -> None:
    """Instagram has sent it once and sends none any more; the tile for posts without a picture might be kept."""
    variables = {"UPSTASH_REDIS_REST_URL": upstash.url, "UPSTASH_REDIS_REST_TOKEN": upstash.token}
    services = make_services(INSTAGRAM_ACCESS_TOKEN=instagram.issue(), **variables)
    instagram.posts[:] = [image()]
    address = f"/media/{instagram.posts[0]['id']}-320.webp"
    services.feed.fetch()
    assert picture(Visitor(create_app(services=services)), address).width == 320
    instagram.posts[0]["media_url"] = None
    services.feed.fetch()
    fresh = Visitor(create_app(services=make_services(**variables)))
    fresh.get("/")
    upstash.fail("redis_down")

    away = fresh.get(address)
    upstash.heal()
    clock.forward(seconds=5)

    assert (away.status_code, away.headers["Cache-Control"]) == (503, "no-store")
    assert picture(fresh, address).width == 320


def test_link_previews_do_not_show_a_post_without_any_picture(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    bare, pictured = reel(thumbnail_url=None), image()
    instagram.posts[:] = [bare, pictured]
    html = client.get("/", base_url="https://feed.example").text

    told = {name for name in (bare["id"], pictured["id"]) if f"/media/{name}-1080.webp" in html.split("</head>")[0]}
    assert told == {pictured["id"]}


def test_an_opened_video_without_a_picture_has_one_play_button_and_its_alternative_text(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.posts[:] = [reel(thumbnail_url=None), reel()]
    shots = [attrs for tag, attrs in elements(client).in_templates if tag == "img"]

    assert [shot.get("class") for shot in shots] == ["unseen", None]
    assert all(shot["alt"] for shot in shots)


def test_a_stored_picture_is_shown_though_instagram_no_longer_has_its_address(
    client: FlaskClient, instagram: FakeInstagram, services: Services, token: Token
) -> None:
    client.get("/")
    first = ids(instagram)[0]
    picture(client, f"/media/{first}-320.webp")
    instagram.posts[0].pop("media_url")
    services.feed.fetch()

    assert picture(client, f"/media/{first}-320.webp").width == 320


def test_a_picture_of_a_feed_that_another_process_fetched_is_found(
    client: FlaskClient, instagram: FakeInstagram, make_services: MakeServices, token: Token, clock: MovingClock
) -> None:
    client.get("/")
    new = instagram.publish(image())
    clock.forward(seconds=2)
    make_services().feed.fetch()

    assert picture(client, f"/media/{new['id']}-320.webp").width == 320


def test_each_tile_offers_avif_before_webp_in_the_same_widths(client: FlaskClient, token: Token) -> None:
    page = elements(client)
    sources, images = page.all("source", "sizes"), page.all("img", "srcset")

    assert len(sources) == len(images) == 12
    for source, image_ in zip(sources, images, strict=True):
        assert source["type"] == "image/avif"
        assert source["srcset"].replace(".avif", ".webp") == image_["srcset"]
        assert source["sizes"] == image_["sizes"]


def test_without_avif_in_pillow_pages_do_not_offer_it(
    client: FlaskClient, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igfeed.widget.render.can_make_avif", lambda: False)
    page = elements(client)

    assert page.all("source") == []
    assert len(page.all("img", "srcset")) == 12


def test_a_lazy_picture_is_chosen_by_its_real_width_where_browsers_can(client: FlaskClient, token: Token) -> None:
    pictures = elements(client).all("img", "srcset")
    lists = {attrs.get("loading"): attrs["sizes"] for attrs in pictures}

    assert lists["lazy"] == f"auto, {lists[None]}"
    assert [attrs["sizes"].startswith("auto, ") for attrs in pictures] == [
        attrs.get("loading") == "lazy" for attrs in pictures
    ]


def test_the_first_pictures_load_at_once_and_the_others_when_needed(client: FlaskClient, token: Token) -> None:
    pictures = elements(client).all("img", "srcset")

    assert [attrs.get("loading") for attrs in pictures] == [None] * 4 + ["lazy"] * 8
    assert all("320w" in attrs["srcset"] and attrs["sizes"] for attrs in pictures)


@pytest.mark.parametrize(
    ("query", "eager"), [("", 12), ("limit=30", 24), ("limit=30&columns=2", 24), ("limit=30&columns=1", 12)]
)
def test_an_embed_loads_its_pictures_at_once_so_that_they_can_be_printed(
    make_services: MakeServices, instagram: FakeInstagram, token: Token, query: str, eager: int
) -> None:
    instagram.posts[:] = [image() for _ in range(30)]
    client = create_app(services=make_services(IGFEED_POSTS="30")).test_client()
    pictures = elements(client, f"/embed?{query}").all("img", "srcset")

    assert [attrs.get("loading") for attrs in pictures] == [None] * eager + ["lazy"] * (len(pictures) - eager)


def test_expired_token_and_time_do_not_hide_the_feed(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    before = shown_ids(client)
    instagram.stop()
    clock.forward(days=31)

    assert shown_ids(client) == before
    assert token.expires_at is not None
    assert clock() - token.expires_at > timedelta(0)


# Caches of the owner's choice


PLANTED = (
    '{"body": "x"}',
    '{"body": "x", "etag": "", "policy": ""}',
    '{"body": "x", "etag": "e\\"", "policy": "p"}',
    '{"body": "x", "etag": "", "policy": "p"}',
    '{"body": "x", "etag": "e", "policy": "a\\nb"}',
    '{"body": "x", "etag": "e", "policy": "\\u2028"}',
    '{"body": "\\ud800", "etag": "e", "policy": "p"}',
)
EXPIRY = 4
"""Bytes that say how long a file counts, before what is kept in it."""


def test_the_page_is_shown_whatever_the_cache_contains(
    make_services: MakeServices, token: Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_CACHE_TYPE", "FileSystemCache")
    monkeypatch.setenv("FLASK_CACHE_DIR", str(tmp_path / "pages"))
    client = create_app(services=make_services(IGFEED_CHECK_TTL="0")).test_client()
    good = client.get("/").data
    for planted in ('["x"]', "{}", "5", '["a", "b", 3]', '{"body": 1, "etag": "e", "policy": "p"}', *PLANTED):
        for file in (tmp_path / "pages").iterdir():
            file.write_bytes(file.read_bytes()[:EXPIRY] + planted.encode())

        assert client.get("/").data == good


def test_a_page_cached_outside_the_process_is_json_and_shown_again(
    make_services: MakeServices, token: Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_CACHE_TYPE", "FileSystemCache")
    monkeypatch.setenv("FLASK_CACHE_DIR", str(tmp_path / "pages"))
    one, other = (create_app(services=make_services()).test_client() for _ in range(2))
    page = one.get("/embed").data
    (file,) = (path for path in (tmp_path / "pages").iterdir() if b"policy" in path.read_bytes())
    kept = file.read_bytes()
    file.write_bytes(kept.replace(b"studio.nord", b"studio.kept"))

    assert json.loads(kept[EXPIRY:])["body"].encode() == page
    assert other.get("/embed").data == page.replace(b"studio.nord", b"studio.kept")


class Pickles(BaseCache):
    """A cache that goes its own way, as memcached's clients do."""

    @classmethod
    def factory(cls, *_: object) -> Self:
        return cls()


def test_the_app_does_not_start_with_a_cache_of_pickles(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_CACHE_TYPE", f"{__name__}.Pickles")

    with pytest.raises(ConfigError, match="it keeps pickles"):
        create_app(services=make_services())


def test_without_a_cache_of_pages_there_are_pages(
    make_services: MakeServices, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_CACHE_TYPE", "NullCache")

    assert create_app(services=make_services()).test_client().get("/embed").status_code == 200


# When it is old


def test_a_feed_older_than_a_day_says_so_and_a_fresh_one_does_not(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    fresh = client.get("/").text
    instagram.stop()
    clock.forward(hours=25)
    old = client.get("/").text

    assert "Last updated" not in fresh
    assert "Last updated on 3 May 2026" in old


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "pt", "nl"])
def test_the_note_is_in_the_owners_language(
    make_services: MakeServices, instagram: FakeInstagram, token: Token, clock: MovingClock, language: str
) -> None:
    client = create_app(services=make_services(IGFEED_LANGUAGE=language)).test_client()
    client.get("/embed")
    instagram.stop()
    clock.forward(days=2)

    note = re.search(r'<p class="as-of">(.*?)</p>', client.get("/embed").text)
    assert note
    own = language_of(language)
    assert own.words.last_updated.format(date=own.date(clock.now - timedelta(days=2))) == note[1]


# The account's own picture, and colours


def test_the_header_has_the_accounts_picture_or_its_initial(
    client: FlaskClient, instagram: FakeInstagram, token: Token, make_services: MakeServices
) -> None:
    address = next(attrs["src"] for attrs in elements(client).all("img", "src"))
    instagram.profile["profile_picture_url"] = "/pictures/another.jpg"
    services = make_services()
    services.feed.fetch()
    other = next(attrs["src"] for attrs in elements(create_app(services=services).test_client()).all("img", "src"))
    instagram.profile.pop("profile_picture_url")
    services.feed.fetch()
    plain = elements(create_app(services=services).test_client())

    assert re.fullmatch(r"/media/0_\d+-320\.webp", address)
    assert address != other
    assert [attrs for attrs in plain.all("img") if not attrs["alt"]] == []


def test_the_accounts_picture_comes_from_our_own_store(client: FlaskClient, token: Token) -> None:
    address = next(attrs["src"] for attrs in elements(client).all("img", "src"))

    assert picture(client, address).width == 320


def test_tiles_have_the_colours_of_their_pictures_without_a_style_attribute(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.picture_size = (48, 60)
    before = elements(client, "/embed?limit=3")
    client.get(CRON, headers=OWNER)
    page = elements(client, "/embed?limit=3")

    assert before.all("svg") == []
    assert [bool(re.fullmatch("#[0-9a-f]{6}", svg["color"])) for svg in page.all("svg")] == [True] * 3
    assert not any("style" in attrs for _, attrs in page.found + page.in_templates)


# What search engines and link previews read


def meta(page: Elements) -> dict[str, str]:
    return {attrs.get("name") or attrs.get("property", ""): attrs["content"] for attrs in page.all("meta", "content")}


def test_the_page_tells_search_engines_and_previews_what_it_is(
    make_services: MakeServices, instagram: FakeInstagram, token: Token
) -> None:
    client = create_app(services=make_services(BASE_URL="https://feed.example")).test_client()
    page = elements(client)
    said = meta(page)
    first = f"https://feed.example/media/{ids(instagram)[0]}-1080.webp"
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', client.get("/").text)

    assert said["description"] == "Furniture from Malmö 🪑 Open Tue to Sat"
    assert said["og:title"] == "Studio Nord on Instagram"
    assert said["og:image"] == first
    assert page.all("link", "href")[0] == {"rel": "canonical", "href": "https://feed.example/"}
    assert block
    gallery = json.loads(block[1])
    assert (gallery["@type"], len(gallery["image"]), gallery["image"][0]["contentUrl"]) == ("ImageGallery", 12, first)


def test_under_a_prefix_all_addresses_have_it_and_without_one_none(client: FlaskClient, token: Token) -> None:
    there, here = (
        Elements(client.get("/embed?limit=3", environ_overrides={"SCRIPT_NAME": prefix}).text)
        for prefix in ("/shop/feed", "")
    )

    for page, prefix in ((there, "/shop/feed"), (here, "")):
        addresses = [attrs["src"] for attrs in page.all("img", "src")]
        assert [address.rpartition("/media/")[0] for address in addresses] == [prefix] * 4
        assert f"{prefix}/embed?limit=3&page=2" in [attrs["href"] for attrs in page.all("a", "href")]


def test_the_second_page_is_a_page_of_its_own(client: FlaskClient, token: Token) -> None:
    assert elements(client, "/?page=2&theme=dark").all("link", "href")[0]["href"] == "http://localhost/?page=2"


def test_a_page_without_biography_still_has_a_description(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.profile.pop("biography")

    assert meta(elements(client))["description"] == "Studio Nord on Instagram"


def test_the_embed_is_indexed_only_where_it_is_embedded_and_may_be_sized(
    make_services: MakeServices, token: Token
) -> None:
    services = make_services(IGFEED_FRAME_ANCESTORS="https://shop.example")
    said = meta(elements(create_app(services=services).test_client(), "/embed"))

    assert said["robots"] == "noindex,indexifembedded"
    assert said["responsive-embedded-sizing"] == "allow-origins=https://shop.example"
    assert "og:title" not in said


# The script for host pages


def test_the_script_knows_how_high_pictures_are_on_average(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.picture_size = (48, 60)
    before = client.get("/embed").status_code, client.get("/embed.js").text
    client.get(CRON, headers=OWNER)

    assert (before[0], '"original":1.0' in before[1]) == (200, True)
    assert '"original":1.25' in client.get("/embed.js").text


def test_pictures_as_they_are_name_their_shape_and_reserve_their_room(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.picture_size = (48, 60)
    before = elements(client, "/embed?layout=masonry&limit=2")
    client.get(CRON, headers=OWNER)
    after = elements(client, "/embed?layout=masonry&limit=2")

    for page, shape, height in ((before, "h100", "640"), (after, "h125", "800")):
        assert [tile["class"] for tile in page.all("li", "data-post-id")] == [f"tile {shape}"] * 2
        assert {image["height"] for image in page.all("img", "srcset")} == {height}
    assert ".h125{--high:1.25;--rows:125}" in client.get("/embed?layout=masonry").text


def test_the_script_for_host_pages_is_public_and_small_and_knows_the_account(client: FlaskClient, token: Token) -> None:
    client.get("/")
    response = client.get("/embed.js")

    assert response.mimetype == "text/javascript"
    assert response.headers["Cache-Control"].startswith("public, max-age=300, ")
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in response.headers
    assert "https://www.instagram.com/studio.nord/" in response.text
    assert client.get("/embed.js", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("base_url", "host", "place"),
    [
        ("https://feed.example", "evil.example", "//feed.example/shop/"),
        (None, "feed.example", "//feed.example/shop/"),
        (None, "feed.example:8000", "//feed.example:8000/shop/"),
        (None, '"><script>', "//unknown.invalid/shop/"),
    ],
)
def test_the_script_has_our_address_from_base_url_or_else_from_the_request(
    make_services: MakeServices, base_url: str | None, host: str, place: str
) -> None:
    services = make_services(**({"BASE_URL": base_url} if base_url else {}))
    environ = {"HTTP_HOST": host, "SCRIPT_NAME": "/shop"}
    script = create_app(services=services).test_client().get("/embed.js", environ_overrides=environ).text

    assert re.findall(r'exec\(Error\(\)\.stack\)\?\.\[0\]\?\?(".*?");', script) == [json.dumps(place)]


def test_the_script_for_host_pages_is_there_before_the_first_feed(client: FlaskClient) -> None:
    response = client.get("/embed.js")

    assert response.status_code == 200
    assert '"https://www.instagram.com/"' in response.text


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>", "'; alert(1); '", "a\nb", "`${alert(1)}`"])
def test_a_hostile_name_stays_a_text_in_the_script(
    client: FlaskClient, instagram: FakeInstagram, token: Token, name: str
) -> None:
    instagram.profile["name"] = name
    client.get("/")
    titles = re.findall(r'dataset\.title\|\|(".*?");', client.get("/embed.js").text)

    assert json.loads(titles[0]) == f"{name} on Instagram"
    assert "</" not in titles[0]


# Weights


def weight(text: str) -> int:
    return len(gzip.compress(text.encode(), 9))


def test_the_demo_keeps_its_budgets(tmp_path: Path) -> None:
    environ = {"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": str(tmp_path / "store.sqlite3")}
    client = create_app(Settings.from_env(environ)).test_client()
    whole = client.get("/embed").text
    scripts = "".join(re.findall(r"<script>(.*?)</script>", whole, re.DOTALL))

    assert whole.count("data-post-id") == 12
    assert weight(whole) <= 10_000
    assert 0 < weight(scripts) <= 3_000
    assert weight(client.get("/embed.js").text) <= 2_500
