"""The tiles of the grid and the header above them, as somebody sees them."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from igfeed.widget.theme import contrast
from tests.browser.conftest import PATIENCE, park_pointer

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "static"
GREYS = ("#ffffff", "#888888", "#000000")
PLACES = (
    "[...document.querySelectorAll('.tile, .frame')].map(each => Object.values(each.getBoundingClientRect().toJSON()))"
)
LEFT_EDGES = """
['.portrait', '.counts', '.biography', '.follow', '.grid', '.frame']
  .map(each => document.querySelector(each).getBoundingClientRect().left)
"""
SHOWN = "Promise.all([...document.querySelectorAll('.grid img')].map(image => image.decode()))"


def show_only(page: Page, colour: str) -> None:
    """From now on every picture has this colour."""
    file = BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")

    def answer(route: Route) -> None:
        route.fulfill(content_type="image/png", body=file.getvalue())

    page.route("**/media/*", answer)


def pixels(place: Locator) -> Image.Image:
    return Image.open(BytesIO(place.screenshot())).convert("RGB")


def pixel(image: Image.Image, x: float, y: float) -> str:
    """The colour there. ``x`` and ``y`` are shares of the width and the height."""
    return f"#{bytes(image.getpixel((int(x * image.width), int(y * image.height)))).hex()}"  # type: ignore[arg-type]


@pytest.mark.parametrize("colour", GREYS)
def test_the_marks_of_albums_and_reels_are_visible_on_every_picture(page: Page, site: str, colour: str) -> None:
    show_only(page, colour)
    page.goto(f"{site}/embed?limit=3")
    page.evaluate(SHOWN)

    for mark in page.locator(".badge").all():
        image = pixels(mark)
        greys = image.convert("L").tobytes()
        assert contrast("#ffffff", pixel(image, 0.5, 0.12)) >= 4.5, "the ground of the mark, above its sign"
        assert sum(grey > 240 for grey in greys) > 0.05 * len(greys), "the sign itself"


def test_the_first_line_and_the_counts_show_under_the_pointer_and_on_focus_and_move_nothing(
    page: Page, site: str
) -> None:
    show_only(page, "#ffffff")
    page.goto(f"{site}/embed?limit=4&columns=2")
    park_pointer(page)
    page.evaluate(SHOWN)
    before = page.evaluate(PLACES)
    (first, *_, last), lines = page.locator(".tile > a").all(), page.locator(".glance")
    expect(page.locator(".glance:visible")).to_have_count(0)

    last.hover()
    expect(lines.last).to_have_css("opacity", "1")
    assert lines.last.inner_text().startswith("Twelve months of work in one frame: this is the first proof")
    assert lines.last.locator("i").all_inner_texts() == ["441", "21"]
    assert contrast("#ffffff", pixel(pixels(lines.last), 0.02, 0.5)) >= 4.5, "behind the text"
    page.keyboard.press("Tab")
    expect(first.locator(".glance")).to_have_css("opacity", "1")

    assert page.evaluate(PLACES) == before
    assert "441" not in last.aria_snapshot()
    assert "Lights on" not in first.aria_snapshot()


def test_nothing_lies_over_the_pictures_on_a_touch_screen(chromium: Browser, site: str) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{site}/embed?limit=3&open=instagram")
    page.locator(".tile > a").first.hover()

    assert page.evaluate("document.querySelector('.tile > a').matches(':hover')")
    assert page.locator(".glance:visible").count() == 0
    context.close()


def test_on_phones_the_counts_are_one_line_and_header_and_grid_have_one_edge(page: Page, site: str) -> None:
    page.goto(f"{site}/?limit=3")
    for width in (360, 390, 430):
        page.set_viewport_size({"width": width, "height": 800})

        box = page.locator(".counts").bounding_box()
        assert box
        assert box["height"] < 40, "one line has 26 pixels"
        assert len(set(page.evaluate(LEFT_EDGES))) == 1


@pytest.mark.parametrize("name", ["no-picture.svg", "film.svg"])
def test_a_placeholder_is_the_colour_of_its_tile_with_one_icon(page: Page, site: str, name: str) -> None:
    body = (STATIC / name).read_text("utf-8")
    page.route("**/media/*", lambda route: route.fulfill(status=503, content_type="image/svg+xml", body=body))
    page.goto(f"{site}/embed?limit=1&columns=1&ratio=portrait")
    park_pointer(page)
    page.evaluate(SHOWN)
    frame = page.locator(".frame")
    frame.evaluate("frame => frame.querySelector('svg')?.remove()")
    for colour in GREYS:
        frame.evaluate("(frame, colour) => { frame.style.background = colour }", colour)
        image = pixels(frame)
        _, top, _, bottom = image.convert("L").point(lambda grey: 255 if grey > 250 else 0).getbbox() or (0, 0, 0, 0)

        assert {pixel(image, x, y) for x in (0, 0.25, 0.75, 0.99) for y in (0, 0.25, 0.75, 0.99)} == {colour}
        assert contrast("#ffffff", pixel(image, 0.5, 0.435)) >= 3, "the ground of the icon, above its sign"
        assert colour == "#ffffff" or 0 < bottom - top < 0.15 * image.height, "the sign itself"
