"""The feed on other sites' pages: one script tag, whatever is around it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from igfeed import create_app
from igfeed.config import Settings
from igfeed.demo.account import DemoInstagram
from igfeed.models import Profile
from tests.browser.conftest import BOXES, PATIENCE, Host, box, feed, frame, tag, wait_until_it_fits
from tests.harness.app_server import serving

pytestmark = pytest.mark.browser

PROFILE = "https://www.instagram.com/studio.nord/"
OTHER_PROFILE = "https://www.instagram.com/studio.syd/"
AGGRESSIVE = "<style>* { all: unset } head, style, script { display: none } img, iframe, svg { display: none }</style>"
SHOWN = f"[...document.querySelectorAll('{BOXES}')].filter(each => each.offsetHeight > 100).length"
ALL_ARE_SEEN = f"""() => Promise.all([...document.querySelectorAll('{BOXES}')].map(
  each => new Promise(seen => new IntersectionObserver(seen).observe(each))))"""
RUN_AGAIN = """old => new Promise((ran, failed) => {
  const script = document.createElement('script');
  for (const {name, value} of old.attributes) script.setAttribute(name, value);
  script.onload = ran;
  script.onerror = failed;
  old.replaceWith(script);
})"""
TITLES = "all => all.map(each => each.title || each.textContent)"
IS_LOADED = "async image => { await image.decode(); return image.naturalWidth > 0 }"
LINKS = "body > a"
"""The snippet's own and those that the script makes, which are not the links in a feed."""


def test_it_is_as_high_as_its_content_through_all_that_happens(page: Page, site: str, host: Host, way: str) -> None:
    link = f'<a href="{PROFILE}">@studio.nord</a>'
    page.goto(host(f"<body>{link}{tag(site, f'data-columns=3 data-limit=9 {way}', 'async')}<p>After"))
    feed(page).locator(".tile").first.wait_for()
    wait_until_it_fits(page)
    assert not page.locator(LINKS).is_visible()

    page.set_viewport_size({"width": 844, "height": 390})
    wait_until_it_fits(page, at_least=840)
    page.set_viewport_size({"width": 390, "height": 844})
    feed(page).get_by_role("link", name="Older posts").click()
    expect(feed(page).locator(".tile")).to_have_count(18)
    wait_until_it_fits(page, at_least=6 * 130)
    assert page.context.cookies() == []


def test_a_post_opened_in_a_small_frame_has_room(page: Page, site: str, host: Host) -> None:
    page.goto(host(f"<body>{tag(site, 'data-columns=3 data-limit=3 data-frame')}<p>After"))
    frame(page).locator(".tile > a").first.click()
    box = frame(page).locator("dialog")
    expect(box).to_be_visible()

    wait_until_it_fits(page, at_least=560)
    place = box.bounding_box()
    assert place
    assert place["height"] >= 560
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    wait_until_it_fits(page, at_least=130)
    assert page.locator("iframe").evaluate("frame => frame.offsetHeight") < 400


def test_in_a_frame_higher_than_the_screen_a_post_opens_where_the_visitor_looks(
    page: Page, site: str, host: Host
) -> None:
    page.goto(host(f"<body style='margin:0'>{tag(site, 'data-columns=1 data-limit=4 data-frame')}<p>After"))
    frame(page).locator(".tile").first.wait_for()
    wait_until_it_fits(page, at_least=1500)
    frame(page).locator(".tile > a").nth(2).click()
    box = frame(page).locator("dialog")
    expect(box).to_be_visible()

    place = box.bounding_box()
    assert place
    assert abs(place["y"]) <= 1, "in the coordinates of the screen"
    assert abs(place["height"] - 844) <= 1


@pytest.mark.fresh_page
def test_a_page_with_aggressive_styles_shows_two_feeds_that_do_not_mix(
    page: Page, site: str, host: Host, way: str
) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    one, two = f"data-limit=3 data-theme=dark {way}", f"data-layout=carousel {way}"
    page.goto(host(f"{AGGRESSIVE}<body>{tag(site, one, 'async')}<p>Between</p>{tag(site, two)}"))
    for number in (0, 1):
        feed(page, number).locator(".tile").first.wait_for()
        wait_until_it_fits(page, number, at_least=100)

    themes = {feed(page, number).locator("[data-theme]").first.get_attribute("data-theme") for number in (0, 1)}
    assert "dark" in themes
    assert len(themes) == 2
    assert page.evaluate(SHOWN) == 2
    assert complaints == []


