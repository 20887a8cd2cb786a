"""The feed in a post of a WordPress site, whose author has pasted the feed's address."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from werkzeug.wrappers import Response

from igfeed import create_app
from igfeed.models import Token
from igfeed.owner import choosing
from igfeed.services import Services
from tests.browser.conftest import frame, wait_until_it_fits
from tests.harness.app_server import serving
from tests.harness.wordpress import SCRIPT, SECRET, pasted
from tests.servers.instagram import FakeInstagram

pytestmark = pytest.mark.browser

COLUMN = "<style>article { max-width: 500px; margin: 0 auto; font: 1rem/1.5 Georgia }</style>"

MESSAGES = "const heard = []; addEventListener('message', ({data}) => heard.push(data))"

Blog = Callable[..., str]
"""Publishes a post with what is left of the pasted address, and gives the post's address."""


@pytest.fixture
def feed(services: Services, token: Token, instagram: FakeInstagram) -> Iterator[str]:
    """The address of a feed whose posts have permalinks of their own."""
    instagram.picture_size = (96, 120)
    app = create_app(services=services)
    app.test_client().get("/")
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def blog(page: Page) -> Iterator[Blog]:
    with ExitStack() as stack:

        def publish(address: str, script: str = f"<script>{SCRIPT}</script>", **more: Any) -> str:
            post = f"<article><p>Before {pasted(address, **more)} <p>After</article>"
            head = f"<!doctype html><html lang=en><title>Post</title>{COLUMN}<script>{MESSAGES}</script>"
            html = f"{head}<body>{post}{script}"
            return f"http://localhost:{stack.enter_context(serving(Response(html, mimetype='text/html')))}/"

        yield publish


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the console says of errors in any frame."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def tiles(page: Page) -> Locator:
    return frame(page).locator(".tile")


@pytest.mark.fresh_page
def test_the_feed_takes_the_place_of_the_quote_in_its_real_height(
    page: Page, feed: str, blog: Blog, complaints: list[str]
) -> None:
    page.goto(blog(f"{feed}?columns=3&limit=9"))
    expect(tiles(page)).to_have_count(9)
    wait_until_it_fits(page, at_least=300)

    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    expect(page.locator("iframe")).to_be_visible()
    expect(page.locator("blockquote")).to_be_hidden()
    loaded = "all => Promise.all(all.map(each => each.decode().then(() => each.naturalWidth > 0)))"
    assert all(frame(page).locator(".tile img").evaluate_all(loaded)), "pictures of ours in a sandbox"
    assert complaints == []


def test_a_site_whose_script_runs_after_the_frame_has_loaded_hears_the_height_too(
    page: Page, feed: str, blog: Blog
) -> None:
    asked: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route)

    page.route("**/late.js", hold)
    page.goto(blog(feed, "<script defer src=/late.js></script>"), wait_until="commit")
    page.wait_for_function("heard.some(each => each.message == 'height')")
    expect(page.locator("iframe")).to_be_hidden()

    asked[0].fulfill(body=SCRIPT, content_type="text/javascript")
    expect(page.locator("iframe")).to_be_visible()
    wait_until_it_fits(page, at_least=300)


@pytest.mark.fresh_page
def test_a_post_opens_in_the_sandbox_and_its_link_leads_to_that_post(
    page: Page, feed: str, blog: Blog, instagram: FakeInstagram, complaints: list[str]
) -> None:
    page.goto(blog(f"{feed}?limit=6"))
    box = frame(page).get_by_role("dialog")
    tiles(page).nth(3).locator("a").click()
    expect(box).to_be_visible()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    assert complaints == []

    tiles(page).nth(3).locator("a").click()
    post = instagram.posts[3]
    gone = leaving(page, box.locator(f"a[href='{post['permalink']}']").last)
    assert gone == (f"{feed}go/{post['id']}", post["permalink"])


