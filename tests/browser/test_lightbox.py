"""A post opened on the page: by keyboard and by pointer, with album, video and caption."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from igfeed import create_app
from igfeed.background import in_place
from igfeed.clock import sleep, system_clock
from igfeed.config import Settings
from igfeed.services import build
from tests.browser.conftest import PATIENCE, Host
from tests.harness.app_server import serving
from tests.servers.instagram import FakeInstagram, album, child_image, image, video

pytestmark = pytest.mark.browser

FOCUSED = "document.activeElement.ariaLabel"
FOCUSED_POST = "document.activeElement.closest('[data-post-id]')?.dataset.postId"
IS_INSIDE = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
CLICK = """
(keys) => new Promise(done => {
  addEventListener('click', event => { done(event.defaultPrevented); event.preventDefault(); }, {once: true});
  document.querySelector('.tile > a').dispatchEvent(
    new MouseEvent('click', {bubbles: true, cancelable: true, ...keys}));
})
"""
"""Whether a click on the first post was taken by the page."""


def shown(page: Page) -> str:
    """Which post of how many is seen."""
    return page.locator("dialog .bar p").inner_text()


def test_the_keyboard_walks_through_grid_and_lightbox_and_back(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=4")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    opened_from = page.evaluate(FOCUSED_POST)
    page.keyboard.press("Enter")
    status = page.locator("dialog .bar p")

    expect(status).to_have_text("2 / 4")
    assert page.evaluate(FOCUSED) == "Close"
    page.keyboard.press("ArrowRight")
    expect(status).to_have_text("3 / 4")
    page.keyboard.press("ArrowLeft")
    expect(status).to_have_text("2 / 4")
    for _ in range(9):
        page.keyboard.press("Tab")
        assert page.evaluate(IS_INSIDE)
    page.keyboard.press("Escape")

    expect(page.locator("dialog")).to_be_hidden()
    assert page.evaluate(FOCUSED_POST) == opened_from


def test_only_the_post_that_is_seen_can_be_reached(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=4")
    page.locator(".tile > a").nth(1).click()
    expect(page.locator("dialog .bar p")).to_have_text("2 / 4")
    page.get_by_role("button", name="Next post").click()
    expect(page.locator("dialog .bar p")).to_have_text("3 / 4")

    assert page.locator(".post").evaluate_all("all => all.map(each => each.inert)") == [True, True, False, True]


def test_at_both_ends_the_buttons_say_that_there_is_no_more(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=2")
    page.locator(".tile > a").first.click()
    previous, following = (page.get_by_role("button", name=f"{name} post") for name in ("Previous", "Next"))

    expect(previous).to_have_attribute("aria-disabled", "true")
    expect(following).to_have_attribute("aria-disabled", "false")
    following.click()
    expect(following).to_have_attribute("aria-disabled", "true")
    following.click(force=True)
    assert shown(page) == "2 / 2"


def test_an_album_is_leafed_through_by_buttons_and_by_arrow_keys_of_its_own(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=4")
    page.locator(".tile > a").nth(1).click()
    shots = page.locator(".post:not([inert]) .shots")
    offset = "shots => Math.round(shots.scrollLeft / shots.clientWidth)"
    where = "place => { const s = document.querySelector('.post:not([inert]) .shots'); return s && " \
        "Math.abs(s.scrollLeft / s.clientWidth - place) < .01 }"  # fmt: skip

    page.get_by_role("button", name="Next picture").click()
    page.wait_for_function(where, arg=1)
    page.get_by_role("button", name="Next picture").click()
    page.wait_for_function(where, arg=2)
    shots.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(where, arg=1)

    assert shots.evaluate(offset) == 1
    assert shown(page) == "2 / 4"
    assert shots.get_by_role("img").nth(1).get_attribute("alt").endswith("(2/3)")  # type: ignore[union-attr]


def test_an_albums_buttons_say_where_it_ends(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=4")
    page.locator(".tile > a").nth(1).click()
    back, on = page.get_by_role("button", name="Previous picture"), page.get_by_role("button", name="Next picture")

    expect(back).to_have_attribute("aria-disabled", "true")
    expect(on).to_have_attribute("aria-disabled", "false")
    page.locator(".post:not([inert]) .shots").evaluate("shots => shots.scrollTo({left: 9999, behavior: 'instant'})")
    expect(back).to_have_attribute("aria-disabled", "false")
    expect(on).to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize(
    ("size", "is_beside"), [((820, 1180), False), ((1180, 820), True), ((390, 844), False)], ids=str
)
def test_the_text_is_beside_the_picture_where_there_is_width_for_both(
    page: Page, site: str, size: tuple[int, int], is_beside: bool
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{site}/?limit=4")
    page.locator(".tile > a").first.click()

    stage, text = (page.locator(f".post:not([inert]) {part}").bounding_box() for part in (".stage", ".text"))

    assert stage
    assert text
    assert (text["x"] >= stage["x"] + stage["width"] - 1) is is_beside


SCREENS = [(320, 568), (360, 640), (390, 844), (500, 700), (600, 560), (667, 375), (700, 500), (735, 600)]
SCREENS += [(768, 1024), (820, 1180), (844, 390), (1024, 768), (1180, 820), (1440, 900)]
MARGINS = """
post => {
  const [whole, stage, text] = ['', ' .stage', ' .text'].map(part =>
    (part ? post.querySelector(part) : post).getBoundingClientRect());
  const isBeside = text.left >= stage.right - 1;
  const end = isBeside ? text.left : whole.right;
  return {sides: [stage.left - whole.left, end - stage.right], above: stage.top - whole.top,
    share: stage.height / whole.height, isApart: isBeside || text.top >= stage.bottom - 1,
    below: isBeside ? whole.bottom - stage.bottom : Math.max(0, whole.bottom - text.bottom)};
}
"""
"""What is left blank around the picture's ground, in pixels, and how much of the height that ground has."""


