"""What a visitor's browser makes of the page."""

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.conftest import PATIENCE, park_pointer

pytestmark = pytest.mark.browser

ALL_PICTURES_LOADED = """
Promise.all([...document.querySelectorAll('main img')].filter(image => !image.closest('dialog')).map(async image => {
  image.loading = 'eager'; await image.decode(); return image.naturalWidth > 0 }))
"""
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver(list => shifts.push(...list.getEntries().filter(each => !each.hadRecentInput)
  .map(each => each.value))).observe({type: 'layout-shift', buffered: true});
"""
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""By then what has shifted has been seen."""
TO_THE_END = "grid => grid.scrollTo({left: grid.scrollWidth, behavior: 'instant'})"
CONTRASTS = """
(() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const over = ([red, green, blue, alpha = 1], below) =>
    [red, green, blue].map((part, place) => part * alpha + below[place] * (1 - alpha));
  const light = colour => colour.map(part => part / 255)
    .map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [.2126, .7152, .0722][place], 0);
  const ground = each => each && getComputedStyle(each).backgroundColor === 'rgba(0, 0, 0, 0)'
    ? ground(each.parentElement) : getComputedStyle(each).backgroundColor;
  const texts = [...document.querySelectorAll('h1, p, a, figcaption, span, button')]
    .filter(each => each.innerText?.trim() && !each.matches('.unseen, .portrait'));
  const ratios = (elements, colour) => Object.fromEntries(elements.map(each => {
    const below = parts(ground(each)), above = over(parts(getComputedStyle(each)[colour]), below);
    const pair = [above, below.slice(0, 3)].map(light).sort((one, other) => other - one);
    return [each.tagName + each.className, (pair[0] + .05) / (pair[1] + .05)];
  }));
  return {texts: ratios(texts, 'color'), borders: ratios([...document.querySelectorAll('.pages a')], 'borderTopColor')};
})()
"""
CUT_OFF = """
[...document.querySelectorAll('h1, p, .follow, .pages a')]
  .filter(each => !each.matches('.unseen') && (each.scrollWidth > each.clientWidth + 1 && each.clientWidth))
  .map(each => each.className)
"""
COLUMNS = "getComputedStyle(document.querySelector('.grid')).gridTemplateColumns.split(' ').length"


@pytest.mark.fresh_page
@pytest.mark.parametrize("path", ["/", "/embed", "/?captions=1&theme=dark", "/embed?page=2&layout=carousel"])
def test_every_picture_loads_and_nothing_is_asked_of_another_host(page: Page, site: str, path: str) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108  it cannot hold on to a bound method
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    page.goto(site + path)
    loaded = page.evaluate(ALL_PICTURES_LOADED)

    assert loaded == [True] * (12 if "/embed" in path else 13), "twelve posts, and the account's own on the page"
    assert all(request.url.startswith(site) for request in asked)
    assert complaints == []
    assert page.context.cookies() == []


