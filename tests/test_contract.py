"""What the outside relies on, field by field: real gunicorn, real HTTP, the real clock, and every call it makes."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import requests

from igfeed.clock import system_clock
from igfeed.version import VERSION
from tests.harness.gunicorn import gunicorn
from tests.harness.owner import CRON, OWNER, STATUS
from tests.harness.variables import variables
from tests.servers.instagram import Call, FakeInstagram, album, child_image, child_video, image, reel, shortcode, video

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LIFE = timedelta(seconds=5183944)

POSTS = [
    image(
        id="18000000000000101",
        caption="A stool in oak. #oak",
        alt_text="A three-legged oak stool on a white floor",
        timestamp="2026-05-02T10:45:00+0000",
    ),
    video(id="18000000000000102", caption="How it is glued. Slowly.", timestamp="2026-05-01T10:45:00+0000"),
    reel(id="18000000000000103", caption=None, timestamp="2026-04-30T10:45:00+0000"),
    album(
        [child_image(id="18000000000000105"), child_video(id="18000000000000106")],
        id="18000000000000104",
        caption="Four chairs & a <table>.",
        alt_text="Four chairs around a table",
        timestamp="2026-04-29T10:45:00+0000",
    ),
]
ALTERNATIVES = [
    "A three-legged oak stool on a white floor",
    "How it is glued.",
    "Video by @studio.nord, 30 April 2026",
    "Four chairs around a table",
]

LINKS = ("canonical", "alternate")
"""The relations of links that no browser loads."""


class Parts(HTMLParser):
    """The elements of a page with their attributes, and the text of those that have an id or a class."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self._template = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._template += tag == "template"
        if not self._template:
            named = {name: value or "" for name, value in attrs}
            self.elements.append((tag, named))
            self._open = named.get("id") or named.get("class") or tag

    def handle_endtag(self, tag: str) -> None:
        self._template -= tag == "template"

    def handle_data(self, data: str) -> None:
        if not self._template:
            self.texts[self._open] = self.texts.get(self._open, "") + data

    def all(self, tag: str, name: str) -> list[str]:
        return [attributes[name] for each, attributes in self.elements if each == tag and name in attributes]

    def meta(self, name: str) -> str:
        return next(
            a["content"] for tag, a in self.elements if tag == "meta" and name in (a.get("property"), a.get("name"))
        )


@dataclass
class Seen:
    """What one deployment has shown and asked, in the order of its first minutes."""

    began: datetime
    address: str
    before: requests.Response
    cron: requests.Response
    page: requests.Response
    embed: requests.Response
    captions: requests.Response
    picture: requests.Response
    status: requests.Response
    calls: list[Call]
    ended: datetime

    def at(self, text: str) -> datetime:
        """A time as the contract writes it, which must lie in the life of this deployment."""
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
        return datetime.fromisoformat(text)

    def is_now(self, text: str) -> bool:
        return self.began - MINUTE <= self.at(text) <= self.ended + MINUTE


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with FakeInstagram(clock=system_clock, posts=[*POSTS]) as instagram:
        instagram.picture_size = (96, 120)
        yield look(instagram, tmp_path_factory.mktemp("deployed") / "store.sqlite3")


def look(instagram: FakeInstagram, store: Path) -> Seen:
    environ = variables(instagram, store, INSTAGRAM_ACCESS_TOKEN=instagram.issue(age=30 * DAY, life=60 * DAY))
    began = system_clock()
    with gunicorn(environ) as server, requests.Session() as session:
        got = {
            name: session.get(server.url + path, headers=OWNER if path.startswith("/api/") else {}, timeout=60)
            for name, path in {
                "before": STATUS,
                "cron": CRON,
                "page": "/",
                "embed": "/embed",
                "captions": "/embed?captions=1&header=1",
                "picture": f"/media/{POSTS[0]['id']}-640.webp",
                "status": STATUS,
            }.items()
        }
        return Seen(began, server.url, calls=instagram.calls, ended=system_clock(), **got)


# What Instagram is asked


def test_instagram_is_asked_for_every_field_that_is_shown(seen: Seen) -> None:
    (profile,) = [call for call in seen.calls if call.endpoint == "profile"]
    (media,) = [call for call in seen.calls if call.endpoint == "media"]

    assert set(profile.params["fields"].split(",")) == {
        *("id", "user_id", "account_type"),
        *("username", "name", "profile_picture_url", "biography", "website"),
        *("followers_count", "follows_count", "media_count"),
    }
    assert set(re.split(r",(?![^{]*})", media.params["fields"])) == {
        *("id", "caption", "media_type", "media_product_type", "media_url", "thumbnail_url", "permalink", "timestamp"),
        *("alt_text", "like_count", "comments_count", "is_shared_to_feed"),
        "children{id,media_type,media_url,thumbnail_url}",
    }