@pytest.mark.parametrize("how", ["", "async", "defer"])
def test_it_works_wherever_the_tag_stands_and_however_it_loads(page: Page, site: str, host: Host, how: str) -> None:
    head, body = tag(site, "data-limit=1", how), tag(site, "data-limit=2", how)
    page.goto(host(f"<head>{head}</head><body>{body}<p>Text"))
    expect(page.locator(f"body > {BOXES}")).to_have_count(2)

    for number, count in enumerate((2, 1)):
        expect(feed(page, number).locator(".tile")).to_have_count(count)


def test_a_frame_is_lazy_and_has_a_title(page: Page, site: str, host: Host) -> None:
    page.goto(host(f"<body>{tag(site, 'data-frame')}"))

    assert box(page).get_attribute("title") == "Studio Nord on Instagram"
    assert box(page).get_attribute("loading") == "lazy"


def test_a_tag_that_comes_late_or_runs_again_makes_one_feed(page: Page, site: str, host: Host) -> None:
    page.goto(host("<body><div id=place></div>"))
    page.evaluate(
        """src => new Promise(done => {
          const again = html => { place.innerHTML = html; const old = place.querySelector('script');
            const script = document.createElement('script'); script.src = src; script.onload = done;
            old ? old.replaceWith(script) : place.append(script); };
          again(''); addEventListener('igfeed-again', () => again(place.innerHTML)); })""",
        f"{site}/embed.js",
    )
    feed(page).locator(".tile").first.wait_for()
    page.evaluate("dispatchEvent(new Event('igfeed-again'))")
    feed(page).locator(".tile").first.wait_for()
    page.wait_for_function(f"place.querySelectorAll('{BOXES}').length === 1")

    assert page.locator(BOXES).count() == 1
    assert box(page).is_visible()


@pytest.mark.fresh_page
@pytest.mark.parametrize("link", ["", f'<a href="{PROFILE}">@studio.nord</a>'], ids=["made", "own"])
def test_a_tag_that_runs_again_before_its_feed_comes_leaves_no_link_beside_the_feed(
    page: Page, site: str, host: Host, link: str, way: str
) -> None:
    page.clock.install()
    page.route(lambda url: "/embed?" in url, lambda unanswered: None, times=1)
    with page.expect_request(lambda request: "/embed?" in request.url):  # Or the second run's would stay unanswered.
        page.goto(host(f"<body>{link}{tag(site, f'data-limit=3 {way}')}"), wait_until="domcontentloaded")
        page.evaluate(ALL_ARE_SEEN)
    page.locator("script").evaluate(RUN_AGAIN)
    page.clock.run_for(200)
    feed(page).locator(".tile").first.wait_for()
    wait_until_it_fits(page)
    page.clock.fast_forward(15_000)

    assert page.locator(BOXES).count() == 1
    assert box(page).is_visible()
    assert page.locator(LINKS).count() == 1
    assert not page.locator(LINKS).is_visible()


def test_neighbours_that_run_again_leave_each_other_alone(page: Page, site: str, host: Host) -> None:
    titles = ["One", "Two", "Three"]
    tags = (tag(site, f"data-limit=3 data-title={title} data-frame") for title in titles)
    page.goto(host(f"<body>{''.join(tags)}"))
    for number in (1, 0, 2):
        page.locator("script").nth(number).evaluate(RUN_AGAIN)

    assert page.locator("iframe").evaluate_all("all => all.map(each => each.title)") == titles
    assert page.locator("a").all_text_contents() == titles


def test_tags_in_the_head_that_run_again_replace_what_is_theirs(page: Page, site: str, host: Host) -> None:
    limits = {"One": 3, "Two": 6}
    head = "".join(tag(site, f"data-limit={limits[each]} data-title={each} data-frame") for each in limits)
    page.goto(host(f"<head>{head}</head><body><p>Text"))
    for number in (1, 0, 1):
        page.locator("script").nth(number).evaluate(RUN_AGAIN)

    assert page.locator("body > *").evaluate_all(TITLES) == ["Text", "One", "One", "Two", "Two"]


def test_a_tag_that_ends_the_body_and_comes_late_leaves_the_heads_feed_alone(page: Page, site: str, host: Host) -> None:
    held: list[Route] = []
    page.route("**/embed.js?late", lambda route: held.append(route))  # noqa: PLW0108  Playwright cannot take a built-in
    head = tag(site, "data-limit=3 data-title=Head data-frame")
    late = tag(site, "data-limit=3 data-title=Late data-frame", "async").replace("embed.js", "embed.js?late")
    page.goto(host(f"<head>{head}</head><body>{late}"), wait_until="domcontentloaded")
    page.locator("iframe[title=Head]").wait_for(state="attached")
    held[0].continue_()
    page.locator("iframe[title=Late]").wait_for(state="attached")

    assert page.locator("script ~ *").evaluate_all(TITLES) == ["Late", "Late", "Head", "Head"]