def test_without_script_everything_is_there(chromium: Browser, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(site)

    assert page.locator("[data-post-id]").count() == 12
    assert page.locator("[data-post-id] a").first.get_attribute("href")
    assert page.get_by_role("button").count() == 0
    page.get_by_role("link", name="Older posts").click()
    assert page.locator("[data-post-id]").count() == 12
    assert page.get_by_role("link", name="Newer posts").is_visible()
    context.close()


def test_the_columns_follow_the_width(page: Page, site: str) -> None:
    page.goto(site)

    for width, columns in ((320, 2), (390, 3), (820, 4), (1280, 4)):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(COLUMNS) == columns, width


@pytest.mark.parametrize("query", ["", "?captions=1&columns=3&gap=48", "?header=0&columns=8"])
def test_nothing_sticks_out_at_the_side(page: Page, site: str, query: str) -> None:
    page.goto(f"{site}/{query}")

    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_tiles_keep_their_shape_and_place_while_pictures_load(page: Page, site: str) -> None:
    page.goto(f"{site}/?ratio=portrait&columns=2")
    page.evaluate(ALL_PICTURES_LOADED)

    box = page.locator(".frame").first.bounding_box()
    assert box
    assert round(box["width"] / box["height"], 2) == 0.8


@pytest.mark.fresh_page
@pytest.mark.parametrize("path", ["/", "/embed", "/embed?layout=carousel", "/?captions=1&columns=2"])
def test_nothing_shifts_while_pictures_come_slowly_and_more_posts_are_added(page: Page, site: str, path: str) -> None:
    waiting: list[Route] = []
    page.add_init_script(WATCH_SHIFTS)
    page.route("**/media/*", lambda route: waiting.append(route))  # noqa: PLW0108  it cannot hold on to a bound method
    page.goto(site + path, wait_until="domcontentloaded")
    page.wait_for_function("() => performance.getEntriesByType('paint').length > 0")
    for route in waiting:
        route.continue_()
    page.unroute("**/media/*")
    page.evaluate(ALL_PICTURES_LOADED)
    if "carousel" in path:
        page.locator(".grid").evaluate(TO_THE_END)
    else:
        page.get_by_role("link", name="Older posts").press("Enter")
    expect(page.locator(".tile")).to_have_count(24)
    page.evaluate(TWO_FRAMES)

    assert page.evaluate("shifts") == []


@pytest.mark.fresh_page
def test_nothing_shifts_inside_an_iframe_either(page: Page, site: str, host_page: str) -> None:
    page.add_init_script(WATCH_SHIFTS)
    page.goto(host_page)
    inner = page.locator("iframe").element_handle().content_frame()
    assert inner
    inner.evaluate(ALL_PICTURES_LOADED)
    inner.evaluate(TWO_FRAMES)

    assert (page.evaluate("shifts"), inner.evaluate("shifts")) == ([], [])


@pytest.mark.parametrize(("density", "width"), [(1, 320), (2, 320), (3, 640)])
def test_a_phone_loads_the_file_that_fits_its_screen(chromium: Browser, site: str, density: int, width: int) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=density)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(site)

    assert page.locator(".tile img").first.evaluate("image => image.currentSrc").endswith(f"-{width}.avif")
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
    park_pointer(page)

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
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        for theme in ("auto", "light", "dark"):
            page.goto(f"{site}/?limit=1&theme={theme}")
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


