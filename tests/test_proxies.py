"""Visitors who came by https get addresses with https, whoever ended it on the way."""

import os
import re
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.config import Settings
from igfeed.errors import ConfigError
from igfeed.models import Token
from igfeed.web.proxies import is_trusted
from tests.conftest import MakeServices
from tests.harness.gunicorn import gunicorn
from tests.harness.visitor import Visitor

PROXY, STRANGER = "10.1.2.3", "203.0.113.7"


def canonical(client: FlaskClient, forwarded: str, address: str = "127.0.0.1") -> str:
    environ = {"REMOTE_ADDR": address, "HTTP_HOST": "feed.example"}
    page = client.get("/", headers={"X-Forwarded-Proto": forwarded}, environ_overrides=environ).text
    return scheme_on(page)


def scheme_on(page: str) -> str:
    schemes = set(re.findall(r'(?:href|content)="(https?)://(?:feed\.example|127\.0\.0\.1:\d+)/', page))
    (scheme,) = schemes
    return str(scheme)


@pytest.fixture
def behind_proxy(make_services: MakeServices, token: Token) -> FlaskClient:
    return Visitor(create_app(services=make_services(FORWARDED_ALLOW_IPS="10.0.0.0/8")))


@pytest.mark.parametrize(
    ("forwarded", "scheme"),
    [
        ("https", "https"),
        ("https,http", "https"),
        ("https, http", "https"),
        (" HTTPS ,http,http", "https"),
        ("http", "http"),
        ("http,https", "http"),
        ("", "http"),
        (",https", "http"),
        ("javascript", "http"),
        ('https"><script>', "http"),
    ],
)
def test_the_first_value_of_the_header_is_the_visitors_scheme(
    behind_proxy: FlaskClient, forwarded: str, scheme: str
) -> None:
    assert canonical(behind_proxy, forwarded, PROXY) == scheme


@pytest.mark.parametrize("address", [STRANGER, "127.0.0.1", "::1", "no address"])
def test_a_client_that_is_not_trusted_does_not_decide_the_scheme(behind_proxy: FlaskClient, address: str) -> None:
    assert canonical(behind_proxy, "https", address) == "http"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""])
def test_a_proxy_on_the_same_machine_is_trusted_unless_the_owner_says_otherwise(
    client: FlaskClient, token: Token, address: str
) -> None:
    assert canonical(client, "https", address) == "https"
    assert canonical(client, "https", STRANGER) == "http"


def test_base_url_decides_the_scheme_before_any_proxy(make_services: MakeServices, token: Token) -> None:
    client = Visitor(create_app(services=make_services(BASE_URL="https://feed.example")))

    assert canonical(client, "http") == "https"


@pytest.mark.parametrize("base_url", ["", "https://feed.example"])
@pytest.mark.parametrize("prefix", ["/shop", "/shop/feed", "/shop/", "/%C3%BC", "/feeds/ü", "/a.b-c_d~e"])
def test_a_prefix_is_a_path(make_services: MakeServices, token: Token, base_url: str, prefix: str) -> None:
    client = Visitor(create_app(services=make_services(BASE_URL=base_url)))

    page = client.get("/embed", environ_overrides={"SCRIPT_NAME": prefix.encode().decode("latin-1")})

    assert page.status_code == 200
    assert f'src="{prefix.rstrip("/")}/media/' in page.text.replace("%25", "%")


@pytest.mark.parametrize("base_url", ["", "https://feed.example"])
@pytest.mark.parametrize(
    "prefix",
    [
        "//evil.example",
        "/\\evil.example",
        "javascript",
        "evil",
        "/",
        "/a//b",
        '/"><b>',
        "/a\r\nX: 1",
        "/\0",
        "/a?b",
        "/a#b",
    ],
)
def test_a_prefix_that_is_no_path_gets_404_and_no_finished_page(
    make_services: MakeServices, token: Token, base_url: str, prefix: str
) -> None:
    """With it every link and picture of the page would lead to another host."""
    client = Visitor(create_app(services=make_services(BASE_URL=base_url)))
    client.get("/embed")

    for path in ("/", "/embed", "/embed.js", "/nothing"):
        answer = client.get(path, environ_overrides={"SCRIPT_NAME": prefix})
        assert answer.status_code == 404
        assert "evil" not in answer.text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("setting", "address", "trusted"),
    [
        ("*", STRANGER, True),
        ("*", "2001:db8::1", True),
        ("10.1.2.3", PROXY, True),
        ("10.1.2.3", "10.1.2.4", False),
        ("192.0.2.1, 10.0.0.0/8 ,", PROXY, True),
        ("fd00::/8", "fd12::1%eth0", True),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
    ],
)
def test_trusted_are_addresses_and_networks(setting: str, address: str, trusted: bool) -> None:
    assert is_trusted(address, Settings.from_env({"FORWARDED_ALLOW_IPS": setting}).trusted_proxies) is trusted


@pytest.mark.parametrize("setting", ["proxy.example", "10.0.0", "10.0.0.0/33", "*.*"])
def test_the_app_does_not_start_with_a_proxy_that_is_no_address(setting: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"FORWARDED_ALLOW_IPS is {setting!r}")):
        Settings.from_env({"FORWARDED_ALLOW_IPS": setting})


def page_over(port: int, *lines: str) -> str:
    """The page for a request with so many lines of the header."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("GET", "/")
    for line in lines:
        connection.putheader("X-Forwarded-Proto", line)
    connection.endheaders()
    with closing(connection):
        response = connection.getresponse()
        assert response.status == 200
        return response.read().decode()


@pytest.mark.parametrize(("option", "scheme"), [("127.0.0.1", "https"), ("10.0.0.0/8", "http")])
def test_gunicorn_trusts_the_proxies_of_its_option_with_the_header_in_one_line_or_two(
    tmp_path: Path, option: str, scheme: str
) -> None:
    env = {"PATH": os.environ["PATH"], "IGFEED_DEMO": "1", "IGFEED_STORE_PATH": str(tmp_path / "store.sqlite3")}

    with gunicorn(env, "--workers", "1", "--forwarded-allow-ips", option) as server:
        for lines in (["https"], ["https, http"], ["https", "http"]):
            assert scheme_on(page_over(server.port, *lines)) == scheme
        for lines in (["http"], []):
            assert scheme_on(page_over(server.port, *lines)) == "http"