@pytest.mark.fresh_page
def test_the_owners_link_is_the_first_button_of_an_opened_post_and_leads_there_from_the_sandbox_too(
    page: Page, services: Services, feed: str, blog: Blog, instagram: FakeInstagram, complaints: list[str]
) -> None:
    shop, post = "https://shop.example/?loaf=1&size=2", instagram.posts[1]
    choosing.set_link(services, post["id"], shop, "Buy a loaf")
    page.goto(blog(f"{feed}?limit=6"))
    box = frame(page).get_by_role("dialog")

    tiles(page).nth(1).locator("a").click()

    own, theirs = box.locator(".own"), box.locator(".own + .go")
    expect(own).to_have_accessible_name("Buy a loaf")
    theirs.scroll_into_view_if_needed()
    first, second = own.bounding_box(), theirs.bounding_box()
    assert first is not None
    assert second is not None
    assert first["height"] >= 44
    assert first["y"] + first["height"] < second["y"]
    assert complaints == []
    assert leaving(page, own, "https://shop.example/**") == (f"{feed}go/{post['id']}-link", shop)


def leaving(page: Page, link: Locator, to: str = "https://www.instagram.com/**") -> tuple[str, str]:
    """Where the click sends the whole page, and where that address redirects to."""
    with page.expect_request(to) as last:
        link.click()
    first = last.value.redirected_from
    assert first is not None
    assert first.is_navigation_request()
    return first.url, last.value.url


def test_posts_that_open_on_instagram_are_gone_to_by_way_of_our_own_host(
    page: Page, feed: str, blog: Blog, instagram: FakeInstagram
) -> None:
    page.goto(blog(f"{feed}?open=instagram&limit=6"))

    gone = leaving(page, tiles(page).nth(2).locator("a"))

    assert gone == (f"{feed}go/{instagram.posts[2]['id']}", instagram.posts[2]["permalink"])


def test_the_link_to_the_account_leads_there(page: Page, feed: str, blog: Blog) -> None:
    page.goto(blog(f"{feed}?header=1&limit=3"))

    gone = leaving(page, frame(page).get_by_role("link", name="Follow on Instagram"))

    assert gone == (f"{feed}go/profile", "https://www.instagram.com/studio.nord/")


@pytest.mark.fresh_page
def test_older_posts_come_in_place_and_the_frame_grows_to_what_wordpress_allows(
    page: Page, feed: str, blog: Blog, complaints: list[str]
) -> None:
    page.goto(blog(f"{feed}?columns=3&limit=3"))
    frame(page).get_by_role("link", name="Older posts").click()
    expect(tiles(page)).to_have_count(6)
    wait_until_it_fits(page, at_least=300)
    for count in (9, 12, 15, 18, 21, 24):
        frame(page).get_by_role("link", name="Older posts").click()
        expect(tiles(page)).to_have_count(count)
    expect(page.locator("iframe")).to_have_attribute("height", "1000")
    assert complaints == []


def test_where_older_posts_cannot_be_read_their_page_takes_the_place_of_this_one(
    page: Page, feed: str, blog: Blog
) -> None:
    page.goto(blog(f"{feed}?columns=4&limit=16"))
    page.route(
        "**/embed?*page=2*",
        lambda route: route.abort() if route.request.resource_type == "fetch" else route.continue_(),
    )
    frame(page).get_by_role("link", name="Older posts").click()
    frame(page).get_by_role("link", name="Newer posts").wait_for()
    wait_until_it_fits(page, at_least=200)

    frame(page).get_by_role("link", name="Newer posts").click()
    expect(frame(page).get_by_role("link", name="Newer posts")).to_have_count(0)
    wait_until_it_fits(page, at_least=200)
    assert page.evaluate("[...new Set(heard.map(each => each.secret))].filter(Boolean)") == [SECRET]


def test_elsewhere_nothing_is_said_in_wordpress_words(page: Page, feed: str, blog: Blog) -> None:
    address = blog(feed)
    page.goto(address)
    page.evaluate("src => { heard.length = 0; document.querySelector('iframe').src = src }", f"{feed}embed")
    page.wait_for_function("heard.some(each => each.igfeed)")

    assert page.evaluate("heard.filter(each => each.message)") == []
