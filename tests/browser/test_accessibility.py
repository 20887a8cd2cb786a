"""What axe-core finds on everything that a visitor can meet: nothing, in any of its rules, best practices included."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from igfeed import create_app
from igfeed.background import in_place
from igfeed.clock import sleep, system_clock
from igfeed.config import Settings
from igfeed.services import build
from tests.browser.conftest import Host, box, park_pointer, tag
from tests.harness.app_server import serving
from tests.servers.instagram import FakeInstagram, album, image, reel

pytestmark = pytest.mark.browser

FEEDS = ("/?", "/?captions=1&page=2", "/embed?", "/embed?header=1&captions=1", "/embed?layout=carousel&captions=1")
LAYOUTS = ("/?layout=masonry&captions=1", "/embed?layout=highlight&background=777&color=888")
SIX_POSTS = "&limit=6"
"""Every kind of post. More of them are more of the same to axe."""
MEDIA: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
    "dark forced colours": {"forced_colors": "active", "color_scheme": "dark"},
}
OPTIONS: dict[str, Any] = {"resultTypes": ["violations"]}
NO_COLOURS: dict[str, Any] = {**OPTIONS, "rules": {"color-contrast": {"enabled": False}}}
"""In forced colours the visitor's own are painted, but axe reads -webkit-text-fill-color, which stays the page's."""
AXE = Axe()
RUN_AXE = "options => axe.run(options).then(results => results.violations)"
"""Only what it found: all that it looked at besides takes longer to hand over than to look at."""
FORCED = "matchMedia('(forced-colors: active)').matches"
PICTURES_SHOWN = "Promise.all([...document.images].map(image => { image.loading = 'eager'; return image.decode() }))"


@pytest.fixture(scope="module")
def undescribed_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One whose owner writes captions of one sentence, and no alternative texts."""
    with FakeInstagram(clock=system_clock) as instagram:
        instagram.picture_size = (48, 60)
        captions = ("Lights on.", "Three pots.", "Northern lights.", None)
        makers = (image, album, reel, image)
        instagram.posts[:] = [make(caption=caption) for make, caption in zip(makers, captions, strict=True)]
        environ = {
            "INSTAGRAM_API_URL": instagram.url,
            "INSTAGRAM_MEDIA_ORIGINS": instagram.url,
            "INSTAGRAM_ACCESS_TOKEN": instagram.issue(life=timedelta(days=60)),
            "IGFEED_STORE_PATH": str(tmp_path_factory.mktemp("undescribed") / "store.sqlite3"),
        }
        services = build(Settings.from_env(environ), system_clock, in_place, sleep=sleep)
        with serving(create_app(services=services)) as port:
            yield f"http://127.0.0.1:{port}"


def violations(page: Page) -> str:
    """One paragraph for each rule that is broken, none when all is well."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
    options = NO_COLOURS if page.evaluate(FORCED) else OPTIONS
    return "\n".join(
        f"{found['id']}: {found['help']}: " + "; ".join(node["html"] for node in found["nodes"])
        for found in page.evaluate(RUN_AXE, options)
    )


def violations_anyhow(page: Page) -> dict[str, str]:
    """Those in each of the ways that a visitor may have set."""
    found = {}
    for name, media in MEDIA.items():
        page.emulate_media(**{"color_scheme": "light", "forced_colors": "none", **media})
        found[name] = violations(page)
    return {name: each for name, each in found.items() if each}


@pytest.mark.parametrize("path", FEEDS)
def test_axe_finds_nothing_on_the_feed(page: Page, site: str, path: str) -> None:
    page.goto(site + path + SIX_POSTS)
    page.evaluate(PICTURES_SHOWN)

    assert violations_anyhow(page) == {}


def test_axe_finds_no_caption_repeated_by_its_picture(page: Page, undescribed_site: str) -> None:
    page.goto(f"{undescribed_site}/embed?layout=carousel&captions=1")
    park_pointer(page)
    names = [link.inner_text() for link in page.locator(".tile > a").all()]
    page.evaluate(PICTURES_SHOWN)

    assert "Lights on." in names
    assert violations(page) == ""


AROUND = """<style>:root { color-scheme: light dark } body { background: Canvas; color: CanvasText }</style>
<main><h1>Shop</h1><p>Words.</p>"""
INSIDE = "data-header=1 data-captions=1 data-limit=6"


def a_page_around(page: Page, site: str, how: str) -> str:
    query = INSIDE.replace("data-", "").replace(" ", "&")
    return AROUND + (tag(site, INSIDE) if how == "script" else page.request.get(f"{site}/fragment?{query}").text())


@pytest.mark.parametrize("media", MEDIA)
@pytest.mark.parametrize("how", ["script", "fragment"])
def test_axe_finds_nothing_on_a_page_with_the_feed_inside_nor_on_an_open_post_there(
    page: Page, site: str, host: Host, how: str, media: str
) -> None:
    page.emulate_media(**MEDIA[media])  # Before it is loaded: a feed inside a page takes a moment to follow a change.
    page.goto(host(f"<body>{a_page_around(page, site, how)}</main>"))
    box(page).locator(".inline[data-theme]:not(.waiting)").wait_for()
    box(page).locator(".tile img").evaluate_all("all => Promise.all(all.map(image => image.decode()))")

    assert violations(page) == ""
    box(page).locator(".tile > a").nth(1).click()
    expect(box(page).locator("dialog .bar p")).to_have_text("2 / 6")
    assert violations(page) == ""


@pytest.mark.parametrize("path", LAYOUTS)
def test_axe_finds_nothing_on_a_layout_with_colours_that_are_hard_to_read(page: Page, site: str, path: str) -> None:
    page.goto(site + path + SIX_POSTS)
    page.evaluate(PICTURES_SHOWN)

    assert violations(page) == ""


@pytest.mark.parametrize("place", range(4), ids=["picture", "album", "video", "long caption"])
def test_axe_finds_nothing_on_an_open_post(page: Page, site: str, place: int) -> None:
    page.goto(f"{site}/?{SIX_POSTS}")
    page.locator(".tile > a").nth(place).click()
    expect(page.locator("dialog .bar p")).to_have_text(f"{place + 1} / 6")

    assert violations_anyhow(page) == {}


def test_axe_finds_nothing_where_nothing_is_shown_yet(page: Page, empty_site: str) -> None:
    answer = page.goto(f"{empty_site}/")

    assert answer
    assert answer.status == 503
    assert violations_anyhow(page) == {}


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/privacy", "Privacy"),
        ("/connect/deletion/unknown", "This deletion is not known"),
        ("/connect/callback", "This login was not finished"),
    ],
)
def test_axe_finds_nothing_on_the_pages_of_text(page: Page, site: str, path: str, heading: str) -> None:
    page.goto(site + path)

    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert violations_anyhow(page) == {}


def test_axe_sees_a_picture_without_a_text(page: Page, site: str) -> None:
    """So that the silence of the other tests means something."""
    page.goto(f"{site}/")
    page.locator(".tile img").first.evaluate("image => image.removeAttribute('alt')")

    assert "image-alt" in violations(page)