def test_options_go_along_and_others_do_not(page: Page, site: str, host: Host) -> None:
    options = "data-limit=1 data-ratio=tall data-secret=x data-src=//evil.example"
    page.goto(host(f"<body>{tag(site, options)}{tag(site, f'{options} data-frame')}"))

    for number in (0, 1):
        assert box(page, number).evaluate("box => box.src") == f"{site}/embed?limit=1&ratio=tall"


@pytest.fixture
def prefixed_site(demo_store: str) -> Iterator[str]:
    """The address of a demo that another site's server mounts under a prefix."""
    app = create_app(Settings.from_env({"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": demo_store}))
    with serving(DispatcherMiddleware(NotFound(), {"/shop/feed": app})) as port:
        yield f"http://127.0.0.1:{port}/shop/feed"


def test_the_feed_has_the_prefix_that_the_script_has(page: Page, prefixed_site: str, host: Host) -> None:
    tags = tag(prefixed_site, "data-limit=1") + tag(prefixed_site, "data-limit=1 data-frame")
    page.goto(host(f"<body>{tags}"), wait_until="domcontentloaded")

    for number in (0, 1):
        assert box(page, number).evaluate("box => box.src") == f"{prefixed_site}/embed?limit=1"
        feed(page, number).locator(".tile").first.wait_for()
        wait_until_it_fits(page, number)
        assert feed(page, number).locator(".tile img").first.evaluate(IS_LOADED)


def test_nobody_else_says_how_high_a_frame_is(page: Page, site: str, host: Host) -> None:
    page.goto(host(f"<body>{tag(site, 'data-limit=3 data-frame')}"))
    frame(page).locator(".tile").first.wait_for()
    wait_until_it_fits(page)
    before = page.locator("iframe").evaluate("frame => frame.offsetHeight")
    page.evaluate("new Promise(done => { onmessage = done; postMessage({igfeed: 5000}, '*') })")

    assert page.locator("iframe").evaluate("frame => frame.offsetHeight") == before


def test_without_script_on_either_side_the_browser_sizes_the_frame(chromium: Browser, site: str, host: Host) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    style = "width: 100%; border: 0; frame-sizing: content-height"
    page.goto(host(f'<body style="margin: 0"><iframe src="{site}/embed?limit=9&columns=3" style="{style}"></iframe>'))
    frame(page).locator(".tile").first.wait_for()
    inner = page.locator("iframe").element_handle().content_frame()
    assert inner
    if not page.evaluate("CSS.supports('frame-sizing', 'content-height')"):
        pytest.skip("this Chromium is older than frame-sizing")

    wait_until_it_fits(page, at_least=400)
    context.close()


class OtherAccount(DemoInstagram):
    def profile(self, token: str) -> Profile:
        return replace(super().profile(token), username="studio.syd", name="Studio Syd")


