"""Back closes an opened post and nothing else: on our page, in a frame, and in a page with a router."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Host, tag

pytestmark = pytest.mark.browser

BACK = "setTimeout(() => history.back())"
"""By script, because Playwright would wait for the page itself; later, because the page may be gone at once."""

WITH_A_ROUTER = """<body><script>
history.replaceState({router: 7}, '');
const seen = [];
addEventListener('popstate', event => seen.push(event.state));
</script>"""

AT_OUR_ENTRY = "() => root.querySelector('iframe').contentWindow.history.state === 1"
AT_THE_PAGES = "() => root.querySelector('iframe').contentWindow.history.state === null"


def opened(page: Page, address: str) -> None:
    page.goto("about:blank")
    page.goto(address)
    page.evaluate("window.root ??= document")
    page.locator(".tile > a").nth(1).click()
    expect(page.locator("dialog .bar p")).to_have_text("2 / 3")
    page.wait_for_function(AT_OUR_ENTRY)


def test_back_closes_the_post_and_forward_does_not_open_it_again(page: Page, site: str) -> None:
    opened(page, f"{site}/?limit=3")

    page.evaluate(BACK)
    expect(page.locator("dialog")).to_be_hidden()
    page.evaluate("history.forward()")
    page.wait_for_function(AT_THE_PAGES)
    assert page.locator("dialog").is_hidden()
    page.evaluate(BACK)

    page.wait_for_url("about:blank")


@pytest.mark.parametrize("how", ["button", "Escape"])
def test_a_closed_post_leaves_no_entry_behind(page: Page, site: str, how: str) -> None:
    opened(page, f"{site}/?limit=3")

    page.keyboard.press("Escape") if how == "Escape" else page.get_by_role("button", name="Close").click()
    expect(page.locator("dialog")).to_be_hidden()
    page.wait_for_function(AT_THE_PAGES)
    page.evaluate(BACK)

    page.wait_for_url("about:blank")


def test_a_post_that_is_opened_before_the_browser_is_back_stays_open(page: Page, site: str) -> None:
    opened(page, f"{site}/?limit=3")

    states = page.evaluate("""async () => {
      const [box, link, {contentWindow}] = ['dialog', '.tile > a', 'iframe'].map(each => document.querySelector(each));
      const gone = new Promise(done => contentWindow.addEventListener('popstate', done));
      box.addEventListener('close', () => link.click(), {once: true});
      box.querySelector('.close').click();
      await gone;
      return [box.open, contentWindow.history.state];
    }""")
    page.evaluate(BACK)

    assert states == [True, 1]
    expect(page.locator("dialog")).to_be_hidden()
    assert page.url == f"{site}/?limit=3"


def test_two_posts_that_are_closed_before_the_browser_is_back_do_not_leave_the_page(page: Page, site: str) -> None:
    opened(page, f"{site}/?limit=3")

    page.evaluate("""() => {
      const [box, link] = ['dialog', '.tile > a'].map(each => document.querySelector(each));
      // All in one task, so that the browser cannot be back in between.
      box.addEventListener('close', () => {
        link.click();
        box.close();
        box.onclose();
      }, {once: true});
      box.querySelector('.close').click();
    }""")
    page.wait_for_function(AT_THE_PAGES)
    page.evaluate(BACK)

    page.wait_for_url("about:blank")


def test_after_a_reload_with_an_open_post_the_feed_is_there_and_works(page: Page, site: str) -> None:
    opened(page, f"{site}/?limit=3")

    page.reload()

    assert page.locator("dialog").is_hidden()
    page.locator(".tile > a").first.click()
    expect(page.locator("dialog .bar p")).to_have_text("1 / 3")
    page.evaluate("window.root = document")
    page.wait_for_function(AT_OUR_ENTRY)
    page.evaluate(BACK)
    expect(page.locator("dialog")).to_be_hidden()
    assert page.url == f"{site}/?limit=3"


def test_a_frame_leaves_the_history_alone(page: Page, host_page: str) -> None:
    page.goto(host_page)
    before = page.evaluate("history.length")
    inner = page.frame_locator("iframe")

    inner.locator(".tile > a").first.click()
    expect(inner.locator("dialog .bar p")).to_have_text("1 / 12")
    inner.get_by_role("button", name="Close").click()
    expect(inner.locator("dialog")).to_be_hidden()

    assert inner.locator("iframe").count() == 0
    assert page.evaluate("history.length") == before


@pytest.mark.fresh_page
def test_in_somebodys_page_state_and_address_stay_and_its_router_hears_nothing(
    page: Page, site: str, host: Host
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    address = host(WITH_A_ROUTER + tag(site, "data-limit=3"))
    page.goto(address)
    dialog = page.locator("dialog")

    page.locator(".tile > a").first.click()
    expect(dialog.locator(".bar p")).to_have_text("1 / 3")
    page.evaluate("window.root = [...document.querySelectorAll('*')].find(each => each.shadowRoot).shadowRoot")
    page.wait_for_function(AT_OUR_ENTRY)
    assert page.evaluate("[history.state, location.href]") == [{"router": 7}, address]
    page.keyboard.press("ArrowRight")
    expect(dialog.locator(".bar p")).to_have_text("2 / 3")
    page.evaluate(BACK)
    expect(dialog).to_be_hidden()
    page.locator(".tile > a").first.click()
    page.wait_for_function(AT_OUR_ENTRY)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.wait_for_function(AT_THE_PAGES)

    assert page.evaluate("[history.state, location.href]") == [{"router": 7}, address]
    assert page.evaluate("seen") == []
    page.evaluate("history.pushState({router: 8}, ''); history.back()")
    page.wait_for_function("() => seen.length == 1")
    assert errors == []
