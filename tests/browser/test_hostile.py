"""What a browser makes of hostile texts: nothing runs, nothing is asked elsewhere, nothing bursts the layout."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request

from igfeed import create_app
from igfeed.accounts.directory import Accounts
from igfeed.background import in_place
from igfeed.clock import sleep, system_clock
from igfeed.config import Settings
from igfeed.owner.all_accounts import cron
from igfeed.services import Services, build
from tests.harness.app_server import serving
from tests.harness.hostile import ADDRESSES, EMOJI, TEXTS
from tests.servers.instagram import FakeInstagram, album, image, video

pytestmark = pytest.mark.browser

KINDS = (image, video, album)
MOST = 100
LINKED = 3
"""Of four posts the last has a link to Instagram that we take, and so has the last of all."""
WIDTHS = (320, 1280)
OUR_SCRIPTS = 3
"""For grid and opened posts; the third is JSON-LD on the page, and for WordPress in the embed."""
NAMES = {
    "markup": TEXTS[4],
    "everything": "".join(TEXTS),
    "emoji": EMOJI,
    "a long word": "W" * 2200,
    "bidi": "\u202e" * 50 + "x",
}
"""Names and biographies; the posts have all the texts, and in turn all the addresses."""

SHAPES = "[...document.querySelectorAll('.frame')].map(each => each.clientWidth / each.clientHeight)"
OVERFLOWING = """
[...document.querySelectorAll('body *')]
  .filter(each => !each.closest('.unseen') && each.getBoundingClientRect().right > innerWidth + 1)
  .map(each => each.tagName + '.' + each.className)
"""


TOUCH_EVERYTHING = """
document.addEventListener('click', event => event.preventDefault());
for (const each of document.querySelectorAll('*'))
  for (const name of ['click', 'mouseover', 'focus', 'error', 'load'])
    each.dispatchEvent(new Event(name, {bubbles: true, cancelable: true}))
"""
"""So that every handler that got onto the page would run, and no link is followed."""

OPEN_AND_TOUCH = """
document.querySelector('dialog').close();
document.querySelector('.tile > a').click();
for (const each of document.querySelectorAll('dialog *'))
  for (const name of ['mouseover', 'focus', 'error', 'load']) each.dispatchEvent(new Event(name));
"""


@dataclass
class Watched:
    """A page and what it must not do."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._request)
        self.page.on("console", self._console)
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", self._error)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _error(self, error: object) -> None:
        self.complaints.append(str(error))


@dataclass(frozen=True)
class HostileFeed:
    """A feed in which everything that a person can write is hostile."""

    url: str
    instagram: FakeInstagram
    services: Services

    def rename(self, text: str) -> None:
        """Everything that the profile says is this text from now on."""
        name = {"name": text, "biography": text, "website": text, "username": f"x{text[:60]}"}
        self.instagram.profile.update(name)
        self.services.feed.fetch()


@pytest.fixture(scope="module")
def hostile_feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileFeed]:
    with FakeInstagram(clock=system_clock) as instagram:
        instagram.picture_size = (48, 60)
        written = (TEXTS * 2)[:MOST]
        instagram.posts[:] = [
            KINDS[number % 3](
                caption=each,
                alt_text=each if number % 2 else None,
                permalink=ADDRESSES[number % len(ADDRESSES)]
                if number % 4 != LINKED
                else f"https://www.instagram.com/p/{each}",
            )
            for number, each in enumerate(written)
        ]
        environ = {
            "INSTAGRAM_API_URL": instagram.url,
            "INSTAGRAM_MEDIA_ORIGINS": instagram.url,
            "INSTAGRAM_ACCESS_TOKEN": instagram.issue(life=timedelta(days=60)),
            "IGFEED_STORE_PATH": str(tmp_path_factory.mktemp("hostile") / "store.sqlite3"),
            "IGFEED_POSTS": str(MOST),
        }
        services = build(Settings.from_env(environ), system_clock, in_place, sleep=sleep)
        # Its pictures too: a visitor who asks for a hundred new ones would get placeholders.
        cron.run(Accounts(services, set))
        with serving(create_app(services=services)) as port:
            yield HostileFeed(f"http://127.0.0.1:{port}", instagram, services)


