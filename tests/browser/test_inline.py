"""The feed as a part of somebody's page: what it takes over, what stays out, what a policy forbids."""

import base64
import hashlib
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import BOXES, PATIENCE, Host, box, feed, frame, tag

pytestmark = pytest.mark.browser

OPTIONS = "data-columns=3 data-limit=3"
FULL = "data-columns=3 data-limit=6 data-header=1 data-captions=1"

IS_LOADED = "async image => { await image.decode(); return image.naturalWidth > 0 }"

STYLES_OF = """
root => [...root.querySelectorAll('*')].map(each => {
  const style = getComputedStyle(each);
  return [each.localName, ...[...style].filter(name => !name.startsWith('--')).map(name => `${name}: ${style[name]}`)];
})
"""

HOSTILE = """
body * { letter-spacing: .3em !important; text-transform: uppercase !important; border: 3px solid red !important;
    margin: 9px !important; padding: 9px !important; line-height: 3 !important; text-align: right !important;
    transition: none !important; animation: none !important; font-size: 30px !important; --gap: 40px !important;
    --columns: 1 !important; --ratio: 9 !important; --ink: red !important; --radius: 50px !important }
html { font-size: 5px !important }
img { max-width: 30px !important; filter: invert(1) !important }
ul, li { list-style: disc !important; display: list-item !important }
a { color: red !important; text-decoration: line-through !important }
button { background: lime !important; transform: rotate(45deg) !important }
dialog { width: 100px !important; height: 100px !important; display: block !important }
div { display: none !important; visibility: hidden !important; opacity: .1 !important; zoom: 3 !important }
section, figure, h1, .feed, .grid, .tile, .frame, .inline { position: fixed !important; float: left !important }
"""
"""Important rules that a page may have for its own elements."""

CHANGED_BY = f"""
(box, css) => {{
  const stylesOf = {STYLES_OF.strip()};
  const before = stylesOf(box.shadowRoot), style = document.createElement('style');
  style.textContent = css;
  document.head.append(style);
  const after = stylesOf(box.shadowRoot);
  if (before.length != after.length) return ['other elements'];
  return before.flatMap((was, place) => was.length == after[place].length
    ? was.flatMap((each, part) => each == after[place][part] ? [] : [`${{each}} → ${{after[place][part]}}`])
    : ['other properties']);
}}
"""


def shown(page: Page, number: int = 0) -> Any:
    """The feed, when its pictures are no longer held back."""
    place = feed(page, number)
    place.locator(".inline:not(.waiting)").wait_for(state="attached")
    return place


def theme(page: Page, number: int = 0) -> str | None:
    return box(page, number).locator(".inline").get_attribute("data-theme")


def colour_of(page: Page, selector: str, name: str = "color") -> str:
    return str(box(page).locator(selector).first.evaluate(f"each => getComputedStyle(each)['{name}']"))


@pytest.mark.fresh_page
def test_it_is_a_part_of_the_page_and_took_one_request_for_its_content(page: Page, site: str, host: Host) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site)))
    page.goto(host(f"<body>{tag(site, OPTIONS)}"))
    shown(page)

    assert page.locator("iframe").count() == 0
    assert [url for url in asked if "/embed?" in url] == ["/embed?limit=3&columns=3"]
    assert len([url for url in asked if url.startswith("/widget.js?v=")]) == 1


@pytest.mark.fresh_page
def test_no_global_name_is_left_behind(page: Page, site: str, host: Host) -> None:
    page.add_init_script("window.names = Object.getOwnPropertyNames(window)")
    page.goto(host(f"<body>{tag(site, OPTIONS)}"))
    shown(page).locator(".tile > a").first.click()
    page.keyboard.press("Escape")

    assert page.evaluate("Object.getOwnPropertyNames(window).filter(name => !names.includes(name))") == ["names"]


def test_important_rules_of_the_page_do_not_get_in(page: Page, site: str, host: Host) -> None:
    page.goto(host(f"<body>{tag(site, FULL)}"))
    place = shown(page)
    place.locator(".tile > a").nth(1).click()
    expect(place.locator("dialog .post").nth(1)).to_be_visible()
    # The page's text has a colour and a font that are taken over on purpose, so no rule changes them.
    assert box(page).evaluate(CHANGED_BY, HOSTILE) == []
    assert place.locator(".tile").count() == 6


