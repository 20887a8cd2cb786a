"""The Atom feed: RFC 4287, as a parser reads it that nobody here wrote, whatever people write into captions."""

from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igfeed import create_app
from igfeed.feed.local_copy import FEED_KEY
from igfeed.models import PostLink, Token
from igfeed.services import Services
from tests.conftest import MakeServices
from tests.harness.hostile import TEXTS, texts
from tests.harness.visitor import Visitor
from tests.servers.instagram import FakeInstagram, album, child_image, image, video

ATOM = "{http://www.w3.org/2005/Atom}"
FREELY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
HERE = "http://localhost/"

CHILDREN = {
    "feed": {"id": "1", "title": "1", "updated": "1", "subtitle": "?", "author": "1", "generator": "1", "icon": "?"}
    | {"link": "*", "entry": "*"},
    "entry": {"id": "1", "title": "1", "updated": "1", "published": "?", "content": "1", "link": "*", "category": "*"},
    "author": {"name": "1", "uri": "?"},
}
"""The elements that RFC 4287 allows inside of another, and how often, as far as igfeed uses them."""

ATTRIBUTES = {
    "link": {"rel", "type", "href", "title"},
    "category": {"term"},
    "content": {"type"},
    "generator": {"version"},
}


@pytest.fixture
def services(make_services: MakeServices) -> Services:
    return make_services(IGFEED_POSTS="100")


@pytest.fixture
def account(instagram: FakeInstagram, token: Token) -> FakeInstagram:
    instagram.profile["biography"] = "Furniture & more"
    instagram.posts[:] = [
        image(
            id="18000000000000101",
            caption="A <stool> in oak.\nFor sale: #Oak #stool",
            alt_text='A "stool"',
            timestamp="2026-05-02T10:45:00+0000",
        ),
        album([child_image(id="18000000000000104"), child_image(id="18000000000000105")], id="18000000000000103"),
        video(id="18000000000000102", caption=None, permalink=None, timestamp=None),
    ]
    return instagram


def check(element: ET.Element) -> None:
    name = element.tag.removeprefix(ATOM)
    assert element.tag.startswith(ATOM), element.tag
    assert set(element.keys()) <= ATTRIBUTES.get(name, set()), element.attrib
    inside = [child.tag.removeprefix(ATOM) for child in element]
    allowed = CHILDREN.get(name, {})
    assert set(inside) <= set(allowed), inside
    for child, often in allowed.items():
        assert inside.count(child) in {"1": (1,), "?": (0, 1), "*": range(1000)}[often], (name, child)
    for child_element in element:
        check(child_element)


def feed_of(client: FlaskClient, path: str = "/feed.xml") -> Any:
    """What ``feedparser`` reads, once the elements are where RFC 4287 wants them."""
    response = client.get(path)
    assert (response.status_code, response.content_type) == (200, "application/atom+xml; charset=utf-8")
    check(ET.fromstring(response.data))
    read = feedparser.parse(response.data, response_headers={"content-type": response.content_type})
    assert (read.version, read.bozo) == ("atom10", False), read.get("bozo_exception")
    return read


def test_the_feed_says_whose_it_is_and_where(account: FakeInstagram, client: FlaskClient) -> None:
    feed = feed_of(client).feed

    assert (feed.title, feed.subtitle) == ("Studio Nord on Instagram", "Furniture & more")
    assert (feed.author_detail.name, feed.author_detail.href) == (
        "Studio Nord",
        "https://www.instagram.com/studio.nord/",
    )
    assert {link.rel: link.href for link in feed.links} == {"self": f"{HERE}feed.xml", "alternate": HERE}
    assert feed.updated == "2026-06-22T10:45:00Z"  # Of the newest post, not of the fetch.
    assert client.get(feed.icon).mimetype == "image/webp"


def test_an_entry_has_all_that_is_known_of_a_post(account: FakeInstagram, client: FlaskClient) -> None:
    post = account.posts[0]
    entry = feed_of(client).entries[0]
    picture = f"{HERE}media/{post['id']}-1080.webp"

    assert (entry.title, entry.link) == ("A <stool> in oak.", post["permalink"])
    assert (entry.published, entry.updated) == ("2026-05-02T10:45:00Z", "2026-05-02T10:45:00Z")
    assert [tag.term for tag in entry.tags] == ["Oak", "stool"]
    assert [(each.href, each.type) for each in entry.enclosures] == [(picture, "image/webp")]
    (content,) = entry.content
    assert content.type == "text/html"
    assert f'<img alt="A &quot;stool&quot;" src="{picture}" />' in content.value
    assert "<p>A &lt;stool&gt; in oak.<br />\nFor sale: <a href=" in content.value


