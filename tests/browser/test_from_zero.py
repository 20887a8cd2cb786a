"""From a fresh deployment with one variable to a feed on another page, as docs/deploy.md says it, in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from igfeed import create_app
from igfeed.clock import system_clock
from igfeed.config import Settings
from tests.browser.conftest import PATIENCE, Host, feed
from tests.harness.app_server import serving
from tests.harness.owner import SECRET
from tests.servers.instagram import FakeInstagram, image

pytestmark = pytest.mark.browser


@pytest.fixture
def instagram() -> Iterator[FakeInstagram]:
    """Its authorize page is shown, as people see it."""
    with FakeInstagram(clock=system_clock) as server:
        server.picture_size = (48, 60)
        server.posts[:] = [image(), image()]
        server.shows_page = True
        yield server


@pytest.fixture
def fresh_site(instagram: FakeInstagram, tmp_path: Path) -> Iterator[str]:
    """What there is after the deploy button: an empty store and CRON_SECRET. The rest leads to the fake Instagram."""
    environ = {
        "CRON_SECRET": SECRET,
        "IGFEED_STORE_PATH": str(tmp_path / "store.sqlite3"),
        **dict.fromkeys(("INSTAGRAM_API_URL", "INSTAGRAM_OAUTH_URL", "INSTAGRAM_LOGIN_URL"), instagram.url),
        "INSTAGRAM_MEDIA_ORIGINS": instagram.url,
    }
    with serving(create_app(Settings.from_env(environ))) as port:
        yield f"http://localhost:{port}"


@pytest.fixture
def owner(chromium: Browser) -> Iterator[Page]:
    """Any user name, the secret as password."""
    context = chromium.new_context(http_credentials={"username": "me", "password": SECRET}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_an_owner_gets_from_the_studio_to_a_feed_on_their_page_without_a_terminal(
    owner: Page, page: Page, fresh_site: str, instagram: FakeInstagram, host: Host
) -> None:
    # Step 4: the studio shows what Meta's dashboard asks for.
    owner.goto(f"{fresh_site}/studio")
    expect(owner.get_by_text(f"{fresh_site}/connect/callback", exact=True)).to_be_visible()

    # Step 5: the app's id and secret.
    owner.locator("#app-id").fill(instagram.app_id)
    owner.locator("#app-secret").fill(instagram.app_secret)
    owner.get_by_role("button", name="Keep id and secret").click()

    # Step 6: Connect.
    owner.locator("#health").get_by_role("link", name="Connect Instagram").click()
    owner.get_by_role("link", name="Allow").click()
    expect(owner.get_by_text("Your account is connected.")).to_be_visible()

    # Step 7: the snippet.
    snippet = owner.locator(".snippet pre").first.text_content()
    page.goto(host(f"<body>{snippet}"))
    expect(feed(page).locator(".tile")).to_have_count(2)