def test_the_calls_are_those_of_the_documentation(seen: Seen) -> None:
    asked = {call.endpoint: call for call in seen.calls}
    token = asked["media"].params["access_token"]
    first = next(call for call in seen.calls if call.endpoint == "renew")

    assert (first.method, first.path) == ("GET", "/refresh_access_token")
    assert first.params == {"grant_type": "ig_refresh_token", "access_token": first.params["access_token"]}
    assert (asked["profile"].path, set(asked["profile"].params)) == ("/v25.0/me", {"fields", "access_token"})
    assert (asked["media"].path, set(asked["media"].params)) == ("/v25.0/me/media", {"fields", "access_token", "limit"})
    assert asked["media"].params["limit"] == "24"
    assert token != first.params["access_token"], "the renewed one"
    assert all(call.headers["user-agent"] == f"igfeed/{VERSION}" for call in seen.calls)
    assert all("cookie" not in call.headers for call in seen.calls)


# What the page shows


@pytest.mark.parametrize("name", ["page", "embed", "captions"])
def test_every_tile_has_its_post_its_link_its_picture_and_the_owners_words(seen: Seen, name: str) -> None:
    parts = Parts(getattr(seen, name).text)
    ids = [post["id"] for post in POSTS]
    tiles = [a for tag, a in parts.elements if tag == "img" and "srcset" in a]

    assert parts.all("li", "data-post-id") == ids
    assert [link for link in parts.all("a", "href") if "/p/" in link or "/reel/" in link] == [
        f"https://www.instagram.com/{'reel' if each == ids[2] else 'p'}/{shortcode(each)}/" for each in ids
    ]
    beside_captions = [ALTERNATIVES[0], "Video by @studio.nord, 1 May 2026", *ALTERNATIVES[2:]]
    assert [tile["alt"] for tile in tiles] == (beside_captions if name == "captions" else ALTERNATIVES)
    assert [tile["src"] for tile in tiles] == [f"/media/{each}-640.webp" for each in ids]
    assert [tile["srcset"] for tile in tiles] == [
        ", ".join(f"/media/{each}-{width}.webp {width}w" for width in (320, 640, 1080)) for each in ids
    ]
    assert seen.is_now(parts.all("ul", "data-fetched-at")[0])


def test_the_header_shows_name_counts_and_biography(seen: Seen) -> None:
    parts = Parts(seen.page.text)

    assert parts.texts["feed-title"].strip() == "Studio Nord"
    assert parts.texts["biography p-note"].strip() == "Furniture from Malmö 🪑\nOpen Tue to Sat"
    header = seen.page.text.partition("</header>")[0]
    assert re.findall(r"<span>([^<]+)</span>", header) == ["4 posts", "4,821 followers"]
    assert parts.meta("description") == parts.meta("og:description") == "Furniture from Malmö 🪑 Open Tue to Sat"
    assert parts.meta("og:image:alt") == ALTERNATIVES[0]


def test_captions_are_shown_where_they_are_asked_for(seen: Seen) -> None:
    captions = [post["caption"] for post in POSTS if "caption" in post]
    shown = re.findall(r"<figcaption[^>]*>([^<]*)</figcaption>", seen.captions.text)

    assert shown == [each.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for each in captions]
    assert "<figcaption" not in seen.page.text + seen.embed.text


def test_search_engines_are_told_the_same(seen: Seen) -> None:
    told = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', seen.page.text)[0])

    assert (told["@type"], told["name"], told["url"]) == ("ImageGallery", "Studio Nord", f"{seen.address}/")
    assert told["image"] == [
        {
            "@type": "ImageObject",
            "contentUrl": f"{seen.address}/media/{post['id']}-1080.webp",
            "thumbnailUrl": f"{seen.address}/media/{post['id']}-320.webp",
            "caption": alternative,
            "uploadDate": post["timestamp"].replace("+0000", "+00:00"),
            "creator": {
                "@type": "Organization",
                "name": "Studio Nord",
                "url": "https://www.instagram.com/studio.nord/",
            },
            "creditText": "Studio Nord",
            "copyrightNotice": "© Studio Nord",
        }
        for post, alternative in zip(POSTS, ALTERNATIVES, strict=True)
    ]


@pytest.mark.parametrize("name", ["page", "embed", "captions"])
def test_nothing_on_the_page_is_asked_of_another_host(seen: Seen, name: str) -> None:
    parts = Parts(getattr(seen, name).text)
    asked = [*parts.all("img", "src"), *parts.all("script", "src")]
    asked += [a["href"] for tag, a in parts.elements if tag == "link" and a.get("rel") not in LINKS]

    assert [each for each in asked if not each.startswith("/")] == []


# Headers


