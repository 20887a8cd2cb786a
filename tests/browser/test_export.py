"""An export in a browser: opened from the disk, from a server of plain files, and inside somebody's page."""

from mimetypes import guess_type
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.wrappers import Request, Response

from igfeed import create_app
from igfeed.models import Token
from igfeed.services import Services
from tests.browser.conftest import PATIENCE, Host, box
from tests.harness.app_server import serving
from tests.servers.instagram import FakeInstagram, album, child_image, image

pytestmark = pytest.mark.browser

ARE_LOADED = "async images => { for (const each of images) await each.decode(); return images.length }"


@pytest.fixture
def folder(services: Services, token: Token, instagram: FakeInstagram, tmp_path: Path) -> Path:
    """Two pages of two posts each, in a subfolder."""
    instagram.picture_size = (96, 120)
    instagram.posts = [image(), album([child_image(), child_image()]), image(), image()]
    place = tmp_path / "public" / "feed"
    arguments = ["igfeed", "export", str(place), "--options", "limit=2"]
    assert create_app(services=services).test_cli_runner().invoke(args=arguments).exit_code == 0
    return place


def watched(page: Page) -> tuple[list[str], list[str]]:
    """What the page asks for from now on, and what the console says."""
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return asked, said


def assert_pictures_are_loaded(page: Page) -> None:
    assert page.locator(".tile img").evaluate_all(ARE_LOADED) > 0


@pytest.mark.fresh_page
def test_opened_from_the_disk_it_works_with_and_without_script_and_asks_for_nothing_else(
    chromium: Browser, page: Page, folder: Path
) -> None:
    asked, said = watched(page)
    page.goto((folder / "index.html").as_uri())
    expect(page.locator(".tile")).to_have_count(2)
    assert_pictures_are_loaded(page)
    page.locator(".tile > a").nth(1).click()
    expect(page.locator("dialog")).to_be_visible()
    page.locator("dialog .shots img").last.evaluate("image => image.decode()")
    page.evaluate("history.back()")
    expect(page.locator("dialog")).to_be_hidden()
    page.get_by_role("link", name="Older posts").click()
    page.wait_for_url("**/page-2.html")
    assert_pictures_are_loaded(page)
    assert said == []
    assert all(each.startswith((folder.as_uri(), "about:")) for each in asked)

    without = chromium.new_page(java_script_enabled=False)
    without.set_default_timeout(PATIENCE)
    without.goto((folder / "page-2.html").as_uri())
    assert_pictures_are_loaded(without)
    without.get_by_role("link", name="Newer posts").click()
    without.wait_for_url("**/index.html")
    without.close()


@pytest.mark.fresh_page
def test_from_a_server_of_files_older_posts_come_into_the_page_and_into_other_sites_pages(
    page: Page, folder: Path, host: Host
) -> None:
    @Request.application
    def server(request: Request) -> Response:
        file = folder.parent / request.path.lstrip("/")
        headers = {"Access-Control-Allow-Origin": "*"}
        return Response(file.read_bytes(), mimetype=guess_type(file)[0], headers=headers)

    with serving(server) as port:
        home = f"http://127.0.0.1:{port}/feed/"
        asked, said = watched(page)
        page.goto(f"{home}index.html")
        page.get_by_role("link", name="Older posts").click()
        expect(page.locator(".tile")).to_have_count(4)
        assert_pictures_are_loaded(page)
        assert all(each.startswith(home) for each in asked)

        page.goto(host(f'<body style="color: #eee"><script src="{home}embed.js"></script>'))
        expect(box(page).locator(".inline")).to_have_attribute("data-theme", "dark")
        box(page).get_by_role("link", name="Older posts").click()
        expect(box(page).locator(".tile")).to_have_count(4)
        assert_pictures_are_loaded(page)
        assert said == []
