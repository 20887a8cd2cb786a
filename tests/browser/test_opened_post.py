"""What an opened post shows and where: picture, dots, profile, facts, links; and how it comes and goes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from playwright.sync_api import FrameLocator, Page, Route, expect

from tests.browser.conftest import Host, tag

pytestmark = pytest.mark.browser

SIZES = [(390, 664), (375, 553), (820, 1180), (667, 375), (1280, 800)]

OFF_CENTRE = """
async post => {
  const image = post.querySelector('img');
  await image.decode().catch(() => image.decode());  // The large picture may have taken the tile's place meanwhile.
  const [whole, text, box] = ['', '.text', '.shot'].map(part =>
    (part ? post.querySelector(part) : post).getBoundingClientRect());
  const {paddingTop} = getComputedStyle(image);
  const isBeside = text.left >= box.right - 1;
  const room = {left: whole.left, right: isBeside ? text.left : whole.right};
  const picture = image.getBoundingClientRect();
  return [
    (picture.left + picture.right) / 2 - (room.left + room.right) / 2,
    (picture.top + picture.bottom) / 2 - (box.top + box.bottom) / 2,
    Math.min(picture.width, picture.height) > 2 * parseFloat(paddingTop) + 200 ? 0 : 99,
  ].map(Math.abs);
}
"""
"""How far the picture's middle is from that of its room, in pixels; and 99 if it is small."""

LARGE = "**/media/*-1080.avif"


def open_post(page: Page | FrameLocator, place: int) -> None:
    page.locator(".tile > a").nth(place).click()
    expect(page.locator("dialog .bar p")).to_contain_text(f"{place + 1} / ")


@pytest.mark.parametrize("place", [0, 1], ids=["photo", "album"])
def test_the_picture_is_in_the_middle_on_every_screen(page: Page, site: str, place: int) -> None:
    page.goto(f"{site}/?limit=4")
    open_post(page, place)
    post = page.locator(".post").nth(place)

    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert max(post.evaluate(OFF_CENTRE)) <= 1, (width, height)


@pytest.mark.parametrize("width", [350, 700])
def test_the_picture_is_in_the_middle_of_a_frame(page: Page, site: str, host: Host, width: int) -> None:
    page.set_viewport_size({"width": 800, "height": 700})
    page.goto(host(f'<body><iframe src="{site}/embed?limit=6" style="width:{width}px;height:560px;border:0"></iframe>'))
    inner = page.frame_locator("iframe")
    inner.locator(".tile > a").nth(1).press("Enter")
    expect(inner.locator("dialog .bar p")).to_contain_text("2 / ")

    assert max(inner.locator(".post").nth(1).evaluate(OFF_CENTRE)) <= 1


@contextmanager
def hanging(page: Page) -> Iterator[list[Route]]:
    """Large pictures get no answer until the ``with`` block ends."""
    held: list[Route] = []
    page.route(LARGE, lambda route: held.insert(0, route))
    yield held
    for route in held:
        route.continue_()


def test_until_the_large_picture_is_there_the_tiles_picture_is_shown(page: Page, site: str) -> None:
    with hanging(page) as held:
        page.goto(f"{site}/?limit=3")
        page.wait_for_function("() => document.querySelector('.tile img').complete")
        open_post(page, 0)
        image = page.locator(".post").first.locator("img")

        shown = image.evaluate("image => [image.naturalWidth > 0, image.currentSrc]")
        assert shown == [True, page.locator(".tile img").first.evaluate("image => image.currentSrc")]
        assert held
    expect(image).to_have_attribute("src", re.compile("-1080.avif"))


def test_where_the_large_picture_fails_the_tiles_picture_stays(page: Page, site: str) -> None:
    page.route(LARGE, lambda route: route.abort())
    page.goto(f"{site}/?limit=3")
    page.wait_for_function("() => document.querySelector('.tile img').complete")
    with page.expect_event("requestfailed", lambda request: "-1080" in request.url):
        open_post(page, 0)

    assert page.locator(".post img").first.evaluate("image => image.naturalWidth") > 0