def test_an_album_has_an_enclosure_for_each_picture(account: FakeInstagram, client: FlaskClient) -> None:
    entry = feed_of(client).entries[1]

    assert [each.href for each in entry.enclosures] == [
        f"{HERE}media/1800000000000010{number}-1080.webp" for number in (4, 5)
    ]


def test_a_post_without_caption_link_and_time_is_a_valid_entry(account: FakeInstagram, client: FlaskClient) -> None:
    entry = feed_of(client).entries[2]

    assert entry.title == "Video by @studio.nord"
    assert "published" not in entry
    assert [link.rel for link in entry.links] == ["enclosure"]


def test_the_owners_link_is_a_related_one(account: FakeInstagram, client: FlaskClient, services: Services) -> None:
    services.feed.fetch()
    link = PostLink.checked("18000000000000101", "https://shop.example/?a=1&b=2", None)
    services.feed.choose(lambda choices, _: choices.with_link(link))

    entry = feed_of(client).entries[0]

    assert [each.href for each in entry.links if each.rel == "related"] == ["https://shop.example/?a=1&b=2"]


def test_an_id_stays_when_the_home_the_permalink_and_the_caption_change(
    account: FakeInstagram, client: FlaskClient, services: Services
) -> None:
    before = feed_of(client)
    account.posts[0] |= {"caption": "New", "permalink": "https://www.instagram.com/reel/x/"}
    services.feed.fetch()
    moved = feedparser.parse(client.get("/feed.xml", base_url="https://elsewhere.example").data)

    assert [entry.id for entry in moved.entries] == [entry.id for entry in before.entries]
    assert moved.feed.id == before.feed.id
    assert len({entry.id for entry in before.entries} | {before.feed.id}) == 4
    assert before.entries[0].id == "urn:uuid:b624402f-76c2-5304-8590-ae8310f88b80"


def test_a_choice_of_posts_is_a_feed_of_its_own_and_knows_its_address(
    account: FakeInstagram, client: FlaskClient
) -> None:
    whole, videos = feed_of(client), feed_of(client, "/feed.xml?type=video&x=1")

    assert videos.feed.id != whole.feed.id
    assert feed_of(client, "/feed.xml?limit=1").feed.id == whole.feed.id
    assert [link.href for link in videos.feed.links if link.rel == "self"] == [f"{HERE}feed.xml?type=video"]


# Hostile texts


def assert_all_are_read_as_text(
    account: FakeInstagram, client: FlaskClient, services: Services, written: list[str]
) -> None:
    account.posts[:] = [image(caption=each, alt_text=each) for each in written]
    account.profile |= {"name": written[0], "biography": written[0], "website": written[0]}
    services.feed.fetch()
    read = feed_of(client)

    assert len(read.entries) == len(written)
    for entry in read.entries:
        assert entry.content[0].value.count("<img ") == 1
        for unwanted in ("<script", "<svg", "onerror=window.pwned=1>", "<b>", "<style"):
            assert unwanted not in entry.content[0].value


@given(written=st.lists(texts, min_size=5, max_size=20))
@FREELY
def test_whatever_people_write_leaves_the_feed_valid(
    account: FakeInstagram, client: FlaskClient, services: Services, written: list[str]
) -> None:
    assert_all_are_read_as_text(account, client, services, written)


def test_every_hostile_text_leaves_the_feed_valid(
    account: FakeInstagram, client: FlaskClient, services: Services
) -> None:
    assert_all_are_read_as_text(account, client, services, [*TEXTS])


def test_an_odd_permalink_of_an_earlier_version_leaves_the_feed_valid(
    account: FakeInstagram, make_services: MakeServices, services: Services
) -> None:
    """It may have anything but spaces behind the host, so characters that XML forbids too."""
    services.feed.fetch()
    stored = services.store.get(FEED_KEY) or ""
    permalink = account.posts[0]["permalink"]
    services.store.set(FEED_KEY, stored.replace(permalink, 'https://www.instagram.com/p/\\u0001\\uffff]]>&<\\"/'))

    entry = feed_of(Visitor(create_app(services=make_services()))).entries[0]

    assert entry.link == 'https://www.instagram.com/p/]]>&<"/'
