"""The feed in a page whose server put it there, with script and without."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, Host, box

pytestmark = pytest.mark.browser

OPTIONS = "limit=3&columns=3&header=1"
IS_LOADED = "async image => { await image.decode(); return image.naturalWidth > 0 }"


def fragment(page: Page, site: str, options: str = OPTIONS) -> str:
    return page.request.get(f"{site}/fragment?{options}").text()


def colour_of(page: Page, selector: str, name: str = "color") -> str:
    return str(box(page).locator(selector).first.evaluate(f"each => getComputedStyle(each)['{name}']"))


def test_without_script_the_posts_are_there_in_the_pages_font_and_colour(
    chromium: Browser, site: str, host: Host
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    style = "html { font-size: 62.5% } body { background: #012; color: rgb(220, 230, 255); font-family: Georgia }"
    page.goto(host(f"<style>{style} a {{ color: red !important }}</style><body>{fragment(page, site)}"))

    expect(box(page).locator(".tile")).to_have_count(3)
    assert box(page).locator(".tile img").first.evaluate(IS_LOADED)
    for part in ("h1", ".follow", ".pages a"):
        assert colour_of(page, part) == "rgb(220, 230, 255)"
        assert colour_of(page, part, "fontFamily") == "Georgia"
    assert colour_of(page, ".follow", "backgroundColor") == "rgba(0, 0, 0, 0)"
    assert box(page).get_by_role("link", name="Older posts").get_attribute("target") == "_blank"
    context.close()


def test_with_script_several_of_them_do_what_the_embed_does(page: Page, site: str, host: Host) -> None:
    one, two = fragment(page, site), fragment(page, site, "limit=6&theme=dark")
    page.goto(host(f"<style>body {{ color: #222 }}</style><body><main>{one}</main><aside>{two}</aside>"))
    themes = [box(page, number).locator(".inline") for number in (0, 1)]
    expect(themes[0]).to_have_attribute("data-theme", "light")
    expect(themes[1]).to_have_attribute("data-theme", "dark")
    page.evaluate("document.body.style.color = 'white'")
    expect(themes[0]).to_have_attribute("data-theme", "dark")

    box(page).get_by_role("link", name="Older posts").click()
    expect(box(page).locator(".tile")).to_have_count(6)
    box(page).locator(".tile > a").nth(4).click()
    opened = box(page).locator("dialog")
    expect(opened).to_be_visible()
    assert opened.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    page.keyboard.press("Escape")
    expect(opened).to_be_hidden()
    assert box(page, 1).locator(".tile").count() == 6


@pytest.mark.fresh_page
def test_where_a_policy_refuses_its_style_its_script_applies_it(page: Page, site: str, host: Host) -> None:
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    policy = f"style-src 'none'; script-src {site}; img-src {site}; connect-src {site}"
    page.goto(host(f"<body>{fragment(page, site)}", {"Content-Security-Policy": policy}))
    expect(box(page).locator(".inline")).to_have_attribute("data-theme", "light")

    assert colour_of(page, ".grid", "display") == "grid"
    assert said == []


def test_where_a_policy_refuses_its_script_the_posts_are_links(page: Page, site: str, host: Host) -> None:
    policy = f"script-src 'none'; style-src 'unsafe-inline'; img-src {site}"
    page.goto(host(f"<body>{fragment(page, site)}", {"Content-Security-Policy": policy}))

    expect(box(page).locator(".tile")).to_have_count(3)
    assert (box(page).locator(".tile > a").first.get_attribute("href") or "").startswith("https://www.instagram.com/")
