"""Several accounts in one deployment: each below its name, with keys of its own, and none harms another."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from igfeed.accounts.directory import accounts_of
from igfeed.owner import upkeep
from tests.harness.owner import SECRET
from tests.harness.visitor import POST_IDS
from tests.servers.instagram import image

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from igfeed.accounts.directory import Accounts
    from igfeed.models import Token
    from igfeed.services import Services
    from tests.servers.instagram import Account, FakeInstagram

BEARER = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture
def accounts(app: Flask) -> Accounts:
    return accounts_of(app)


@pytest.fixture
def prints(instagram: FakeInstagram) -> Account:
    instagram.picture_size = (48, 60)
    return instagram.add_account("nord.prints", [image(), image()])


@pytest.fixture
def set_up(instagram: FakeInstagram, prints: Account, accounts: Accounts, token: Token) -> Services:
    """The default account has a token, and there is one called prints."""
    value = instagram.issue(age=timedelta(days=2), account=prints)
    with accounts.setting_up("prints") as services:
        upkeep.set_up(services, value, expires_in=timedelta(days=50))
    return services


def posts(client: FlaskClient, path: str) -> list[str]:
    response = client.get(path)
    assert response.status_code == 200
    return POST_IDS.findall(response.text)


def test_an_account_has_its_addresses_below_its_name(
    client: FlaskClient, set_up: Services, prints: Account, instagram: FakeInstagram
) -> None:
    ids = [post["id"] for post in prints.posts]

    assert posts(client, "/prints/") == posts(client, "/prints/embed") == ids
    assert posts(client, "/") == [post["id"] for post in instagram.posts[:12]]
    page = client.get("/prints/").text
    assert f'src="/prints/media/{ids[0]}-' in page
    assert 'href="/static/icon.svg?' in page, "files that all accounts share"
    assert client.get(f"/prints/media/{ids[0]}-320.webp").status_code == 200
    assert client.get(f"/media/{ids[0]}-320.webp").status_code == 404
    assert '"feed_url":"http://localhost/prints/feed.json"' in client.get("/prints/feed.json").text


def test_a_name_alone_leads_to_its_page(client: FlaskClient, set_up: Services) -> None:
    response = client.get("/prints?columns=3")

    assert (response.status_code, response.headers["Location"]) == (308, "prints/?columns=3")
    assert client.get("/prints", follow_redirects=True).status_code == 200