@pytest.mark.parametrize("name", ["page", "embed", "captions"])
def test_the_headers_of_a_page(seen: Seen, name: str) -> None:
    response = getattr(seen, name)
    headers = response.headers

    assert response.status_code == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == (
        "public, max-age=0, s-maxage=300, stale-while-revalidate=86400, stale-if-error=604800"
    )
    assert headers["Cache-Status"] == "igfeed; hit"
    assert re.fullmatch(r'"[0-9a-f]+(-\w+)?"', headers["ETag"])
    assert "frame-ancestors *" in headers["Content-Security-Policy"]
    assert headers.get("Access-Control-Allow-Origin") == (None if name == "page" else "*")
    assert "Set-Cookie" not in headers
    assert (
        abs(datetime.strptime(headers["Date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC) - seen.began) < MINUTE
    )


def test_the_headers_of_a_picture(seen: Seen) -> None:
    headers = seen.picture.headers

    assert (seen.picture.status_code, headers["Content-Type"]) == (200, "image/webp")
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert seen.picture.content[8:12] == b"WEBP"
    assert "Set-Cookie" not in headers


# The reports


def is_token_in_the_shape(seen: Seen, token: dict[str, Any]) -> None:
    """A token that was renewed while we looked."""
    left = token["expires_in"]

    assert list(token) == [
        *("present", "source", "state", "issued_at", "expires_at", "expires_in", "days_left", "renewable_at", "saved")
    ]
    assert (token["present"], token["source"], token["state"], token["saved"]) == (True, "store", "fresh", True)
    assert seen.is_now(token["issued_at"])
    assert seen.at(token["expires_at"]) - seen.at(token["issued_at"]) == LIFE
    assert seen.at(token["renewable_at"]) - seen.at(token["issued_at"]) == DAY
    assert type(left) is int
    assert LIFE - (seen.ended - seen.began) - MINUTE < timedelta(seconds=left) <= LIFE
    assert token["days_left"] == round(left / 86400, 1) == 60.0


def test_the_status_before_anything_was_asked(seen: Seen) -> None:
    found = seen.before.json()

    assert (found["status"], found["token"]["source"], found["token"]["state"]) == ("ok", "environment", "due")
    assert [found["token"][name] for name in ("issued_at", "expires_at", "expires_in", "days_left")] == [None] * 4
    assert found["token"]["saved"] is False
    assert found["account"] == {"username": None, "name": None, "media_count": None}
    assert found["last_renewal"] == {"at": None, "outcome": None, "error": None}
    assert found["feed"] == {"posts": 0, "fetched_at": None, "age": None, "fresh": False, "last_error": None}


def test_the_status_says_every_field_in_the_agreed_order(seen: Seen) -> None:
    found = seen.status.json()

    assert (seen.status.status_code, seen.status.headers["Content-Type"]) == (200, "application/json")
    assert seen.status.headers["Cache-Control"] == "no-store"
    assert list(found) == [
        *("status", "problem", "hint", "account", "token", "last_renewal", "feed", "store", "alerts"),
        *("accounts", "version"),
    ]
    assert (found["status"], found["problem"], found["hint"]) == ("ok", None, None)
    assert found["account"] == {"username": "studio.nord", "name": "Studio Nord", "media_count": 4}
    is_token_in_the_shape(seen, found["token"])
    assert list(found["last_renewal"]) == ["at", "outcome", "error"]
    assert seen.is_now(found["last_renewal"]["at"])
    assert (found["last_renewal"]["outcome"], found["last_renewal"]["error"]) == ("renewed", None)
    assert list(found["feed"]) == ["posts", "fetched_at", "age", "fresh", "last_error"]
    assert (found["feed"]["posts"], found["feed"]["fresh"], found["feed"]["last_error"]) == (4, True, None)
    assert seen.is_now(found["feed"]["fetched_at"])
    assert type(found["feed"]["age"]) is int
    assert 0 <= found["feed"]["age"] <= (seen.ended - seen.began).total_seconds()
    assert found["store"] == {"kind": "sqlite", "reachable": True}
    assert found["version"] == VERSION


def test_the_cron_says_every_field_in_the_agreed_order(seen: Seen) -> None:
    found = seen.cron.json()

    assert (seen.cron.status_code, seen.cron.headers["Cache-Control"]) == (200, "no-store")
    assert list(found) == ["ok", "renewal", "feed", "posts", "pictures", "token", "error", "hint", "accounts"]
    assert (found["ok"], found["renewal"], found["feed"], found["posts"]) == (True, "renewed", "fetched", 4)
    # The account's own, four posts' and an album's two children, in three widths.
    assert found["pictures"] == {"stored": 7 * 3, "kept": 0, "failed": 0}
    is_token_in_the_shape(seen, found["token"])
    assert (found["error"], found["hint"]) == (None, None)


def test_the_page_and_the_reports_tell_the_same_time(seen: Seen) -> None:
    fetched = {Parts(each.text).all("ul", "data-fetched-at")[0] for each in (seen.page, seen.embed, seen.captions)}

    assert fetched == {seen.status.json()["feed"]["fetched_at"]}
    assert seen.cron.json()["token"]["issued_at"] == seen.status.json()["token"]["issued_at"]


def test_no_answer_says_a_secret(seen: Seen) -> None:
    tokens = {call.params["access_token"] for call in seen.calls if "access_token" in call.params}
    said = "".join(
        f"{each.text} {each.headers}"
        for each in (seen.before, seen.cron, seen.page, seen.embed, seen.captions, seen.status)
    )

    assert [secret for secret in (*tokens, "the-cron-secret") if secret in said] == []
