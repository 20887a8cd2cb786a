"""The whole way in a real browser: from the owner's button over Instagram's page to a feed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from igfeed import create_app
from igfeed.clock import system_clock
from igfeed.config import Settings
from igfeed.services import Services, services_of
from tests.browser.conftest import PATIENCE
from tests.browser.test_accessibility import violations
from tests.harness.app_server import serving
from tests.harness.owner import SECRET
from tests.harness.variables import variables
from tests.servers.instagram import FakeInstagram, default_profile, image


@pytest.fixture
def instagram() -> Iterator[FakeInstagram]:
    with FakeInstagram(clock=system_clock, posts=[image(), image()]) as instagram:
        instagram.picture_size = (48, 60)
        instagram.shows_page = True
        yield instagram


@pytest.fixture
def services(instagram: FakeInstagram, tmp_path: Path) -> Services:
    login = {"INSTAGRAM_OAUTH_URL": instagram.url, "INSTAGRAM_LOGIN_URL": instagram.url}
    app = {"INSTAGRAM_APP_ID": instagram.app_id, "INSTAGRAM_APP_SECRET": instagram.app_secret}
    settings = Settings.from_env(variables(instagram, tmp_path / "store.sqlite3", **login, **app))
    return services_of(create_app(settings))


@pytest.fixture
def address(services: Services) -> Iterator[str]:
    """Under another name than Instagram's, so that the browser comes back from another site, as in real life."""
    with serving(create_app(services=services)) as port:
        yield f"http://localhost:{port}"


@pytest.fixture
def owner(chromium: Browser, address: str) -> Iterator[Page]:
    credentials = {"username": "owner", "password": SECRET, "origin": address}
    context = chromium.new_context(http_credentials=credentials, base_url=address)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def studio(address: str, done: str = "") -> re.Pattern[str]:
    """Its address. Browsers keep the "#_" of Instagram's redirect through ours."""
    return re.compile(re.escape(f"{address}/studio" + (f"?done={done}" if done else "")) + "(#_)?")


def test_from_the_button_to_the_feed_and_to_another_account_only_when_the_owner_says_so(
    owner: Page, services: Services, instagram: FakeInstagram, address: str
) -> None:
    owner.goto("/connect")
    expect(owner).to_have_title("Instagram")
    allow = owner.get_by_role("link", name="Allow")
    back = allow.get_attribute("href") or ""
    allow.click()

    expect(owner).to_have_url(studio(address, "connected"))
    expect(owner.get_by_text("@studio.nord").first).to_be_visible()
    token = services.tokens.report().token
    assert token
    assert instagram.alive(token.value)

    # The browser calls the address once more: a reload, or a tab that is opened again.
    owner.goto(back)
    expect(owner).to_have_url(studio(address))
    assert services.tokens.report().token == token
    assert [cookie["name"] for cookie in owner.context.cookies(f"{address}/connect")] == ["igfeed_connect"]
    assert owner.context.cookies(f"{address}/studio") == []

    instagram.profile = {**default_profile(), "id": "245", "user_id": "178", "username": "atelier.sol"}
    instagram.login_id = "271"
    owner.goto("/connect?another=1")
    owner.get_by_role("link", name="Allow").click()
    keep = owner.get_by_role("button", name="Keep @studio.nord")
    expect(keep).to_be_visible()
    assert violations(owner) == ""
    keep.click()
    expect(owner).to_have_url(studio(address, "connect_kept"))
    assert services.tokens.report().token == token

    owner.goto("/connect?another=1")
    owner.get_by_role("link", name="Allow").click()
    owner.get_by_role("button", name="Show @atelier.sol").click()
    expect(owner).to_have_url(studio(address, "connected"))
    expect(owner.get_by_text("@atelier.sol").first).to_be_visible()


def test_who_cancels_at_instagram_is_back_in_the_studio(
    owner: Page, services: Services, instagram: FakeInstagram, address: str
) -> None:
    instagram.user_denies = True
    owner.goto("/connect")
    owner.get_by_role("link", name="Allow").click()

    expect(owner).to_have_url(studio(address, "connect_failed"))
    expect(owner.get_by_text("Connecting did not work")).to_be_visible()
    assert services.tokens.report().token is None
