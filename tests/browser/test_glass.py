"""What is behind the embed shows through it, in Chromium and in Firefox, whatever colours the visitor's system has."""

import io
from typing import Protocol
from urllib.request import urlopen

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.conftest import PATIENCE, Host
from tests.harness.firefox import Firefox

pytestmark = pytest.mark.browser

WIDTH, HEIGHT, STEP = 240, 280, 300
OPTIONS = "limit=2&columns=2&gap=16&radius=24&theme={theme}"
GROUNDS = {
    "cream": ("light", "background: #f5ead7"),
    "night": ("dark", "background: #101820"),
    "a gradient": ("light", "background: linear-gradient(60deg, #f5ead7, #7fb2b5)"),
    "the night of a dark page": ("dark", "color-scheme: dark; background: #101820"),
}
"""Where a feed stands: the theme that its owner chose, and the style of its surroundings."""

WAYS = ("iframe", "script's frame", "script", "fragment")
PLACES = {
    "between two tiles": (120, 56),
    "a round corner": (1, 1),
    "beside the link below": (6, 150),
    "the foot": (120, HEIGHT - 2),
}
"""In pixels from the corner of a feed. At the foot the iframe is higher than its content."""

PICTURE = (56, 56)


class Window(Protocol):
    """What the test needs of a browser."""

    def set_scheme(self, scheme: str) -> None: ...

    def go(self, address: str) -> None: ...

    def evaluate(self, script: str) -> object: ...

    def screenshot(self) -> bytes: ...


SIZE = (1000, len(GROUNDS) * STEP)


class Chromium:
    def __init__(self, browser: Browser) -> None:
        context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]})
        context.set_default_timeout(PATIENCE)
        self._page = context.new_page()

    def set_scheme(self, scheme: str) -> None:
        self._page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    def go(self, address: str) -> None:
        self._page.goto(address)

    def evaluate(self, script: str) -> object:
        return self._page.evaluate(f"(() => {{ {script} }})()")

    def screenshot(self) -> bytes:
        return self._page.screenshot()


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def window(request: pytest.FixtureRequest) -> Window:
    if request.param == "chromium":
        return Chromium(request.getfixturevalue("chromium"))
    firefox: Firefox = request.getfixturevalue("firefox")
    firefox.resize(*SIZE)
    return firefox


def page_of_feeds(site: str) -> str:
    """A row for each ground, with the feed in frames and as a part of the page."""
    rows = ""
    for row, (theme, style) in enumerate(GROUNDS.values()):
        options = OPTIONS.format(theme=theme)
        shape = f"display: block; border: 0; width: {WIDTH}px; height: {HEIGHT}px; color-scheme: light"
        for column, feed in enumerate(
            (
                f'<iframe src="{site}/embed?{options}" style="{shape}"></iframe>',
                f'<script src="{site}/embed.js?{options}" data-frame></script>',
                f'<script src="{site}/embed.js?{options}"></script>',
                urlopen(f"{site}/fragment?{options}").read().decode(),
            )
        ):
            place = f"left: {column * 250}px; top: {row * STEP}px; width: 250px; height: {STEP}px"
            rows += (
                f'<div style="position: absolute; {place}; {style}"><div style="width: {WIDTH}px">{feed}</div></div>'
            )
    return f"<style>body {{ margin: 0 }}</style><body>{rows}"


def screen(window: Window) -> Image.Image:
    return Image.open(io.BytesIO(window.screenshot())).convert("RGB")


def pixels(image: Image.Image, place: tuple[int, int]) -> dict[str, object]:
    """The pixel at this place in each feed."""
    return {
        f"{way} on {ground}": image.getpixel((column * 250 + place[0], row * STEP + place[1]))
        for row, ground in enumerate(GROUNDS)
        for column, way in enumerate(WAYS)
    }


def screen_with_pictures(window: Window, bare: Image.Image) -> Image.Image:
    """The screen once every feed has a picture."""
    before = pixels(bare, PICTURE)
    while True:
        shown = screen(window)
        if all(seen != before[feed] for feed, seen in pixels(shown, PICTURE).items()):
            return shown
        window.evaluate("return new Promise(requestAnimationFrame)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_shows_through_everything_that_is_no_picture(
    window: Window, site: str, host: Host, scheme: str
) -> None:
    window.set_scheme(scheme)
    window.go(host(page_of_feeds(site)))
    window.evaluate("document.querySelectorAll('div > div').forEach(each => { each.style.opacity = 0 })")
    bare = screen(window)
    window.evaluate("document.querySelectorAll('div > div').forEach(each => { each.style.opacity = 1 })")
    shown = screen_with_pictures(window, bare)

    for name, place in PLACES.items():
        assert pixels(shown, place) == pixels(bare, place), name
