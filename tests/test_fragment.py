"""The feed as one element for pages that are rendered elsewhere, and the module that shows it inside a page."""

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.models import Token
from igfeed.widget.csp import embedder_patterns
from tests.conftest import MakeServices
from tests.servers.instagram import FakeInstagram

ORIGIN = "https://feed.example"


class Outline(HTMLParser):
    """The top level elements of a text, and every address in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.top: list[tuple[str, dict[str, str | None]]] = []
        self.addresses: list[str] = []
        self._depth = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._depth == 0:
            self.top.append((tag, given))
        found = [given.get("src"), given.get("href"), *(given.get("srcset") or "").split(", ")]
        self.addresses += [address for address in found if address]
        self._depth += tag not in ("img", "br", "link", "meta")

    def handle_endtag(self, tag: str) -> None:
        self._depth -= 1


def fragment(client: FlaskClient, query: str = "", **environ: str) -> str:
    response = client.get(f"/fragment{query}", environ_overrides={"HTTP_HOST": "feed.example", **environ})
    assert response.status_code == 200
    return response.text


def test_a_fragment_is_one_element_with_declarative_shadow_dom_and_no_document_around_it(
    client: FlaskClient, token: Token
) -> None:
    html = fragment(client)

    assert [tag for tag, _ in Outline(html).top] == ["div"]
    assert re.match(r'\s*<div data-igfeed><template shadowrootmode="open"><style>', html)
    assert "<html" not in html
    assert "<!doctype" not in html
    assert html.count("data-post-id") == 12


@pytest.mark.parametrize("query", ["", "?captions=1&header=1&page=2", "?layout=carousel&open=instagram"])
def test_no_address_in_a_fragment_is_relative(client: FlaskClient, token: Token, query: str) -> None:
    addresses = Outline(fragment(client, query, SCRIPT_NAME="/shop")).addresses

    hosts = {re.sub(r"^(\w+:)?(//[^/]*)?.*", r"\2", address) for address in addresses}
    assert hosts == {"//feed.example", "//www.instagram.com"}
    ours = [address for address in addresses if "//feed.example" in address]
    assert all(address.startswith("http://feed.example/shop/") for address in ours)


def test_a_fragment_has_the_posts_and_options_of_the_embed(client: FlaskClient, token: Token) -> None:
    query = "?limit=5&page=2&columns=4&gap=9"
    one, other = fragment(client, query), client.get(f"/embed{query}").text

    ids = re.findall(r'data-post-id="(\w+)"', one)
    assert ids == re.findall(r'data-post-id="(\w+)"', other)
    assert "--columns:4;--gap:9px" in one


def test_a_fragment_is_cached_and_shared_as_the_embed_is(client: FlaskClient, token: Token) -> None:
    client.get("/embed")
    names = ("Cache-Control", "Cache-Status", "Access-Control-Allow-Origin", "X-Content-Type-Options")
    one, other = client.get("/fragment"), client.get("/embed")

    assert [one.headers[name] for name in names] == [other.headers[name] for name in names]
    assert client.get("/fragment", headers={"If-None-Match": one.headers["ETag"]}).status_code == 304
    assert "script-src 'self'; connect-src 'self'" in one.headers["Content-Security-Policy"]


def test_each_host_gets_a_fragment_with_its_own_addresses(client: FlaskClient, token: Token) -> None:
    for host in ("one.example", "two.example", "one.example"):
        html = fragment(client, "?limit=1", HTTP_HOST=host)
        assert set(re.findall(r"http://(\w+\.example)", html)) == {host}


def test_a_fragments_style_does_not_depend_on_the_font_size_of_its_page(client: FlaskClient, token: Token) -> None:
    style = re.search(r"<style>(.*?)</style>", fragment(client, "?header=1&captions=1"), re.DOTALL)

    assert style
    assert "font-size:13px" in style[1]
    assert re.findall(r"\drem", style[1]) == []


@pytest.mark.parametrize(
    ("query", "inline"),
    [("", 'class="inline as-page"'), ("?theme=auto", 'class="inline as-page"'), ("?theme=dark", 'data-theme="dark"')],
)
def test_a_fragment_takes_over_the_pages_colours_unless_a_theme_is_chosen(
    client: FlaskClient, token: Token, query: str, inline: str
) -> None:
    element = re.search(r'<div class="inline[^>]*>', fragment(client, query))

    assert element
    assert inline in element[0]
    assert element[0].count("as-page") + element[0].count("data-theme") == 1


def test_while_there_is_nothing_to_show_a_fragment_is_503(client: FlaskClient) -> None:
    response = client.get("/fragment")

    assert response.status_code == 503
    assert response.headers["Cache-Control"] == "no-store"


def test_its_page_has_a_heading_of_its_own(client: FlaskClient, instagram: FakeInstagram, token: Token) -> None:
    assert '<h1 id="feed-title" aria-level="2"' in fragment(client)
    assert "aria-level" not in client.get("/embed").text


# The module


def test_the_module_may_be_kept_for_good_by_those_who_ask_for_what_it_is(client: FlaskClient, token: Token) -> None:
    client.get("/")
    version = re.search(r"widget\.js\?v=(\w+)", client.get("/embed.js").text)
    assert version
    named = client.get(f"/widget.js?v={version[1]}")

    assert f"/widget.js?v={version[1]}" in fragment(client)
    assert named.mimetype == "text/javascript"
    assert named.headers["Access-Control-Allow-Origin"] == "*"
    assert named.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("", "?v=0", f"?w={version[1]}"):
        assert client.get(f"/widget.js{other}").headers["Cache-Control"].startswith("public, max-age=300, ")
    assert client.get("/widget.js", headers={"If-None-Match": named.headers["ETag"]}).status_code == 304


def test_the_modules_address_changes_with_it(make_services: MakeServices, token: Token) -> None:
    scripts = [
        create_app(services=make_services(IGFEED_FRAME_ANCESTORS=allowed)).test_client().get("/embed.js").text
        for allowed in ("*", "https://shop.example")
    ]

    one, other = (re.findall(r"widget\.js\?v=\w+", script) for script in scripts)
    assert one != other


@pytest.mark.parametrize(
    ("allowed", "yes", "no"),
    [
        ("*", ["https://shop.example", "http://localhost:8000", "null"], []),
        ("'none'", [], ["https://shop.example", "null"]),
        ("https://shop.example", ["https://shop.example"], ["http://shop.example", "https://shop.example.evil.net"]),
        ("https://shop.example/path", ["https://shop.example"], ["https://shopxexample"]),
        ("http://shop.example", ["https://shop.example", "http://shop.example"], ["https://www.shop.example"]),
        ("https://*.shop.example", ["https://www.shop.example"], ["https://shop.example", "https://evilshop.example"]),
        ("https://shop.example:8443", ["https://shop.example:8443"], ["https://shop.example"]),
        ("https://shop.example:*", ["https://shop.example:8443", "https://shop.example"], []),
        ("shop.example", ["https://shop.example", "http://shop.example"], ["https://shop.example:8443"]),
        ("https:", ["https://anything.example"], ["http://anything.example", "null"]),
        ("https://*", ["https://anything.example"], ["http://anything.example"]),
        ("https://one.example https://two.example", ["https://two.example"], ["https://three.example"]),
    ],
)
def test_a_page_may_have_the_feed_where_it_may_have_the_frame(allowed: str, yes: list[str], no: list[str]) -> None:
    patterns = embedder_patterns(allowed)

    for origin in (*yes, *no):
        assert any(re.search(each, origin) for each in patterns) == (origin in yes), origin


def test_our_own_origin_is_named_by_an_empty_pattern() -> None:
    assert embedder_patterns("'self'") == [""]