@pytest.fixture
def refusing_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A demo of another account that may be framed by nobody."""
    environ = {
        "IGFEED_DEMO": "1",
        "IGFEED_STORE_PATH": str(tmp_path / "store.sqlite3"),
        "IGFEED_FRAME_ANCESTORS": "'none'",
    }
    monkeypatch.setattr("igfeed.demo.account.DemoInstagram", OtherAccount)
    app = create_app(Settings.from_env(environ))
    with serving(app) as port:
        app.test_client().get("/embed")
        yield f"http://127.0.0.1:{port}"


def test_where_it_may_not_be_embedded_there_is_a_link_to_the_profile(
    page: Page, refusing_site: str, host: Host
) -> None:
    page.goto(host(f"<body>{tag(refusing_site)}{tag(refusing_site, 'data-frame')}"))
    links = page.get_by_role("link", name="Studio Syd on Instagram")

    expect(links).to_have_count(2, timeout=20_000)
    for number in (0, 1):
        assert links.nth(number).get_attribute("href") == OTHER_PROFILE
        assert not page.locator("iframe").nth(number).is_visible()


@pytest.mark.fresh_page
def test_a_refused_feed_next_to_another_accounts_has_a_link_of_its_own(
    page: Page, site: str, refusing_site: str, host: Host
) -> None:
    page.clock.install()
    page.goto(host(f"<body>{tag(site, 'data-limit=3')}{tag(refusing_site)}"))
    page.locator("iframe").wait_for(state="attached")
    page.clock.run_for(200)
    feed(page).locator(".tile").first.wait_for()
    wait_until_it_fits(page)
    page.evaluate(ALL_ARE_SEEN)
    page.clock.fast_forward(15_000)

    links = page.locator(LINKS)
    assert links.evaluate_all("all => all.map(each => each.href)") == [PROFILE, OTHER_PROFILE]
    assert [links.nth(number).is_visible() for number in (0, 1)] == [False, True]
    assert page.evaluate(SHOWN) == 1


@pytest.mark.fresh_page
@pytest.mark.parametrize("silent", ["One", "Two"])
def test_of_two_neighbours_only_the_silent_one_shows_its_link(
    page: Page, site: str, host: Host, silent: str, way: str
) -> None:
    limits = {"One": 3, "Two": 6}
    page.clock.install()
    page.route(lambda url: f"/embed?limit={limits[silent]}" in url, lambda unanswered: None)
    body = "".join(tag(site, f"data-limit={limits[each]} data-title={each} {way}") for each in limits)
    page.goto(host(f"<body>{body}"), wait_until="domcontentloaded")
    answering = [*limits].index(silent) ^ 1
    page.clock.run_for(200)
    feed(page, answering).locator(".tile").first.wait_for()
    wait_until_it_fits(page, answering)
    page.evaluate(ALL_ARE_SEEN)
    page.clock.fast_forward(15_000)

    links = page.locator(LINKS)
    assert [links.nth(each).text_content() for each in (0, 1) if links.nth(each).is_visible()] == [silent]
    assert page.evaluate(SHOWN) == 1


@pytest.mark.fresh_page
def test_a_feed_just_below_the_screen_is_there_before_it_is_seen(page: Page, site: str, host: Host, way: str) -> None:
    page.clock.install()
    space = "<div style='height: 900px'></div>"
    page.goto(
        host(f"<body style='margin:0'>{space}{tag(site, f'data-limit=3 data-captions=1 {way}')}"), wait_until="load"
    )
    feed(page).locator(".tile").first.wait_for(state="attached")
    page.clock.fast_forward(15_000)

    assert page.evaluate("scrollY") == 0
    assert box(page).is_visible()
    assert not page.locator(LINKS).is_visible()
    wait_until_it_fits(page)


def test_where_the_script_is_blocked_the_snippets_own_link_stays(page: Page, site: str, host: Host) -> None:
    page.route("**/embed.js", lambda route: route.abort())
    page.goto(host(f'<body><a href="{PROFILE}">@studio.nord</a>{tag(site)}'))

    assert page.get_by_role("link", name="@studio.nord").is_visible()
    assert page.locator(BOXES).count() == 0


@pytest.mark.fresh_page
def test_the_kept_space_is_what_the_grid_then_needs(page: Page, site: str, host: Host) -> None:
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => { window.reserved = "
        f"[...document.querySelectorAll('{BOXES}')].map(each => each.offsetHeight) }})"
    )
    options = (
        *("data-limit=9", "data-ratio=tall data-gap=0 data-columns=2", "data-layout=carousel data-gap=12"),
        *("data-layout=highlight", "data-layout=highlight data-columns=6", "data-layout=highlight data-limit=10"),
    )
    tags = [tag(site, f"{each} {way}") for way in ("", "data-frame") for each in options]
    page.goto(host(f"<body style='margin:0'>{''.join(tags)}"))
    reserved = page.evaluate("reserved")
    assert len(reserved) == len(tags)
    for number in range(len(tags)):
        box(page, number).scroll_into_view_if_needed()
        feed(page, number).locator(".tile").first.wait_for()
        wait_until_it_fits(page, number)

    needed = page.locator(BOXES).evaluate_all("all => all.map(each => each.offsetHeight)")
    apart = [one - other for one, other in zip(reserved, needed, strict=True)]
    assert max(map(abs, apart)) <= 1, apart


def test_a_page_whose_feed_is_not_there_yet_says_so_in_its_own_style_and_keeps_its_link(
    page: Page, empty_site: str, host: Host, way: str
) -> None:
    style = "<style>body { background: #012; color: rgb(200, 220, 255) } p { font: 20px Georgia }</style>"
    link = f'<a href="{PROFILE}">@studio.nord</a>'
    page.goto(host(f"{style}<body>{link}{tag(empty_site, way)}"))

    words = page.get_by_text("The posts are on their way.")
    expect(words).to_be_visible()
    assert words.evaluate("each => getComputedStyle(each).color") == "rgb(200, 220, 255)"
    assert words.evaluate("each => getComputedStyle(each).fontSize") == "20px"
    assert page.get_by_role("link", name="@studio.nord").is_visible()
    expect(page.locator("iframe")).not_to_be_visible()
    page.locator("script").last.evaluate(RUN_AGAIN)
    expect(words).to_have_count(1)