def test_more_posts_come_into_the_page_and_focus_moves_on(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=5")
    address = page.url
    page.evaluate("window.same = true")
    for count in (10, 15, 20, 24):
        page.get_by_role("link", name="Older posts").press("Enter")
        expect(page.locator(".tile")).to_have_count(count)

    ids = page.locator(".tile").evaluate_all("all => all.map(each => each.dataset.postId)")
    assert len(set(ids)) == 24
    assert page.get_by_role("link", name="Older posts").count() == 0
    assert page.get_by_role("status").first.text_content() == "+4 posts"
    assert page.evaluate("document.activeElement.closest('.tile').dataset.postId") == ids[20]
    assert page.evaluate("same")
    assert page.url == address
    page.locator(".tile > a").last.click()
    expect(page.locator("dialog .bar p")).to_have_text("24 / 24")


def test_where_more_posts_cannot_be_fetched_the_link_leads_to_them(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?limit=5")
    page.route("**/embed?limit=5&page=2", lambda route: route.abort(), times=1)
    page.get_by_role("link", name="Older posts").click()
    page.wait_for_url("**/embed?limit=5&page=2")

    assert page.locator(".tile").count() == 5


def test_a_carousel_is_one_row_that_scrolls_by_buttons_keys_and_hand(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?layout=carousel&columns=2&limit=6")
    grid = page.locator(".grid")
    back, on = (page.locator(f".pages > button[value='{step}']") for step in ("-1", "1"))
    expect(on).to_be_visible()

    assert len(set(page.locator(".tile").evaluate_all("all => all.map(each => each.offsetTop)"))) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(back).to_have_attribute("aria-disabled", "true")
    on.click()
    page.wait_for_function("() => document.querySelector('.grid').scrollLeft > 100")
    expect(back).to_have_attribute("aria-disabled", "false")
    before = grid.evaluate("grid => grid.scrollLeft")
    grid.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('.grid').scrollLeft > before", arg=before)


def test_a_carousel_adds_older_posts_at_its_end_and_its_arrows_cover_no_post(page: Page, site: str) -> None:
    page.goto(f"{site}/embed?layout=carousel&columns=2&limit=10")
    tiles, link = page.locator(".tile"), page.get_by_role("link", name="Older posts")
    back, on = (page.locator(f".pages > button[value='{step}']") for step in ("-1", "1"))
    expect(on).to_be_visible()
    assert not link.is_visible()
    row, arrow = page.locator(".grid").bounding_box(), on.bounding_box()
    assert row
    assert arrow
    assert arrow["y"] >= row["y"] + row["height"]
    assert arrow["x"] + arrow["width"] == row["x"] + row["width"]

    on.focus()
    for count in (20, 24):
        page.locator(".grid").evaluate(TO_THE_END)
        expect(tiles).to_have_count(count)
    page.locator(".grid").evaluate(TO_THE_END)

    ids = tiles.evaluate_all("all => all.map(each => each.dataset.postId)")
    assert len(set(ids)) == 24
    expect(on).to_have_attribute("aria-disabled", "true")
    expect(back).to_have_attribute("aria-disabled", "false")
    assert on.evaluate("button => button === document.activeElement")
    assert page.get_by_role("status").first.text_content() == "+4 posts"
    assert page.evaluate("location.search") == "?layout=carousel&columns=2&limit=10"


def test_a_carousel_whose_posts_all_fit_gets_older_ones_by_its_arrow_or_shows_the_link(page: Page, site: str) -> None:
    page.emulate_media(reduced_motion="no-preference")
    page.goto(f"{site}/embed?layout=carousel&columns=3&limit=3")
    link, on = page.get_by_role("link", name="Older posts"), page.locator(".pages > button[value='1']")
    page.route("**/embed?*page=3*", lambda route: route.abort(), times=1)
    on.click()
    expect(link).to_be_visible()
    assert page.locator(".tile").count() == 6
    link.click()
    expect(page.locator(".tile").nth(8)).to_be_attached()
    expect(link).to_be_hidden()


def test_a_carousel_without_script_has_no_dead_buttons(chromium: Browser, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{site}/embed?layout=carousel")

    assert page.locator("button:visible").count() == 0
    assert page.locator(".tile").first.is_visible()
    page.get_by_role("link", name="Older posts").click()
    page.wait_for_url("**/embed?page=2&layout=carousel")
    context.close()


@pytest.mark.parametrize("density", [1, 2, 3])
def test_nine_posts_on_a_phone_weigh_little_and_ask_nobody_before_the_first_picture(
    chromium: Browser, site: str, density: int
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=density)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108  it cannot hold on to a bound method
    page.goto(f"{site}/embed?columns=3&limit=9")
    page.evaluate(ALL_PICTURES_LOADED)
    pictures = [request for request in asked if "/media/" in request.url]

    assert len(pictures) == 9
    assert asked.index(pictures[0]) == 1, "only the page itself before it"
    sizes = [len(request.response().body()) for request in pictures]  # type: ignore[union-attr]
    assert sum(sizes) <= 150_000
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/?captions=1&limit=3", "/embed?header=1&captions=1&limit=3&background=777&color=888&accent=e1306c"]
)
def test_every_text_and_every_border_stands_out_from_its_ground(page: Page, site: str, path: str, theme: str) -> None:
    page.goto(f"{site}{path}&theme={theme}")

    ratios = page.evaluate(CONTRASTS)
    assert min(ratios["texts"].values()) >= 4.5, ratios
    assert min(ratios["borders"].values()) >= 3, ratios


def test_text_may_be_spaced_and_enlarged_without_loss(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{site}/?captions=1&limit=3")
    spaced = "letter-spacing: .12em; word-spacing: .16em; line-height: 1.5"
    page.evaluate("rules => document.querySelectorAll('*').forEach(each => { each.style.cssText += rules })", spaced)
    page.evaluate("document.documentElement.style.fontSize = '200%'")

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate(CUT_OFF) == []
