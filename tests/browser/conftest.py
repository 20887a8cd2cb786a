"""A real Chromium before a real server with the sample feed."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, ViewportSize, expect, sync_playwright
from werkzeug.wrappers import Response

from igfeed import create_app
from igfeed.config import Settings
from tests.harness.app_server import serving
from tests.harness.firefox import Firefox

PATIENCE = 120_000
"""Milliseconds after which a test gives up; a busy machine may take long to draw the sample pictures."""

PHONE: ViewportSize = {"width": 390, "height": 844}

expect.set_options(timeout=PATIENCE)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


Host = Callable[..., str]
"""Puts up a page of another site: takes its HTML, and headers if need be, gives its address."""


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file in which the demo keeps its pictures. All workers have the same, so that each is drawn once."""
    base = tmp_path_factory.getbasetemp()
    return str((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo.sqlite3")


@pytest.fixture(scope="session")
def site(demo_store: str) -> Iterator[str]:
    """The address of the demo."""
    app = create_app(Settings.from_env({"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": demo_store}))
    app.test_client().get("/")  # Before anybody has looked, the script for host pages does not know whose feed it is.
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that has no token and no posts yet."""
    store = tmp_path_factory.mktemp("empty") / "store.sqlite3"
    with serving(create_app(Settings.from_env({"IGFEED_STORE_PATH": str(store)}))) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def host_page(site: str) -> Iterator[str]:
    """Another site's page with the embed in an iframe."""
    html = f'<!doctype html><iframe title="Posts" src="{site}/embed" style="width:100%;height:900px"></iframe>'
    with serving(Response(html, mimetype="text/html")) as port:
        yield f"http://localhost:{port}"


@pytest.fixture
def host() -> Iterator[Host]:
    with ExitStack() as stack:

        def put_up(html: str, headers: dict[str, str] | None = None) -> str:
            html = f"<!doctype html><html lang=en><title>Host</title>{html}"
            page = Response(html, headers=headers, mimetype="text/html")
            return f"http://localhost:{stack.enter_context(serving(page))}/"

        yield put_up


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's or whatever is on the PATH; where there is none the tests are skipped, except in CI.

    The headless shell comes first: it has no browser window, so a new page takes a third of the time.
    """
    found = next(
        filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))),
        None,
    )
    if found is None:
        assert "CI" not in os.environ, "Chromium is missing: apt install chromium-headless-shell"
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(Path(found)), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def phone(chromium: Browser) -> Iterator[Page]:
    """A phone that is patient and wants less motion: only tests about motion have to wait for it."""
    context = chromium.new_context(viewport=PHONE, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def kept_page(chromium: Browser) -> Iterator[Page]:
    """The worker's one page. In a new one, going to the demo takes more than twice the processor time."""
    with phone(chromium) as page:
        lasting = ((page, "add_init_script"), (page, "expose_function"), (page, "on"), (page.clock, "install"))
        for owner, name in lasting:
            setattr(owner, name, refuse_what_would_stay)
        yield page


def refuse_what_would_stay(*_: object, **__: object) -> None:
    raise AssertionError("This would stay on the page of all tests: mark the test with `pytest.mark.fresh_page`")


@pytest.fixture
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """An empty page: of its own for a test that is marked with `fresh_page`, else the one of all tests."""
    if request.node.get_closest_marker("fresh_page"):
        with phone(chromium) as page:
            yield page
    else:
        yield cleared(request.getfixturevalue("kept_page"))


def cleared(page: Page) -> Page:
    """The same page, as empty as a new one."""
    page.unroute_all()
    page.goto("about:blank")
    for other in page.context.pages:
        if other is not page:
            other.close()
    page.context.clear_cookies()
    page.set_viewport_size(PHONE)
    page.emulate_media(media="null", color_scheme="null", forced_colors="null", reduced_motion="reduce")
    page.mouse.move(0, 0)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.clearBrowserCache")
    devtools.send("Page.resetNavigationHistory")
    devtools.detach()
    return page


@pytest.fixture(params=["", "data-frame"], ids=["inline", "frame"])
def way(request: pytest.FixtureRequest) -> str:
    """How the script shows the feed: an attribute of its tag."""
    return str(request.param)


@pytest.fixture(scope="session")
def firefox_of_the_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    found = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
    if found is None:
        pytest.skip("Firefox is not installed")
    with Firefox(found, tmp_path_factory.mktemp("firefox")) as firefox:
        yield firefox


@pytest.fixture(scope="module")
def firefox(firefox_of_the_worker: Firefox) -> Firefox:
    """Its one window, as large and as light for each module as for the first. Tests go to pages of their own."""
    firefox_of_the_worker.set_scheme("light")
    firefox_of_the_worker.resize(1280, 720)
    return firefox_of_the_worker


def park_pointer(page: Page) -> None:
    """Moves the pointer off the page. Chromium's headless shell has it in the upper left corner of each new page."""
    page.mouse.move(-1, -1)


def tag(site: str, options: str = "", how: str = "") -> str:
    return f'<script {how} src="{site}/embed.js" {options}></script>'


BOXES = "[data-igfeed]:not(a)"
"""The elements that the script makes: a frame, or an element with a shadow root."""


def box(page: Page, number: int = 0) -> Locator:
    return page.locator(BOXES).nth(number)


def feed(page: Page, number: int = 0) -> Locator | FrameLocator:
    """Where the posts are: in the page itself or in a frame."""
    place = box(page, number)
    place.wait_for(state="attached")
    return place.content_frame if place.evaluate("box => box.localName") == "iframe" else place


def frame(page: Page, number: int = 0) -> FrameLocator:
    return page.frame_locator("iframe").nth(number)


def wait_until_it_fits(page: Page, number: int = 0, at_least: int = 50) -> None:
    """Until the box is exactly as high as its content, and that is at least so high."""
    place = box(page, number) if page.locator(BOXES).count() else page.locator("iframe").nth(number)
    inner = place.element_handle().content_frame()
    for _ in range(1000):
        outer = place.evaluate("box => box.offsetHeight")
        height = (
            inner.evaluate("document.documentElement.offsetHeight")
            if inner
            else place.evaluate("box => box.shadowRoot?.querySelector('.inline')?.offsetHeight")
        )
        if height == outer >= at_least:
            return
        page.evaluate("new Promise(requestAnimationFrame)")
    raise AssertionError(f"the box has {outer}, its content {height}")
