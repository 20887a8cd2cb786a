"""The studio in a browser: axe, keyboard only, without script, on a phone and on a desktop."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from igfeed import create_app
from igfeed.accounts.directory import accounts_of
from igfeed.config import Settings
from igfeed.demo.account import DEMO_TOKEN
from igfeed.owner import upkeep
from tests.browser.conftest import PATIENCE
from tests.browser.test_accessibility import violations
from tests.harness.app_server import serving
from tests.harness.owner import SECRET

pytestmark = pytest.mark.browser

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
WAYS = {
    "phone, light": {"viewport": PHONE, "color_scheme": "light"},
    "desktop, dark": {"viewport": DESKTOP, "color_scheme": "dark"},
}
FIVE_COLUMNS = re.compile(r"^(\S+ ){4}\S+$")


@pytest.fixture(scope="module")
def studio(demo_store: str) -> Iterator[str]:
    """The demo's studio."""
    app = create_app(Settings.from_env({"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": demo_store, "CRON_SECRET": SECRET}))
    app.test_client().get("/")
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}/studio"


@pytest.fixture
def two_studios(tmp_path: Path) -> Iterator[str]:
    """The address of a deployment with two accounts."""
    variables = {"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": str(tmp_path / "store.sqlite3"), "CRON_SECRET": SECRET}
    app = create_app(Settings.from_env(variables))
    with app.app_context(), accounts_of(app).setting_up("prints") as services:
        upkeep.set_up(services, DEMO_TOKEN, expires_in=timedelta(days=50))
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def owner(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """The owner's browser, which knows the secret. A parameter has what it is set to."""
    usual = {"viewport": DESKTOP, "reduced_motion": "reduce"}
    context = chromium.new_context(
        http_credentials={"username": "owner", "password": SECRET}, **{**usual, **getattr(request, "param", {})}
    )
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("owner", WAYS.values(), ids=WAYS, indirect=True)
def test_axe_finds_nothing_and_nothing_stands_over_the_edge(owner: Page, studio: str) -> None:
    complaints: list[str] = []
    owner.on("console", lambda message: complaints.append(message.text))
    hosts: set[str] = set()
    owner.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    # Not until all is loaded: the pictures of the sample account are drawn when somebody looks at them.
    owner.goto(studio, wait_until="domcontentloaded")
    owner.locator(".stage").scroll_into_view_if_needed()
    owner.frame_locator(".preview").locator(".tile").first.wait_for()

    assert violations(owner) == ""
    assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [each for each in complaints if "503" not in each] == []
    assert hosts == {studio.split("/")[2]}


def test_a_control_changes_preview_snippets_and_address(owner: Page, studio: str) -> None:
    owner.goto(studio, wait_until="domcontentloaded")
    owner.get_by_label("Columns posts in a row").fill("5")
    preview = owner.frame_locator(".preview")
    expect(preview.locator(".grid")).to_have_css("grid-template-columns", FIVE_COLUMNS)

    expect(owner.locator(".snippet.script code")).to_contain_text('data-columns="5"')
    expect(owner).to_have_url(f"{studio}?columns=5#look")
    owner.get_by_text("Phone", exact=True).click()
    assert preview.locator("html").evaluate("innerWidth") == 390
    owner.locator(".grounds .black").click()
    expect(owner.locator(".stage")).to_have_css("background-color", "rgb(0, 0, 0)")
    expect(preview.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_snippet_is_copied(owner: Page, studio: str) -> None:
    owner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    owner.goto(f"{studio}?gap=9", wait_until="domcontentloaded")
    owner.get_by_text("WordPress", exact=True).click()
    owner.locator(".snippet.wordpress .copy").click()

    expect(owner.locator(".snippet.wordpress .copy")).to_have_text("Copied")
    assert owner.evaluate("navigator.clipboard.readText()") == f"{studio.removesuffix('studio')}?gap=9"


def test_by_keyboard_alone_a_button_is_reached_and_pressed_and_the_page_says_what_it_did(
    owner: Page, studio: str
) -> None:
    owner.goto(studio, wait_until="domcontentloaded")
    for _ in range(20):
        owner.keyboard.press("Tab")
        if owner.evaluate("document.activeElement.textContent.trim()") == "Fetch the feed now":
            break
    owner.keyboard.press("Enter")

    expect(owner.get_by_role("status")).to_have_text("The feed was fetched.")


@pytest.mark.parametrize("owner", [{"java_script_enabled": False}], ids=["no script"], indirect=True)
def test_without_script_the_options_are_shown_and_a_button_works(owner: Page, studio: str) -> None:
    owner.goto(studio, wait_until="domcontentloaded")
    owner.get_by_label("Gap pixels between posts").fill("20")
    owner.get_by_text("Carousel", exact=True).click()
    owner.get_by_role("button", name="Show", exact=True).click()

    expect(owner.frame_locator(".preview").locator(".strip .grid")).to_be_visible()
    owner.get_by_text("Iframe", exact=True).click()
    expect(owner.locator(".snippet.frame code")).to_contain_text("embed?gap=20&amp;layout=carousel")
    expect(owner.locator(".copy:visible")).to_have_count(0)
    owner.get_by_role("button", name="Renew the token now").click()
    expect(owner.get_by_role("status")).to_be_visible()


@pytest.mark.parametrize("owner", [{"viewport": PHONE}], ids=["phone"], indirect=True)
def test_the_switch_is_opened_by_keyboard_closed_by_escape_and_leads_to_the_other_studio(
    owner: Page, two_studios: str
) -> None:
    owner.goto(f"{two_studios}/studio", wait_until="domcontentloaded")
    switch, link = owner.locator(".switcher > summary"), owner.locator(".switcher .row").nth(1)
    switch.press("Enter")
    expect(link).to_be_visible()
    assert violations(owner) == ""
    assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth")
    owner.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(switch).to_be_focused()

    switch.click()
    link.click()

    expect(owner).to_have_url(f"{two_studios}/prints/studio")
    expect(owner.locator(".snippet.script code")).to_contain_text(f'src="{two_studios}/prints/embed.js"')