def test_an_opened_post_says_whose_it_is_when_and_how_much_it_was_liked(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=4")
    open_post(page, 3)
    post, bar = page.locator(".post").nth(3), page.locator(".bar")

    profile = bar.get_by_role("link", name="Studio Nord @studio.nord")
    expect(profile).to_have_attribute("href", "https://www.instagram.com/studio.nord/")
    assert bar.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    expect(post.locator(".facts")).to_contain_text("441 likes")
    expect(post.locator(".facts")).to_contain_text("21 comments")
    expect(post.locator("time")).to_be_visible()
    button = post.get_by_role("link", name="View on Instagram")
    assert button.evaluate("link => [link.target, link.rel, link.offsetHeight >= 44]") == ["_blank", "noopener", True]


def test_hashtags_of_a_caption_are_links(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=4")
    open_post(page, 3)

    tag = page.locator(".post").nth(3).get_by_role("link", name="#screenprint")
    expect(tag).to_have_attribute("href", "https://www.instagram.com/explore/tags/screenprint/")
    assert tag.evaluate("link => [link.target, link.rel]") == ["_blank", "noopener"]


def test_a_missing_caption_leaves_no_hole_and_a_caption_has_more_air_above_than_below(page: Page, site: str) -> None:
    page.goto(f"{site}/?limit=8")
    open_post(page, 7)
    gap = "([above, below]) => below.getBoundingClientRect().top - above.getBoundingClientRect().bottom"

    def gap_between(place: int, above: str, below: str) -> float:
        elements = [page.locator(".post").nth(place).locator(each).element_handle() for each in (above, below)]
        return float(page.evaluate(gap, elements))

    assert page.locator(".post").nth(7).locator(".caption").count() == 0
    assert gap_between(7, ".stage", ".facts") == gap_between(0, ".stage", ".caption")
    assert gap_between(0, ".stage", ".caption") > gap_between(0, ".caption", ".facts") > 0


def test_the_dots_tell_which_picture_of_an_album_is_shown_and_lead_to_the_others(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=4")
    open_post(page, 1)
    post = page.locator(".post").nth(1)
    dots = post.locator(".pager i")
    is_on = "dots => dots.map(dot => dot.className)"

    assert dots.evaluate_all(is_on) == ["on", "", ""]
    dots.nth(2).click()
    expect(dots.nth(2)).to_have_class("on")
    assert dots.evaluate_all(is_on) == ["", "", "on"]
    post.locator(".shots").evaluate("shots => shots.scrollTo({left: shots.clientWidth, behavior: 'instant'})")
    expect(dots.nth(1)).to_have_class("on")
    assert page.locator(".post").first.locator(".pager").count() == 0


def test_the_arrows_are_at_the_sides_of_the_picture_and_go_with_it(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 390, "height": 664})
    page.goto(f"{site}/?limit=4")
    open_post(page, 3)
    following, stage = page.get_by_role("button", name="Previous post"), page.locator(".post").nth(3).locator(".stage")
    off = "([arrow, stage]) => ([arrow, stage] = [arrow, stage].map(each => each.getBoundingClientRect()), " \
        "(arrow.top + arrow.bottom - stage.top - stage.bottom) / 2)"  # fmt: skip
    both = [following.element_handle(), stage.element_handle()]

    assert abs(page.evaluate(off, both)) <= 1
    page.locator(".post").nth(3).evaluate("post => new Promise(done => { post.onscroll = () => "
        "requestAnimationFrame(done); post.scrollTop = 200; })")  # fmt: skip
    assert abs(page.evaluate(off, both)) <= 1


STARTED = """
window.started = 0;
const start = document.startViewTransition;
document.startViewTransition = function (...all) { started++; return start.apply(this, all); };
"""


@pytest.mark.fresh_page
@pytest.mark.parametrize(("motion", "times"), [("no-preference", 2), ("reduce", 0)])
def test_opening_and_closing_move_unless_less_motion_is_asked_for(
    page: Page, site: str, motion: Literal["no-preference", "reduce"], times: int
) -> None:
    page.emulate_media(reduced_motion=motion)
    page.add_init_script(STARTED)
    page.goto(f"{site}/embed?limit=3")
    open_post(page, 0)
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()

    assert page.evaluate("started") == times


@pytest.mark.fresh_page
def test_a_transition_that_is_cut_short_leaves_no_error_and_no_name(page: Page, site: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.emulate_media(reduced_motion="no-preference")
    page.goto(f"{site}/embed?limit=3")

    page.evaluate("""async () => {
      const [box, link] = ['dialog', '.tile > a'].map(each => document.querySelector(each));
      link.click();
      link.click();
      await document.startViewTransition(() => {}).finished;
      box.dispatchEvent(new Event('cancel', {cancelable: true}));
      box.querySelector('.close').click();
      await document.startViewTransition(() => {}).finished;
    }""")
    expect(page.locator("dialog")).to_be_hidden()

    assert page.evaluate("[...document.querySelectorAll('[style*=view]')].length") == 0
    assert errors == []


@pytest.mark.fresh_page
def test_where_the_browser_knows_no_transitions_posts_open_and_close(page: Page, site: str) -> None:
    page.emulate_media(reduced_motion="no-preference")
    page.add_init_script("delete Document.prototype.startViewTransition")
    page.goto(f"{site}/embed?limit=3")
    open_post(page, 1)
    page.get_by_role("button", name="Close").click()

    expect(page.locator("dialog")).to_be_hidden()


PLAYS = """
video => new Promise((done, fail) => {
  video.ontimeupdate = () => video.currentTime > 0 && done(true);
  video.onerror = () => fail(video.error);
})
"""


@pytest.mark.parametrize("how", ["page", "inside a page"])
def test_a_video_of_the_sample_account_plays_and_its_button_says_from_where(
    page: Page, site: str, host: Host, how: str
) -> None:
    page.goto(f"{site}/?limit=3" if how == "page" else host(f"<body>{tag(site, 'data-limit=3')}"))
    open_post(page, 2)

    page.locator(".post").nth(2).get_by_role("button", name="Play from Instagram").click()

    assert page.locator("video").evaluate(PLAYS)
    assert page.locator(".gone").first.is_hidden()
