"""What programs find on the page itself: microformats, documents with the same posts, and whose pictures these are."""

import json
import re
from pathlib import Path
from typing import Any

import mf2py
import pytest
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.config import Settings
from igfeed.models import Token
from igfeed.services import Services
from tests.servers.instagram import FakeInstagram, album, image, video

HERE = "http://localhost/"
CAPTION = "A stool in oak.\nFor sale & <b>more</b>"
SPOKEN = CAPTION.replace("\n", " ")
"""As a parser of microformats gives it: a new line in HTML is a space."""


@pytest.fixture
def account(instagram: FakeInstagram, token: Token) -> FakeInstagram:
    instagram.profile["biography"] = "Furniture from Malmö"
    instagram.posts[:] = [
        image(id="18000000000000101", caption=CAPTION, alt_text="A stool", timestamp="2026-05-02T10:45:00+0000"),
        video(id="18000000000000102", caption=None, permalink=None),
        album(id="18000000000000103", caption="Four of a kind", timestamp=None),
    ]
    return instagram


def feed_on(client: FlaskClient, path: str) -> dict[str, Any]:
    """The page's one h-feed, as mf2py reads it."""
    (feed,) = mf2py.parse(doc=client.get(path).text, url=HERE)["items"]
    assert feed["type"] == ["h-feed"]
    return dict(feed)


def test_the_page_is_an_h_feed_whose_author_is_the_account(account: FakeInstagram, client: FlaskClient) -> None:
    (author,) = feed_on(client, "/")["properties"]["author"]
    found = author["properties"]

    assert author["type"] == ["h-card"]
    assert (found["name"], found["note"]) == (["Studio Nord"], ["Furniture from Malmö"])
    assert found["url"] == ["https://www.instagram.com/studio.nord/"]
    (photo,) = found["photo"]
    assert client.get(photo["value"]).mimetype == "image/webp"


def test_without_the_header_the_author_is_still_told(account: FakeInstagram, client: FlaskClient) -> None:
    found = feed_on(client, "/?header=0")["properties"]

    assert found["name"] == ["Studio Nord on Instagram"]
    assert found["author"][0]["properties"] == {
        "name": ["Studio Nord"],
        "url": ["https://www.instagram.com/studio.nord/"],
    }


@pytest.mark.parametrize("path", ["/", "/?captions=1", "/?header=0&open=instagram&layout=masonry"])
def test_each_post_is_an_h_entry(account: FakeInstagram, client: FlaskClient, path: str) -> None:
    entries = [child for child in feed_on(client, path)["children"] if child["type"] == ["h-entry"]]
    first, second, third = (entry["properties"] for entry in entries)

    assert first["name"] == [SPOKEN if "captions" in path else "A stool in oak."]
    assert first["url"] == [account.posts[0]["permalink"]]
    assert first["published"] == ["2026-05-02T10:45:00+0000"]
    assert first["photo"][0]["value"] == f"{HERE}media/18000000000000101-640.webp"
    assert second["name"] == ["Video by @studio.nord, 22 June 2026"]
    assert "url" not in second
    assert (third["name"], "published" in third) == (["Four of a kind"], False)


def test_times_on_the_page_have_no_microseconds_which_html_does_not_allow(tmp_path: Path) -> None:
    environ = {"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": str(tmp_path / "store.sqlite3")}
    page = create_app(Settings.from_env(environ)).test_client().get("/").text

    times = re.findall(r' datetime="(.*?)"', page)

    assert len(times) == 24
    assert not [each for each in times if "." in each]


def test_a_caption_on_the_page_is_the_entrys_content(account: FakeInstagram, client: FlaskClient) -> None:
    first, *_ = feed_on(client, "/?captions=1")["children"]

    (content,) = first["properties"]["content"]
    assert (content["value"], content["html"]) == (SPOKEN, "A stool in oak.\nFor sale &amp; &lt;b&gt;more&lt;/b&gt;")


@pytest.mark.parametrize("path", ["/embed", "/fragment"])
def test_what_stands_in_other_pages_is_no_feed_of_theirs(
    account: FakeInstagram, client: FlaskClient, path: str
) -> None:
    text = client.get(f"{path}?header=1&captions=1").text

    assert re.findall(r'class="[^"]*\b(?:h|p|u|dt|e)-[a-z]', text) == []
    assert "application/feed+json" not in text


# The documents


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("", ""),
        ("?columns=3&limit=1", ""),
        ("?type=video", "?type=video"),
        ("?tag=nobody", ""),
    ],
)
def test_the_page_leads_to_the_documents_with_the_same_posts(
    account: FakeInstagram, client: FlaskClient, query: str, chosen: str
) -> None:
    found = mf2py.parse(doc=client.get(f"/{query}").text, url=HERE)["rel-urls"]
    links = {link["type"]: url for url, link in found.items() if "alternate" in link["rels"]}

    documents = {kind: links[kind] for kind in ("application/feed+json", "application/atom+xml", "application/json")}
    assert documents == {
        "application/feed+json": f"{HERE}feed.json{chosen}",
        "application/atom+xml": f"{HERE}feed.xml{chosen}",
        "application/json": f"{HERE}behold.json{chosen}",
    }
    for kind, address in documents.items():
        assert client.get(address).mimetype == kind


# Structured data


@pytest.mark.parametrize(
    ("account_type", "kind"), [("BUSINESS", "Organization"), ("MEDIA_CREATOR", "Person"), (None, "Person")]
)
def test_each_image_of_the_gallery_says_whose_it_is(
    account: FakeInstagram, client: FlaskClient, services: Services, account_type: str | None, kind: str
) -> None:
    account.profile["account_type"] = account_type
    services.feed.fetch()
    script = re.search(r'<script type="application/ld\+json">(.*?)</script>', client.get("/").text, re.DOTALL)
    assert script is not None
    images = json.loads(script[1])["image"]

    assert len(images) == 3
    for each in images:
        assert each["creator"] == {
            "@type": kind,
            "name": "Studio Nord",
            "url": "https://www.instagram.com/studio.nord/",
        }
        assert (each["creditText"], each["copyrightNotice"]) == ("Studio Nord", "© Studio Nord")
