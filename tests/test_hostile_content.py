"""Whatever people write on Instagram stays text: the page keeps its elements, its attributes and its addresses.

The app fetches the texts over HTTP as Instagram sends them; the page that comes out is compared with the one that
harmless texts make.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from typing import Any, TypeVar

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from igfeed import create_app
from igfeed.models import Token
from igfeed.services import Services
from tests.harness.hostile import ADDRESSES, EMOJI, PIECES, TEXTS, as_kept, texts
from tests.harness.owner import OWNER, STATUS
from tests.harness.visitor import Visitor
from tests.servers.instagram import FakeInstagram, album, image, video

PATHS = ("/?captions=1&limit=2", "/embed?header=1&captions=1&page=2&limit=1", "/embed")
HARMLESS = "Harmless"
VOID = frozenset({"meta", "link", "img", "source"})

TEXT_ATTRIBUTES = frozenset(
    {("img", "alt"), ("meta", "content"), ("link", "title"), ("dialog", "aria-label"), ("button", "data-video")}
)
"""What may differ: texts, and the address of a video, which Instagram signs anew with each fetch."""

OURS = re.compile(r"/[^/\\].*|/|http://localhost/.*", re.DOTALL)
INSTAGRAM = re.compile(r"https://([a-z0-9-]+\.)*instagram\.com([/?#].*)?", re.DOTALL | re.IGNORECASE)
PAGE_OF_A_TAG = r"https://www\.instagram\.com/(explore/tags/[\w%.~-]+|[\w.]+)/"

FREELY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Parsed(HTMLParser):
    """A page as a browser takes it apart: what is nested in what, which attributes there are, what the texts are.

    The links of captions are apart from the rest, because how many there are depends on the text.
    """

    html: str = field(repr=False)

    def __post_init__(self) -> None:
        super().__init__()
        self.structure: list[tuple[Any, ...]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[tuple[str, str]] = []
        self.other: list[str] = []
        self.caption_links: list[dict[str, str | None]] = []
        self._open: list[str] = []
        self._is_in_caption = False
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and self._is_in_caption:
            self.caption_links.append(dict(attrs))
            return
        self._is_in_caption = ("class", "caption") in attrs
        self.structure.append((*self._open, tag, *(name for name, _ in attrs)))
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._is_in_caption:
            return
        self._is_in_caption = False
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self._open[-1], data))

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def handle_pi(self, data: str) -> None:
        self.other.append(data)

    def unknown_decl(self, data: str) -> None:
        self.other.append(data)

    def values(self, tag: str, name: str) -> list[str]:
        return [value for found in self.attributes if found[:2] == (tag, name) for value in found[2:]]

    def text_of(self, tag: str) -> str:
        return "".join(text for parent, text in self.texts if parent == tag)


AT_ONCE = 12
"""Posts on a page."""
WHOLE = "/?captions=1"
"""A page with so many."""

T = TypeVar("T")


def on_pages(hostile: list[T]) -> Iterator[list[T]]:
    """As many at once as there are posts on a page: each stands in a post of its own."""
    return (hostile[start : start + AT_ONCE] for start in range(0, len(hostile), AT_ONCE))


@dataclass
class Feed:
    """A process of ours, and the account that it shows."""

    instagram: FakeInstagram
    services: Services
    client: FlaskClient

    @cached_property
    def harmless(self) -> dict[str, Parsed]:
        """What the pages are like with a harmless text. Looked at first, as it changes the account."""
        show = self.showing(HARMLESS)
        return {path: show(path) for path in PATHS}

    def showing(self, text: str, **more: Any) -> Callable[[str], Parsed]:
        """Pages with the text wherever a person can write one, except in the user name and in addresses."""
        post = {"caption": text, "alt_text": None, **more}
        posts = [image(id="17900000000000001", **post), video(id="17900000000000002", **{**post, "alt_text": text})]
        self.instagram.posts[:] = [*posts, album([], id="17900000000000003", media_url="/pictures/1.jpg", **post)]
        self.instagram.profile |= {"name": text, "biography": text, "website": text, "username": "studio.nord"}
        return self.fetched()

    def showing_posts(self, posts: list[dict[str, Any]]) -> Callable[[str], Parsed]:
        """Pages with these posts, as many as fit on one."""
        assert len(posts) <= AT_ONCE
        self.instagram.posts[:] = posts
        return self.fetched()

    def fetched(self) -> Callable[[str], Parsed]:
        self.services.feed.fetch()
        return self.page

    def page(self, path: str) -> Parsed:
        response = self.client.get(path)
        assert response.status_code == 200
        return Parsed(response.text)


@pytest.fixture
def feed(instagram: FakeInstagram, services: Services, token: Token) -> Feed:
    return Feed(instagram, services, Visitor(create_app(services=services)))


def addresses(page: Parsed) -> Iterator[str]:
    for tag, name, value in page.attributes:
        if name in ("href", "src", "action", "poster", "data"):
            yield value
        elif name == "srcset":
            yield from (each.split()[0] for each in value.split(", "))
        else:
            assert name in ("content", "alt", "data-video") or not value.startswith(("http", "//")), (tag, name)


def as_a_browser_reads(address: str) -> str:
    """Without what the URL standard takes out before it looks at the rest, and with its view of backslashes."""
    return re.sub(r"[\t\r\n]", "", address.strip("".join(map(chr, range(33))))).replace("\\", "/")


def assert_leads_home(page: Parsed) -> None:
    found = [as_a_browser_reads(address) for address in addresses(page)]
    assert found
    assert all(OURS.fullmatch(address) or INSTAGRAM.fullmatch(address) for address in found)


@FREELY
@given(text=texts)
@example(text=EMOJI)
@example(text="".join(PIECES) + "x")
def test_the_page_has_the_same_elements_and_attributes_as_with_harmless_texts(feed: Feed, text: str) -> None:
    harmless, show = feed.harmless, feed.showing(text)

    for path in PATHS:
        expected, page = harmless[path], show(path)
        assert page.structure == expected.structure
        assert page.other == expected.other == []
        assert page.text_of("style") == expected.text_of("style")
        assert [each for each in page.attributes if each[:2] not in TEXT_ATTRIBUTES] == [
            each for each in expected.attributes if each[:2] not in TEXT_ATTRIBUTES
        ]
        assert_leads_home(page)


@FREELY
@given(text=texts)
def test_texts_are_shown_as_they_were_written(feed: Feed, text: str) -> None:
    page = feed.showing(text)(PATHS[0])

    as_sent = as_kept(text)
    on_one_line = re.sub(r"\s+", " ", as_sent).strip()
    assert page.text_of("figcaption") == as_sent.strip() * 2
    assert as_sent.strip() in page.text_of("p")
    assert page.text_of("h1") == as_sent
    # The picture of the second post when it is opened. In the grid, above its caption, it does not repeat that.
    assert page.values("img", "alt")[4] == on_one_line
    assert page.text_of("title").endswith(" on Instagram")


@FREELY
@given(username=texts)
@example(username="../../evil")
@example(username="//evil.example")
@example(username="@evil.example/")
@example(username="x?next=//evil.example#")
def test_a_user_name_stays_a_part_of_the_path_on_instagram(feed: Feed, username: str) -> None:
    feed.showing(HARMLESS)
    expected = feed.page(PATHS[0])
    feed.instagram.profile |= {"username": username, "name": None}

    page = feed.fetched()(PATHS[0])

    assert page.structure == expected.structure
    assert_leads_home(page)
    profile = [link for link in page.values("a", "href") if link.startswith("https") and "/p/" not in link]
    assert len(profile) == 3
    assert all(re.fullmatch(r"https://www\.instagram\.com/[!-~]+/", link) for link in profile)
    assert not any(set(link) & set("\\<>\"'?#@ ") for link in profile)


@FREELY
@given(text=texts)
@example(text="#tag @name #'><b> @\"x #&quot; x")
def test_a_link_in_a_caption_leads_to_a_hashtag_or_an_account_and_has_nothing_else(feed: Feed, text: str) -> None:
    links = feed.showing(f"#print {text}")(PATHS[2]).caption_links

    assert len(links) >= 3
    for link in links:
        assert re.fullmatch(PAGE_OF_A_TAG, link.pop("href") or "", re.ASCII)
        assert link == {"rel": "noopener", "target": "_blank"}


def test_an_address_on_another_host_is_not_linked(feed: Feed) -> None:
    for some in on_pages(ADDRESSES):
        page = feed.showing_posts([image(caption=HARMLESS, permalink=address) for address in some])(WHOLE)

        assert_leads_home(page)
        assert len(page.values("li", "data-post-id")) == len(some)
        assert not any("evil" in link or "pwned" in link for link in addresses(page))


@FREELY
@given(
    address=st.builds(
        lambda start, rest: start + "".join(rest),
        st.sampled_from(["https://", "https://www.instagram.com", "javascript:", "//", "", "https:\\\\", "HTTPS://"]),
        st.lists(st.sampled_from([*PIECES, *ADDRESSES, ".instagram.com/", "@", ":"]) | st.text(max_size=3), max_size=4),
    )
)
def test_every_link_leads_to_instagram_or_to_us(feed: Feed, address: str) -> None:
    page = feed.showing(HARMLESS, permalink=address)(PATHS[0])

    assert_leads_home(page)
    assert {name for tag, name, _ in page.attributes if tag == "a"} <= {
        *("href", "class", "rel", "target", "aria-describedby"),
    }


@FREELY
@given(tail=texts)
def test_a_link_to_instagram_stays_inside_its_attribute_whatever_its_path(feed: Feed, tail: str) -> None:
    address = f"https://www.instagram.com/p/{''.join(as_kept(tail).split())}"
    harmless, hostile = (
        feed.showing(HARMLESS, permalink=each)(PATHS[0]) for each in ("https://www.instagram.com/p/x/", address)
    )

    assert hostile.structure == harmless.structure
    assert_leads_home(hostile)


def test_an_unknown_kind_of_post_has_no_badge(feed: Feed) -> None:
    known = {name for element in feed.showing(HARMLESS)(PATHS[0]).structure for name in element}
    for kinds in on_pages([*TEXTS, "\ud800", "VIDEO</span>", 7, ["VIDEO"], {"a": 1}]):
        page = feed.showing_posts([image(caption=HARMLESS, media_type=kind) for kind in kinds])(WHOLE)

        assert len(page.values("li", "data-post-id")) == len(kinds)
        assert {name for element in page.structure for name in element} <= known
        assert set(page.values("span", "class")) <= {"portrait", "count"}


@pytest.mark.parametrize(
    "media_id", ["1/../2", "1-320.webp?", '1"onerror="x', "<b>", "1\n", "١٢٣", "", "1_", "-1", "1" * 99]
)
def test_a_post_with_an_invalid_id_is_left_out(feed: Feed, media_id: str) -> None:
    feed.showing(HARMLESS)
    feed.instagram.posts.insert(0, {**image(), "id": media_id})

    page = feed.fetched()("/embed")

    assert page.values("li", "data-post-id") == ["17900000000000001", "17900000000000002", "17900000000000003"]


@pytest.mark.parametrize("count", [-1, 0, 10**30, "<b>", True, None, 1.5, [1], "99"])
def test_an_invalid_count_is_left_out_and_the_rest_is_shown(feed: Feed, count: Any) -> None:
    feed.showing(HARMLESS)
    feed.instagram.profile |= {"media_count": count, "followers_count": count}

    page = feed.fetched()("/")

    assert len(page.values("li", "data-post-id")) == 3
    assert "b" not in {name for element in page.structure for name in element}
    assert len(page.values("script", "type")) == 1


@FREELY
@given(text=texts)
def test_the_reports_stay_json_and_the_log_keeps_its_lines(
    feed: Feed, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    feed.showing(text)
    feed.instagram.profile["username"] = text
    feed.services.feed.fetch()

    status = feed.client.get(STATUS, headers=OWNER)

    account = json.loads(status.data)["account"]
    assert status.data.isascii()
    assert account["username"] == account["name"] == as_kept(text)
    assert all(record.getMessage().isprintable() for record in caplog.records)


@pytest.mark.parametrize("piece", ['"><script>x</script>', '" onmouseover="x', "<!-- -->", "<?x?>", "<img>"])
def test_the_checks_notice_hostile_texts_that_are_not_escaped(piece: str) -> None:
    page = '<p title="{0}">{0}</p>'
    harmless, hostile = (Parsed(page.format(each)) for each in (HARMLESS, piece))

    assert (hostile.structure, hostile.other) != (harmless.structure, harmless.other)


# Videos, and what search engines read


def videos_on(page: Parsed) -> list[str]:
    return page.values("button", "data-video")


def test_a_video_on_another_host_is_not_offered(feed: Feed) -> None:
    for some in on_pages(ADDRESSES):
        page = feed.showing_posts([video(caption=HARMLESS, media_url=address) for address in some])

        policy = feed.client.get("/").headers["Content-Security-Policy"]

        assert len(page("/").values("li", "data-post-id")) == len(some)
        assert videos_on(page("/")) == []
        assert "media-src" not in policy


def test_the_policy_names_the_host_of_a_video_and_no_other(feed: Feed) -> None:
    page = feed.showing(HARMLESS)

    policies = [feed.client.get(path).headers["Content-Security-Policy"] for path in ("/", "/?open=instagram")]

    assert videos_on(page("/"))[0].startswith(f"{feed.instagram.url}/videos/")
    assert f"; media-src {feed.instagram.url}; " in policies[0]
    assert "media-src" not in policies[1]


@FREELY
@given(text=texts)
@example(text="</script><script>window.pwned=1</script>x")
@example(text="<!--<script>x")
def test_what_search_engines_read_is_the_text_and_stays_in_its_element(feed: Feed, text: str) -> None:
    feed.showing(text)
    response = feed.client.get("/")
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', response.text, re.DOTALL)

    assert block
    assert not set("<>&") & set(block[1])
    gallery = json.loads(block[1])
    assert gallery["name"] == as_kept(text)
    assert len(gallery["image"]) == 3
    assert all(OURS.fullmatch(image[name]) for image in gallery["image"] for name in ("contentUrl", "thumbnailUrl"))