@pytest.fixture(params=[False, True], ids=["with our policy", "without any policy"])
def watched(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Watched]:
    """Once without the Content-Security-Policy, which would hide that something got through.

    With less motion a post opens at once, not after a transition.
    """
    context = chromium.new_context(
        bypass_csp=request.param, viewport={"width": 320, "height": 800}, reduced_motion="reduce"
    )
    context.set_default_timeout(60_000)
    yield Watched(context.new_page())
    context.close()


def test_nothing_runs_nothing_is_asked_elsewhere_and_nothing_sticks_out(
    watched: Watched, hostile_feed: HostileFeed
) -> None:
    hostile_feed.rename(NAMES["everything"])
    for path in (f"/?captions=1&limit={MOST}", f"/embed?header=1&captions=1&columns=3&limit={MOST}"):
        touch_all_of(watched.page, hostile_feed.url + path, MOST)

        for width in WIDTHS:
            watched.page.set_viewport_size({"width": width, "height": 800})
            assert_in_shape(watched.page, width)
    assert_harmless(watched, hostile_feed.url)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_the_profile_says_nothing_runs_and_nothing_sticks_out(
    watched: Watched, hostile_feed: HostileFeed, name: str
) -> None:
    hostile_feed.rename(NAMES[name])
    the_last_post = f"limit=1&page={MOST}&columns=1"
    for path in (f"/?{the_last_post}", f"/embed?header=1&{the_last_post}"):
        touch_all_of(watched.page, hostile_feed.url + path, 1)

        for width in WIDTHS:
            watched.page.set_viewport_size({"width": width, "height": 800})
            assert_in_shape(watched.page, width)
        assert_links_lead_to_instagram_or_to_us(watched.page)
    assert_harmless(watched, hostile_feed.url)


def test_every_link_leads_to_instagram_or_to_us(page: Page, hostile_feed: HostileFeed) -> None:
    hostile_feed.rename(NAMES["everything"])

    page.goto(f"{hostile_feed.url}/?limit={MOST}")

    assert page.locator("[data-post-id]").count() == MOST
    assert_links_lead_to_instagram_or_to_us(page)


def touch_all_of(page: Page, address: str, posts: int) -> None:
    """Everything on the page and in each opened post. There is no more on it than with harmless texts."""
    page.goto(address)
    page.evaluate(TOUCH_EVERYTHING)
    assert page.locator("[data-post-id]").count() == posts
    assert page.evaluate("document.scripts.length") == OUR_SCRIPTS
    page.evaluate(OPEN_AND_TOUCH)
    assert page.locator("dialog .post").count() == posts
    assert page.evaluate("document.querySelectorAll('dialog b, dialog script, dialog svg').length") == 0
    assert page.evaluate("window.pwned") is None
    page.keyboard.press("Escape")


def assert_in_shape(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []
    assert {round(shape, 2) for shape in page.evaluate(SHAPES)} == {1.0}


def assert_links_lead_to_instagram_or_to_us(page: Page) -> None:
    hosts = page.evaluate("[...document.links].map(each => each.protocol + '//' + each.hostname)")

    assert set(hosts) <= {"https://www.instagram.com", "http://127.0.0.1"}
    assert page.evaluate(
        "[...document.links].every(each => each.target !== '_blank' || each.relList.contains('noopener'))"
    )


def assert_harmless(watched: Watched, site: str) -> None:
    assert all(url.startswith(site) for url in watched.asked)
    assert watched.complaints == []
    assert watched.dialogs == []
    assert watched.page.context.cookies() == []
