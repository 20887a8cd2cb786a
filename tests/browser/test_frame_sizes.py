"""The size that the oEmbed document gives a frame is the one that the embed has in a browser."""

import json
from html import unescape
from itertools import product
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

WIDTHS = (340, 500, 640, 800, 1140)

BROWSER_STEP = 1
"""Pixels: a browser rounds the height of each row to a 64th."""


def sizes(browser: Page, site: str, width: int, **options: object) -> tuple[int, float]:
    """The height in the document, and the height in the browser."""
    query = urlencode({"url": f"{site}/?{urlencode(options)}", "maxwidth": width})
    with urlopen(f"{site}/oembed?{query}") as response:
        found = json.load(response)
    browser.set_viewport_size({"width": found["width"], "height": 800})
    browser.goto(unescape(found["html"].split(' src="')[1].split('"')[0]), wait_until="domcontentloaded")
    browser.wait_for_function("width => innerWidth === width", arg=found["width"])
    return found["height"], browser.evaluate("document.documentElement.getBoundingClientRect().height")


@pytest.mark.parametrize("layout", ["grid", "carousel"])
@pytest.mark.parametrize("ratio", ["square", "portrait", "tall"])
def test_pictures_of_one_shape_are_exactly_as_high_as_said(page: Page, site: str, layout: str, ratio: str) -> None:
    page.route("**/media/**", lambda route: route.abort())
    for width, columns in product((340, 500, 800), ["", 5]):
        more = {"columns": columns, "gap": 20} if columns else {}
        said, real = sizes(page, site, width, layout=layout, ratio=ratio, **more)

        assert real - BROWSER_STEP < said <= real + 2, (width, columns)


@pytest.mark.parametrize(
    "options", [{"header": 1}, {"captions": 1}, {"header": 1, "captions": 1, "layout": "carousel"}]
)
def test_where_texts_decide_nothing_is_cut_off_and_little_is_empty(
    page: Page, site: str, options: dict[str, object]
) -> None:
    page.route("**/media/**", lambda route: route.abort())
    for width in WIDTHS:
        said, real = sizes(page, site, width, **options)

        assert real - BROWSER_STEP < said <= real + 100, width


def test_a_shown_part_of_the_feed_is_as_high_as_said(page: Page, site: str) -> None:
    page.route("**/media/**", lambda route: route.abort())
    for asked in ({"limit": 24}, {"limit": 7}, {"limit": 10, "page": 9}, {"limit": 1}, {"type": "video"}):
        said, real = sizes(page, site, 500, **asked)

        assert real - BROWSER_STEP < said <= real + 2, asked
