"""Browsers choose AVIF by the type that a `<source>` names, and show whatever its address answers."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page
from werkzeug.wrappers import Request, Response

from tests.browser.conftest import Host
from tests.harness.app_server import serving
from tests.harness.firefox import Firefox

pytestmark = pytest.mark.browser

FIRST_PICTURE = """(async () => {
  const image = document.querySelector('.tile img');
  await image.decode();
  return [image.currentSrc.split(".").pop(), image.naturalWidth > 0];
})()"""
"""The ending of the address that was chosen, and whether the picture could be read."""


@pytest.fixture
def webp_under_avif() -> Iterator[str]:
    """A page whose `<source>` promises AVIF. Its address answers WebP, as ours does where there is no AVIF."""
    file = BytesIO()
    Image.new("RGB", (7, 5)).save(file, "WEBP")
    html = "<!doctype html><div class=tile><picture><source type=image/avif srcset=/1.avif><img src=/1.webp></picture>"

    @Request.application
    def app(request: Request) -> Response:
        if request.path == "/1.avif":
            return Response(file.getvalue(), mimetype="image/webp")
        return Response(html, mimetype="text/html", status=200 if request.path == "/" else 404)

    with serving(app) as port:
        yield f"http://127.0.0.1:{port}/"


def test_chromium_loads_avif_and_shows_webp_that_comes_in_its_place(
    page: Page, site: str, webp_under_avif: str
) -> None:
    page.goto(site)
    ours = page.evaluate(FIRST_PICTURE)
    page.goto(webp_under_avif)

    assert ours == ["avif", True]
    assert page.evaluate(FIRST_PICTURE) == ["avif", True]


def test_firefox_loads_avif_and_shows_webp_that_comes_in_its_place(
    firefox: Firefox, site: str, webp_under_avif: str
) -> None:
    firefox.resize(390, 844)
    firefox.go(site)
    ours = firefox.evaluate(f"return {FIRST_PICTURE}")
    firefox.go(webp_under_avif)

    assert ours == ["avif", True]
    assert firefox.evaluate(f"return {FIRST_PICTURE}") == ["avif", True]


def test_a_feed_inside_a_page_of_another_host_loads_avif_from_ours(page: Page, site: str, host: Host) -> None:
    page.goto(host(f'<body><script src="{site}/embed.js" data-columns="3"></script>'))
    image = page.locator(".tile img").first
    image.evaluate("image => image.decode()")
    source = page.locator(".tile source").first

    assert image.evaluate("image => image.currentSrc").startswith(f"{site}/media/")
    assert image.evaluate("image => image.currentSrc").endswith("-320.avif")
    assert source.get_attribute("sizes") == image.get_attribute("sizes")