def assert_well_placed(margins: dict[str, Any]) -> None:
    assert [round(side) for side in margins["sides"]] == [0, 0]
    assert round(margins["above"]) == round(margins["below"]) == 0
    assert margins["isApart"]
    assert margins["share"] > 0.6


def opened(page: Page | FrameLocator, place: int) -> Locator:
    """A post of the lightbox, after a click on its tile."""
    page.locator(".tile > a").nth(place).click()
    post = page.locator(".post").nth(place)
    expect(post).not_to_have_attribute("inert", "")
    return post


@pytest.mark.parametrize("place", [1, 3, 7], ids=["album", "long caption", "no caption"])
def test_an_opened_post_fills_every_screen_from_edge_to_edge(page: Page, site: str, place: int) -> None:
    page.goto(f"{site}/?limit=8")
    post = opened(page, place)

    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        assert_well_placed(post.evaluate(MARGINS))


@pytest.mark.parametrize("width", [400, 500, 600, 735])
def test_an_opened_post_fills_a_frame_from_edge_to_edge(page: Page, site: str, host: Host, width: int) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(host(f'<body><iframe src="{site}/embed?limit=9" style="width:{width}px;height:700px;border:0"></iframe>'))

    assert_well_placed(opened(page.frame_locator("iframe"), 1).evaluate(MARGINS))


def test_beside_or_below_is_decided_by_the_opened_post_and_not_by_a_high_frame(
    page: Page, site: str, host: Host
) -> None:
    page.set_viewport_size({"width": 1100, "height": 800})
    frame = f'<iframe src="{site}/embed?limit=24" style="width:1000px;height:1600px;border:0"></iframe>'
    page.goto(host(f'<body style="margin:0">{frame}'))
    post = opened(page.frame_locator("iframe"), 1)

    stage, text = (post.locator(part).bounding_box() for part in (".stage", ".text"))
    assert stage
    assert text
    assert text["x"] >= stage["x"] + stage["width"] - 1


@pytest.mark.parametrize("key", ["ctrlKey", "metaKey", "shiftKey", "altKey"])
def test_who_asks_for_another_tab_gets_it(page: Page, site: str, key: str) -> None:
    page.goto(f"{site}/embed?limit=1")

    assert page.evaluate(CLICK, {key: True}) is False
    assert page.evaluate(CLICK, {}) is True


