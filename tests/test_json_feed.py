"""The JSON Feed: as its specification has it, for a parser that nobody here wrote, and what igfeed adds."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import feedparser_rs
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igfeed.models import Post, PostLink, Token
from igfeed.services import Services
from tests.conftest import MakeServices
from tests.harness.hostile import TEXTS, texts
from tests.servers.instagram import FakeInstagram, album, child_image, child_video, image, video

FREELY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
HERE = "http://localhost/"

CAPTION = "A stool in oak. Made by @jonas.\n\n<3 & more: #Oak #stool #oak"
ALT = "A three-legged stool"

Check = Callable[[Any], bool]


def address(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"https?://[^\s/]+/\S*", value) is not None


def text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def moment(value: Any) -> bool:
    """RFC 3339."""
    is_one = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", value)
    return bool(is_one) and datetime.fromisoformat(value).tzinfo is not None


def all_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


def number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def fields(required: dict[str, Check], optional: dict[str, Check]) -> Check:
    """An object with all of the first and some of the second, and nothing else."""
    known = required | optional

    def check(value: Any) -> bool:
        wrong = [name for name in value if name not in known or not known[name](value[name])]
        missing = required.keys() - value.keys()
        assert (wrong, missing) == ([], set()), value
        return True

    return check


AUTHOR = fields({}, {"name": text, "url": address, "avatar": address})
SIZE = fields({"url": address, "width": maybe(number), "height": maybe(number)}, {})
CHILD = fields(
    {"id": text, "media_type": text, "alt_text": text, "colour": maybe(text), "sizes": all_of(SIZE)},
    {},
)
OWN = fields(
    {
        "media_type": text,
        "alt_text": text,
        "colour": maybe(text),
        "like_count": maybe(number),
        "comments_count": maybe(number),
        "sizes": all_of(SIZE),
        "children": all_of(CHILD),
    },
    {},
)
ATTACHMENT = fields({"url": address, "mime_type": text}, {"title": text})
ITEM = fields(
    {"id": text, "content_html": lambda value: isinstance(value, str), "_igfeed": OWN},
    {
        "url": address,
        "external_url": address,
        "image": address,
        "title": text,
        "content_text": text,
        "date_published": moment,
        "tags": all_of(text),
        "attachments": all_of(ATTACHMENT),
    },
)
FEED = fields(
    {
        "version": lambda value: value == "https://jsonfeed.org/version/1.1",
        "title": text,
        "items": all_of(ITEM),
    },
    {
        "home_page_url": address,
        "feed_url": address,
        "description": text,
        "icon": address,
        "authors": all_of(AUTHOR),
    },
)
"""The schema: JSON Feed 1.1 as far as igfeed uses it, and igfeed's own fields."""


