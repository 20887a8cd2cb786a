"""What a visitor's browser makes of the page."""

import pytest
from playwright.sync_api import Browser, Page, Request

pytestmark = pytest.mark.browser

ALL_PICTURES_LOADED = """
Promise.all([...document.images].map(async image => {
  image.loading = 'eager'; await image.decode(); return image.naturalWidth > 0 }))
"""
SHIFT = """
new Promise(done => new PerformanceObserver(list =>
  done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0)))
  .observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 300))
"""
COLUMNS = "getComputedStyle(document.querySelector('.grid')).gridTemplateColumns.split(' ').length"


@pytest.mark.parametrize("path", ["/", "/embed", "/?captions=1&theme=dark", "/?page=2&ratio=tall"])
def test_every_picture_loads_and_nothing_is_asked_of_another_host(page: Page, site: str, path: str) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108  it cannot hold on to a bound method
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    page.goto(site + path)
    loaded = page.evaluate(ALL_PICTURES_LOADED)

    assert loaded == [True] * 12
    assert all(request.url.startswith(site) for request in asked)
    assert complaints == []
    assert page.context.cookies() == []


def test_without_script_everything_is_there(chromium: Browser, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(site)

    assert page.locator("[data-post-id]").count() == 12
    assert page.locator("[data-post-id] a").first.get_attribute("href")
    page.get_by_role("link", name="Older posts").click()
    assert page.locator("[data-post-id]").count() == 12
    assert page.get_by_role("link", name="Newer posts").is_visible()
    context.close()


@pytest.mark.parametrize(("width", "columns"), [(320, 2), (390, 3), (820, 4), (1280, 4)])
def test_the_columns_follow_the_width(page: Page, site: str, width: int, columns: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})

    page.goto(site)

    assert page.evaluate(COLUMNS) == columns


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("query", ["", "?captions=1&columns=3&gap=48", "?header=0&columns=8"])
def test_nothing_sticks_out_at_the_side(page: Page, site: str, width: int, query: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})

    page.goto(f"{site}/{query}")

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_tiles_keep_their_shape_and_place_while_pictures_load(page: Page, site: str) -> None:
    page.goto(f"{site}/?ratio=portrait&columns=2")
    page.evaluate(ALL_PICTURES_LOADED)

    box = page.locator(".frame").first.bounding_box()
    assert box
    assert round(box["width"] / box["height"], 2) == 0.8
    assert page.evaluate(SHIFT) == 0


@pytest.mark.parametrize(("density", "width"), [(1, 320), (2, 320), (3, 640)])
def test_a_phone_loads_the_file_that_fits_its_screen(chromium: Browser, site: str, density: int, width: int) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=density)
    page = context.new_page()
    page.goto(site)

    assert page.locator("img").first.evaluate("image => image.currentSrc").endswith(f"-{width}.webp")
    context.close()


def test_the_keyboard_reaches_every_post_and_shows_where_it_is(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=3")
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.closest('[data-post-id]').dataset.postId"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"

    assert len(set(reached)) == 3


def test_each_post_has_a_name_for_who_listens(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=3")

    names = [
        link.inner_text() or link.get_by_role("img").first.get_attribute("alt") for link in page.locator("li a").all()
    ]

    assert names[0] == "A snowed-in red cabin with a lit window among firs on a winter night."
    assert page.get_by_role("img", name="Album").count() == 1
    assert page.get_by_role("heading", level=1).count() == 1


def test_dark_is_dark_and_auto_follows_the_system(chromium: Browser, site: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    seen = {}
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme)
        page = context.new_page()
        for theme in ("auto", "light", "dark"):
            page.goto(f"{site}/embed?theme={theme}")
            seen[scheme, theme] = page.evaluate(ground)
        context.close()

    assert seen["light", "auto"] == seen["light", "light"] == seen["dark", "light"] == "rgb(255, 255, 255)"
    assert seen["dark", "auto"] == seen["dark", "dark"] == seen["light", "dark"] == "rgb(16, 17, 19)"


def test_a_picture_that_cannot_be_had_leaves_a_calm_tile(page: Page, site: str) -> None:
    placeholder = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9H0z"/></svg>'
    page.route("**/media/*", lambda route: route.fulfill(status=503, content_type="image/svg+xml", body=placeholder))

    page.goto(f"{site}/embed?limit=3")

    # A browser shows a picture whatever its status, so our 503 with a drawing is no broken image.
    assert page.evaluate(ALL_PICTURES_LOADED) == [True] * 3


def test_it_works_inside_an_iframe_of_another_site(page: Page, site: str, host_page: str) -> None:
    page.goto(host_page)

    tiles = page.frame_locator("iframe").locator("[data-post-id]")
    tiles.first.wait_for()
    assert tiles.count() == 12
    assert page.context.cookies() == []