def test_nothing_of_ours_gets_out(page: Page, site: str, host: Host) -> None:
    words = "<h1>One</h1><ul><li><a href=#x>Two</a></ul><figure><img alt=x><figcaption>y</figcaption></figure>"
    more = "<button>Three</button><dialog>Four</dialog><p class='feed tile grid step'>Five"
    page.goto(host(f"<body><div id=theirs>{words}{more}</div><div id=here></div>"))
    others = f"(() => [({STYLES_OF})(theirs), getComputedStyle(document.documentElement).cssText])()"
    before = page.evaluate(others)
    page.evaluate("src => here.append(Object.assign(document.createElement('script'), {src}))", f"{site}/embed.js")
    place = shown(page)
    during = page.evaluate(others)
    place.locator(".tile > a").first.click()
    expect(place.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(place.locator("dialog")).to_be_hidden()

    assert during == before
    assert page.evaluate(others) == before
    assert page.evaluate("document.adoptedStyleSheets.length") == 0


def test_the_pages_font_and_colour_are_taken_over_and_nothing_else(page: Page, site: str, host: Host) -> None:
    style = "font: italic 700 30px/3 Georgia, serif; color: rgb(60, 20, 90); letter-spacing: 9px; text-align: right"
    page.goto(host(f"<style>html {{ font-size: 62.5% }} body {{ {style} }}</style><body>{tag(site, FULL)}"))
    shown(page)

    for part in ("figcaption", ".counts", ".follow", "h1", ".pages a"):
        assert colour_of(page, part) == "rgb(60, 20, 90)"
        assert colour_of(page, part, "fontFamily") == "Georgia, serif"
        assert colour_of(page, part, "fontStyle") == "normal"
    assert colour_of(page, "figcaption", "fontSize") == "13px"
    assert colour_of(page, "figcaption", "letterSpacing") == "normal"
    assert colour_of(page, "figcaption", "textAlign") == "start"
    assert colour_of(page, ".inline", "backgroundColor") == "rgba(0, 0, 0, 0)"


COLOURS = {
    "#222": "light",
    "oklch(.2 .05 90)": "light",
    "color(display-p3 .1 .1 .3)": "light",
    "rgb(60, 20, 90)": "light",
    "#eee": "dark",
    "oklch(.95 .02 90)": "dark",
    "color(display-p3 .9 1 .9)": "dark",
    "light-dark(black, white)": "light",
    "canvastext": "light",
}
"""Of a page's text, and which theme a feed then has."""


def test_the_colour_of_the_text_at_its_place_decides_between_light_and_dark(page: Page, site: str, host: Host) -> None:
    places = (f"<div style='color: {colour}'>{tag(site, 'data-limit=1')}</div>" for colour in COLOURS)
    page.goto(host(f"<body style='color: white'>{''.join(places)}"))
    for number in range(len(COLOURS)):
        shown(page, number)

    assert {colour: theme(page, number) for number, colour in enumerate(COLOURS)} == COLOURS


def test_an_opened_post_has_the_ground_of_the_theme(page: Page, site: str, host: Host) -> None:
    page.goto(host(f"<body style='background: #012; color: #eef'>{tag(site, OPTIONS)}"))
    shown(page).locator(".tile > a").first.click()

    assert colour_of(page, "dialog", "backgroundColor") == "rgb(16, 17, 19)"
    assert colour_of(page, "dialog .text") == "rgb(243, 243, 240)"


CHANGES = {
    "a class of html": "document.documentElement.classList.add('night')",
    "a class of body": "document.body.classList.add('night')",
    "a style sheet that comes later": "document.body.insertAdjacentHTML('afterend', '<style>body{color:#fff}</style>')",
    "a colour that fades": "document.body.style.cssText = 'transition: color .2s; color: white'",
    "a move to another place": "dark.append(document.querySelector('[data-igfeed]'))",
    "a place that is hidden meanwhile": """here.style.display = 'none'; document.body.offsetHeight;
        document.body.style.color = 'white'; document.body.offsetHeight; here.style.display = ''""",
}


def test_it_follows_when_the_page_changes(page: Page, site: str, host: Host) -> None:
    style = "<style>body { color: black } .night { color: white } body.night, .night body { color: white }</style>"
    body = f"<div id=here>{tag(site, 'data-limit=1')}</div><div id=dark style='color: white'></div>"
    address = host(f"{style}<body>{body}")
    for name, change in CHANGES.items():
        page.goto(address)
        shown(page)
        assert theme(page) == "light", name
        page.evaluate(f"() => {{ {change} }}")

        expect(box(page).locator(".inline"), name).to_have_attribute("data-theme", "dark")


def test_it_follows_the_visitors_system_where_the_page_does(page: Page, site: str, host: Host) -> None:
    page.goto(host(f"<style>:root {{ color-scheme: light dark }}</style><body>{tag(site, OPTIONS)}"))
    shown(page)
    assert theme(page) == "light"
    page.emulate_media(color_scheme="dark")

    expect(box(page).locator(".inline")).to_have_attribute("data-theme", "dark")


def test_a_theme_that_the_owner_chose_stays(page: Page, site: str, host: Host) -> None:
    inks = {"light": "rgb(23, 24, 26)", "dark": "rgb(243, 243, 240)"}
    tags = (tag(site, f"{FULL} data-theme={asked}") for asked in inks)
    page.goto(host(f"<body style='color: #777'>{''.join(tags)}"))
    for colour in ("white", "black"):
        page.evaluate("colour => { document.body.style.color = colour }", colour)
        for number, (asked, ink) in enumerate(inks.items()):
            title = shown(page, number).locator("h1")

            assert theme(page, number) == asked
            assert title.evaluate("title => getComputedStyle(title).color") == ink


# Opened posts


def test_an_opened_post_has_the_whole_window_and_the_page_behind_stays_where_it_is(
    page: Page, site: str, host: Host
) -> None:
    style, far = "transform: scale(1); overflow: hidden; contain: paint; width: 300px", "<p style='height: 1500px'></p>"
    page.goto(host(f"<body>{far}<div style='{style}'>{tag(site, OPTIONS)}</div>{far}"))
    link = shown(page).locator(".tile > a").nth(1)
    link.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    link.click()
    opened = box(page).locator("dialog")
    expect(opened).to_be_visible()

    assert opened.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    page.mouse.wheel(0, 500)
    page.keyboard.press("End")
    assert page.evaluate("[scrollY, getComputedStyle(document.documentElement).overflow]") == [before, "hidden"]
    page.keyboard.press("Escape")
    expect(opened).to_be_hidden()
    assert page.evaluate("[scrollY, getComputedStyle(document.documentElement).overflow]") == [before, "visible"]
    assert link.evaluate("link => link === link.getRootNode().activeElement")


def test_the_pages_own_keys_and_wheels_rest_while_a_post_is_open(page: Page, site: str, host: Host) -> None:
    listener = "keys = []; onkeydown = ({key}) => keys.push(key); onwheel = onmousedown = ({type}) => keys.push(type)"
    page.goto(host(f"<body>{tag(site, OPTIONS)}<script>{listener}</script>"))
    shown(page).locator(".tile > a").first.focus()
    page.keyboard.press("Shift")
    page.keyboard.press("Enter")
    expect(box(page).locator("dialog")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(box(page).locator("dialog .bar p")).to_have_text("2 / 3")
    page.mouse.move(200, 400)
    page.mouse.wheel(0, 100)
    page.mouse.down()
    page.mouse.up()
    page.keyboard.press("Escape")
    expect(box(page).locator("dialog")).to_be_hidden()

    assert page.evaluate("keys") == ["Shift", "Enter"]


# Places


def test_in_a_place_that_is_hidden_at_first_it_is_there_when_that_is_shown(page: Page, site: str, host: Host) -> None:
    script = tag(site, OPTIONS)
    page.goto(host(f"<body><details><summary>More</summary>{script}</details><div hidden>{script}</div>"))
    for number in (0, 1):
        shown(page, number)
    page.locator("body > details, body > div").evaluate_all(
        "places => places.forEach(each => Object.assign(each, {open: true, hidden: false}))"
    )

    for number in (0, 1):
        assert box(page, number).locator(".tile img").first.evaluate(IS_LOADED)
        assert box(page, number).bounding_box()["height"] > 100  # type: ignore[index]


def test_where_the_page_hides_a_place_the_feed_cannot_be_used_there(page: Page, site: str, host: Host) -> None:
    rules = {"visibility": "hidden", "pointer-events": "none"}
    places = (f"<div style='{name}: {value}'>{tag(site, OPTIONS)}</div>" for name, value in rules.items())
    page.goto(host(f"<body>{''.join(places)}"))

    for number, (name, value) in enumerate(rules.items()):
        link = shown(page, number).locator(".tile > a").first
        assert link.evaluate("(link, name) => getComputedStyle(link).getPropertyValue(name)", name) == value


def test_in_a_narrow_column_the_pictures_are_as_small_as_the_tiles(chromium: Browser, site: str, host: Host) -> None:
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(host(f"<body><div style='width: 500px'>{tag(site, OPTIONS)}"))
    picture = shown(page).locator(".tile img").first

    assert picture.evaluate("async image => { await image.decode(); return image.currentSrc }").endswith("-320.avif")
    context.close()


@pytest.mark.fresh_page
def test_nothing_moves_when_it_comes(page: Page, site: str, host: Host) -> None:
    page.add_init_script(
        "window.shifts = []; new PerformanceObserver(list => shifts.push(...list.getEntries().map(each => each.value)))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    body = f"<p>Before</p>{tag(site, 'data-columns=3 data-limit=6')}<p>After</p>"
    page.goto(host(f"<body>{body}"))
    shown(page)
    page.wait_for_load_state("networkidle")
    page.evaluate("new Promise(requestAnimationFrame)")

    assert sum(page.evaluate("shifts")) == pytest.approx(0, abs=0.005)


def test_older_posts_come_into_the_page_with_pictures_of_ours(page: Page, site: str, host: Host) -> None:
    address = host(f"<body>{tag(site, OPTIONS)}")
    page.goto(address)
    shown(page).get_by_role("link", name="Older posts").click()
    tiles = box(page).locator(".tile")
    expect(tiles).to_have_count(6)

    assert page.url == address
    assert (
        tiles.nth(5)
        .locator("img")
        .evaluate("async image => { await image.decode(); return image.src }")
        .startswith(site)
    )
    assert box(page).get_by_role("link", name="Older posts").get_attribute("href").startswith(f"{site}/embed?")  # type: ignore[union-attr]


# What a policy forbids


POLICIES = {
    "everything of ours": ("default-src {site}", "inline", []),
    "a nonce": ("script-src 'nonce-abc'; img-src {site}; connect-src {site}; style-src 'none'", "inline", []),
    "strict-dynamic": ("script-src 'nonce-abc' 'strict-dynamic'; style-src 'none'", "inline", []),
    "trusted types": ("script-src 'nonce-abc'; require-trusted-types-for 'script'", "inline", []),
    "no connection": ("connect-src 'none'", "frame", ["connect-src", "Refused to connect"]),
    "no picture": ("img-src 'none'", "frame", ["img-src"]),
    "no module": ("script-src '{hash}'", "frame", ["script-src"]),
    "no connection and no frame": (
        "connect-src 'none'; frame-src 'none'",
        "link",
        ["connect-src", "Refused to connect", "frame-src"],
    ),
}
"""What a page allows, how the feed is shown there, and a part of each line that the browser logs."""


@pytest.fixture
def watched(page: Page) -> tuple[Page, list[str]]:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return page, said


@pytest.mark.fresh_page
@pytest.mark.parametrize("name", POLICIES)
def test_a_pages_policy_decides_how_it_is_shown_and_nothing_else_is_logged(
    watched: tuple[Page, list[str]], site: str, host: Host, name: str
) -> None:
    page, said = watched
    policy, how, lines = POLICIES[name]
    script = tag(site, OPTIONS, "nonce=abc")
    if "hash" in policy:
        script = script.replace("nonce=abc", f"integrity='{integrity(page, site)}' crossorigin")
    headers = {"Content-Security-Policy": policy.format(site=site, hash=integrity(page, site))}
    page.goto(host(f"<body>{script}", headers))
    if how == "link":
        expect(page.get_by_role("link", name="Studio Nord on Instagram")).to_be_visible()
    else:
        shown_in = page if how == "inline" else frame(page)
        expect(shown_in.locator(".tile")).to_have_count(3)
        picture = shown_in.locator(".tile img").first
        assert picture.evaluate(IS_LOADED)
    assert page.locator("iframe").count() == (how != "inline")
    assert len(said) == len(lines), said
    assert all(line in text for line, text in zip(lines, said, strict=True)), said


def integrity(page: Page, site: str) -> str:
    script = page.request.get(f"{site}/embed.js").body()
    return f"sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}"


def test_where_the_module_or_the_content_does_not_come_there_is_the_frame(page: Page, site: str, host: Host) -> None:
    page.route("**/widget.js?*", lambda route: route.abort())
    page.goto(host(f"<body>{tag(site, OPTIONS)}"))

    expect(frame(page).locator(".tile")).to_have_count(3)
    assert page.locator(BOXES).count() == 1