class Html(HTMLParser):
    """Which elements there are, and the text between them with its lines."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def account(instagram: FakeInstagram, token: Token) -> FakeInstagram:
    """A photo with everything, a video with nothing, and an album."""
    instagram.picture_size = (1000, 1250)
    instagram.profile["biography"] = "Furniture from Malmö"
    instagram.posts[:] = [
        image(
            id="18000000000000101",
            caption=CAPTION,
            alt_text=ALT,
            timestamp="2026-05-02T10:45:00+0000",
            like_count=12,
            comments_count=3,
        ),
        video(id="18000000000000102", caption=None, like_count=None, comments_count=None),
        album([child_image(id="18000000000000104"), child_video(id="18000000000000105")], id="18000000000000103"),
    ]
    return instagram


def feed_of(client: FlaskClient, path: str = "/feed.json") -> dict[str, Any]:
    response = client.get(path)
    assert (response.status_code, response.content_type) == (200, "application/feed+json")
    feed: dict[str, Any] = response.get_json(force=True)
    assert FEED(feed)
    return feed


def test_the_feed_says_whose_it_is_and_where(account: FakeInstagram, client: FlaskClient) -> None:
    feed = feed_of(client)
    portrait = feed["icon"]

    assert feed | {"items": []} == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Studio Nord on Instagram",
        "home_page_url": HERE,
        "feed_url": f"{HERE}feed.json",
        "description": "Furniture from Malmö",
        "icon": portrait,
        "authors": [{"name": "Studio Nord", "url": "https://www.instagram.com/studio.nord/", "avatar": portrait}],
        "items": [],
    }
    assert client.get(portrait).mimetype == "image/webp"


def test_an_item_has_all_that_is_known_of_a_post(
    account: FakeInstagram, client: FlaskClient, services: Services
) -> None:
    services.feed.fetch()
    client.get("/media/18000000000000101-320.webp")
    services.feed.fetch()  # It notes the measures of the picture.
    post = account.posts[0]
    found = feed_of(client)["items"][0]
    picture = f"{HERE}media/{post['id']}"

    assert re.fullmatch("#[0-9a-f]{6}", found["_igfeed"].pop("colour"))
    assert found == {
        "id": post["id"],
        "url": post["permalink"],
        "title": "A stool in oak.",
        "content_html": (
            f'<p><a href="{post["permalink"]}"><img src="{picture}-1080.webp" width="1000" height="1250" alt="{ALT}">'
            "</a></p>\n"
            '<p>A stool in oak. Made by <a href="https://www.instagram.com/jonas/">@jonas</a>.<br>\n<br>\n'
            '&lt;3 &amp; more: <a href="https://www.instagram.com/explore/tags/Oak/">#Oak</a> '
            '<a href="https://www.instagram.com/explore/tags/stool/">#stool</a> '
            '<a href="https://www.instagram.com/explore/tags/oak/">#oak</a></p>'
        ),
        "content_text": CAPTION,
        "image": f"{picture}-1080.webp",
        "date_published": "2026-05-02T10:45:00Z",
        "tags": ["Oak", "stool"],
        "_igfeed": {
            "media_type": "IMAGE",
            "alt_text": ALT,
            "like_count": 12,
            "comments_count": 3,
            "sizes": [
                {"url": f"{picture}-320.webp", "width": 320, "height": 400},
                {"url": f"{picture}-640.webp", "width": 640, "height": 800},
                {"url": f"{picture}-1080.webp", "width": 1000, "height": 1250},
            ],
            "children": [],
        },
    }


def test_what_is_not_known_is_left_out(account: FakeInstagram, client: FlaskClient) -> None:
    found = feed_of(client)["items"][1]

    assert found.keys() == {"id", "url", "content_html", "image", "date_published", "_igfeed"}
    assert found["_igfeed"] | {"sizes": []} == {
        "media_type": "VIDEO",
        "alt_text": "Video by @studio.nord, 22 June 2026",
        "like_count": None,
        "comments_count": None,
        "colour": None,
        "sizes": [],
        "children": [],
    }


def test_an_album_has_its_pictures_as_attachments_and_children(account: FakeInstagram, client: FlaskClient) -> None:
    found = feed_of(client)["items"][2]
    pictures = [f"{HERE}media/1800000000000010{number}-1080.webp" for number in (4, 5)]

    assert [(each["url"], each["mime_type"]) for each in found["attachments"]] == [
        (picture, "image/webp") for picture in pictures
    ]
    assert [(each["id"], each["media_type"]) for each in found["_igfeed"]["children"]] == [
        ("18000000000000104", "IMAGE"),
        ("18000000000000105", "VIDEO"),
    ]
    assert [link for link in Html(found["content_html"]).links if link and "/media/" in link] == pictures
    assert {client.get(picture).mimetype for picture in pictures} == {"image/webp"}


def test_the_owners_link_is_the_external_url_and_the_last_paragraph(
    account: FakeInstagram, client: FlaskClient, services: Services
) -> None:
    services.feed.fetch()
    link = PostLink.checked("18000000000000101", "https://shop.example/?a=1&b=2", "Buy <it>")
    services.feed.choose(lambda choices, _: choices.with_link(link))

    found = feed_of(client)["items"][0]

    assert found["external_url"] == "https://shop.example/?a=1&b=2"
    assert found["content_html"].endswith('<p><a href="https://shop.example/?a=1&amp;b=2">Buy &lt;it&gt;</a></p>')


def test_the_feed_url_keeps_what_was_chosen(account: FakeInstagram, client: FlaskClient) -> None:
    assert feed_of(client, "/feed.json?type=album&x=1")["feed_url"] == f"{HERE}feed.json?type=album"
    assert feed_of(client, "/feed.json?limit=1&tag=OAK")["feed_url"] == f"{HERE}feed.json?tag=oak"
    assert feed_of(client, "/feed.json?limit=2")["feed_url"] == f"{HERE}feed.json?limit=2"
    assert "feed_url" not in feed_of(client, "/feed.json?tag=nobody")


def test_a_parser_that_nobody_here_wrote_reads_the_same(account: FakeInstagram, client: FlaskClient) -> None:
    feed = feed_of(client)
    read = feedparser_rs.parse(client.get("/feed.json").data)

    assert (read.version, read.bozo) == ("json11", False)
    assert (read.feed.title, read.feed.link) == (feed["title"], HERE)
    assert [entry.id for entry in read.entries] == [item["id"] for item in feed["items"]]
    assert [entry.link for entry in read.entries] == [item["url"] for item in feed["items"]]
    first, _, third = read.entries
    assert first.title == "A stool in oak."
    assert [tag.term for tag in first.tags] == ["Oak", "stool"]
    assert tuple(first.published_parsed[:6]) == (2026, 5, 2, 10, 45, 0)
    assert [each.href for each in third.enclosures] == [each["url"] for each in feed["items"][2]["attachments"]]


# Hostile texts


def assert_is_only_text(item: dict[str, Any], post: Post) -> None:
    html = Html(item["content_html"])

    assert set(html.tags) <= {"p", "a", "img", "br"}
    assert html.tags.count("img") == 1
    assert {link.split("/")[2] for link in html.links if link} <= {"localhost", "www.instagram.com"}
    assert item["content_text"] == (post.caption or "").strip()
    assert html.text.replace("\n", "") == item["content_text"].replace("\n", "")


def assert_all_are_only_text(
    account: FakeInstagram, client: FlaskClient, services: Services, written: Sequence[str]
) -> None:
    account.posts[:] = [image(caption=each, alt_text=each) for each in written]
    account.profile |= {"name": written[0], "biography": written[0]}
    posts = services.feed.fetch().posts
    items = feed_of(client)["items"]

    assert len(items) == len(written)
    for item, post in zip(items, posts, strict=True):
        assert_is_only_text(item, post)


@pytest.fixture
def services(make_services: MakeServices) -> Services:
    return make_services(IGFEED_POSTS="100")


@given(written=st.lists(texts, min_size=5, max_size=20))
@FREELY
def test_whatever_people_write_stays_text(
    account: FakeInstagram, client: FlaskClient, services: Services, written: list[str]
) -> None:
    assert_all_are_only_text(account, client, services, written)


def test_every_hostile_text_stays_text(account: FakeInstagram, client: FlaskClient, services: Services) -> None:
    assert len(TEXTS) <= 100
    assert_all_are_only_text(account, client, services, TEXTS)
