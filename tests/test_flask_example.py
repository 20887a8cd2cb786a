"""The example of docs/flask.md, over HTTP behind a proxy with a prefix."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask

from igfeed.feed.service import FeedService
from tests.harness.app_server import serving
from tests.harness.visitor import POST_IDS

EXAMPLE = Path(__file__).parent.parent / "docs/examples/shop.py"
FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "nord.example", "X-Forwarded-Prefix": "/shop"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address. It has the sample account, whose posts are fetched already."""
    store = tmp_path_factory.mktemp("shop") / "feed.sqlite3"
    app: Flask = runpy.run_path(str(EXAMPLE))["create_app"]({"IGFEED_DEMO": True, "IGFEED_STORE_PATH": store})
    feed: FeedService = app.extensions["igfeed"].feed
    feed.fetch()
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}"


def get(address: str) -> requests.Response:
    return requests.get(address, headers=FORWARDED, timeout=60)


def test_the_page_and_all_that_it_loads_are_below_the_proxys_prefix_and_ours(shop: str) -> None:
    page = get(f"{shop}/").text
    loaded = {address.split()[0] for address in re.findall(r'(?:src|srcset)="([^"]+)', page)}

    assert len(POST_IDS.findall(page)) == 6
    assert 'href="/shop/instagram/feed.xml"' in page
    assert {address for address in loaded if not address.startswith("/shop/instagram/")} == set()
    module = next(address for address in loaded if "widget.js" in address)
    assert get(f"{shop}{module.removeprefix('/shop')}").status_code == 200


def test_the_feeds_own_page_names_the_address_that_visitors_see(shop: str) -> None:
    assert '<link rel="canonical" href="https://nord.example/shop/instagram/">' in get(f"{shop}/instagram/").text
    assert get(f"{shop}/instagram/feed.json").json()["feed_url"] == "https://nord.example/shop/instagram/feed.json"