def test_open_on_instagram_means_links_and_nothing_that_takes_them(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?open=instagram")

    assert page.locator("dialog, template").count() == 0
    assert page.evaluate(CLICK, {}) is False
    described = page.locator(".tile > a").first.get_attribute("aria-describedby")
    assert page.locator(f"#{described}").text_content() == "Opens on Instagram in a new tab"


def test_opened_posts_follow_the_rotation_of_the_phone(page: Page, site: str) -> None:
    page.goto(f"{site}/?limit=4")
    page.locator(".tile > a").nth(2).click()
    expect(page.locator("dialog .bar p")).to_have_text("3 / 4")
    page.set_viewport_size({"width": 844, "height": 390})

    page.wait_for_function("() => document.querySelector('dialog').clientWidth === 844")
    page.wait_for_function(
        "() => Math.abs(document.querySelector('.track').children[2].getBoundingClientRect().left) < 1 && "
        "!document.querySelector('.track').children[2].inert"
    )
    assert shown(page) == "3 / 4"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeInstagram, str]]:
    """An account with a video, an album with one, and a picture; and the address of its feed."""
    with FakeInstagram(clock=system_clock) as instagram:
        instagram.picture_size = (96, 120)
        moving = {"media_type": "VIDEO", "media_url": "/videos/9.mp4", "thumbnail_url": "/pictures/9.jpg", "id": "9"}
        instagram.posts[:] = [video(caption="One\n\nTwo"), album([child_image(), moving]), image()]
        environ = {
            "INSTAGRAM_API_URL": instagram.url,
            "INSTAGRAM_MEDIA_ORIGINS": instagram.url,
            "INSTAGRAM_ACCESS_TOKEN": instagram.issue(life=timedelta(days=60)),
            "IGFEED_STORE_PATH": str(tmp_path_factory.mktemp("videos") / "store.sqlite3"),
        }
        services = build(Settings.from_env(environ), system_clock, in_place, sleep=sleep)
        services.feed.fetch()
        with serving(create_app(services=services)) as port:
            yield instagram, f"http://127.0.0.1:{port}"


@pytest.mark.fresh_page
@pytest.mark.parametrize("post", [0, 1])
def test_a_video_is_asked_for_on_a_press_and_where_it_fails_there_are_words_and_a_link(
    page: Page, account: tuple[FakeInstagram, str], post: int
) -> None:
    instagram, address = account
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/videos/*", lambda route: route.fulfill(status=403, body="URL signature expired"))
    page.goto(address)
    page.locator(".tile > a").nth(post).click()
    opened = page.locator(".post:not([inert])")
    play = opened.get_by_role("button", name="Play from Instagram")
    expect(play).to_have_count(1)
    before = [url for url in asked if "/videos/" in url]

    play.press("Enter")

    expect(opened.locator(".gone")).to_be_visible()
    expect(opened.locator(".gone")).to_contain_text("This video cannot be played here any more.")
    assert before == []
    assert next(url for url in asked if "/videos/" in url).startswith(f"{instagram.url}/videos/")
    focused = page.evaluate("document.activeElement.href")
    assert focused == instagram.posts[post]["permalink"]


def test_a_caption_keeps_its_lines(page: Page, account: tuple[FakeInstagram, str]) -> None:
    page.goto(account[1])
    page.locator(".tile > a").first.click()

    assert page.locator(".post:not([inert]) .caption").inner_text() == "One\n\nTwo"


def test_it_stays_readable_in_forced_colours_and_still_without_motion(chromium: Browser, site: str) -> None:
    context = chromium.new_context(
        viewport={"width": 320, "height": 640}, forced_colors="active", reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{site}/?limit=4")
    page.locator(".tile > a").nth(1).click()
    expect(page.locator("dialog .bar p")).to_have_text("2 / 4")

    assert page.locator(".track").evaluate("track => getComputedStyle(track).scrollBehavior") == "auto"
    close = page.get_by_role("button", name="Close")
    assert close.evaluate("button => getComputedStyle(button).borderTopWidth") == "1px"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for button in page.locator("dialog button:visible").all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44
    close.click()
    expect(page.locator("dialog")).to_be_hidden()
    context.close()
