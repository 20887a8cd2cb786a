"""The feed in somebody's own Flask app, under a prefix."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask, Response, abort, render_template_string, stream_template_string, url_for
from flask.testing import FlaskClient
from werkzeug.middleware.proxy_fix import ProxyFix

from igfeed import IgFeed
from igfeed.errors import ConfigError
from igfeed.extension.in_template import FeedInTemplate
from igfeed.models import Token
from igfeed.owner.pages.account_addresses import mount_of
from igfeed.services import Services
from igfeed.web.headers import CSP_HEADER
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.owner import CRON, OWNER, STATUS
from tests.harness.visitor import POST_IDS, Visitor
from tests.servers.instagram import FakeInstagram, image

ADDRESS = re.compile(r'(?:src|href|srcset)="([^"]+)"')
NOTE = '<p class="igfeed-note">The posts are on their way'
HOME = "<title>Shop</title>{{ igfeed(limit=3, theme='dark', unknown=1) }}"
ENDPOINTS = ("page", "embed", "script", "fragment", "json_feed", "atom", "privacy", "studio")


def a_host() -> Flask:
    """An app that shows the feed on its front page."""
    host = Flask("host")
    host.add_url_rule("/", "home", lambda: render_template_string(HOME))
    return host


@pytest.fixture(autouse=True)
def four_posts(instagram: FakeInstagram) -> None:
    instagram.posts[:] = [image() for _ in range(4)]
    instagram.picture_size = (48, 60)


@pytest.fixture
def host(services: Services) -> Flask:
    host = a_host()
    IgFeed(host, services=services)
    return host


@pytest.fixture
def visitor(host: Flask) -> FlaskClient:
    return Visitor(host)


def addresses_of_ours(html: str) -> set[str]:
    found = {part.split()[0] for match in ADDRESS.findall(html) for part in match.split(", ")}
    return {address for address in found if "instagram.com" not in address}


def prefixes(html: str, parts: int) -> set[str]:
    """The first parts of its addresses of ours."""
    return {"/".join(address.split("/")[: parts + 1]) for address in addresses_of_ours(html)}


# Below the prefix


def test_all_of_the_feed_is_below_the_prefix_and_leads_nowhere_else(visitor: FlaskClient, token: Token) -> None:
    visitor.get("/")
    page = visitor.get("/instagram/").text
    paths = {address.removeprefix("http://localhost") for address in addresses_of_ours(page)}

    assert len(POST_IDS.findall(page)) == 4
    assert {path for path in paths if not path.startswith("/instagram/")} == set()
    assert {path: visitor.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
    assert json.loads(visitor.get("/instagram/feed.json").text)["home_page_url"] == "http://localhost/instagram/"
    assert 'action="/instagram/studio/' in visitor.get("/instagram/studio", headers=OWNER).text


@pytest.mark.parametrize("path", ["/nothing", "/instagrams", "/instagra", "/Instagram/"])
def test_what_is_not_below_the_prefix_is_the_hosts(visitor: FlaskClient, path: str) -> None:
    response = visitor.get(path)

    assert response.status_code == 404
    assert CSP_HEADER not in response.headers


def test_a_wrong_address_below_the_prefix_gets_the_feeds_page(visitor: FlaskClient) -> None:
    response = visitor.get("/instagram/nothing")

    assert response.status_code == 404
    assert CSP_HEADER in response.headers


def test_the_prefix_alone_is_redirected_to_the_page_behind_any_proxy(visitor: FlaskClient) -> None:
    response = visitor.get("/instagram?limit=3", environ_overrides={"SCRIPT_NAME": "//evil.example"})

    assert response.status_code == 308
    assert response.headers["Location"] == "instagram/?limit=3"
    assert response.headers["Cache-Control"] == "no-store", "the host may mount the feed elsewhere"


@pytest.mark.parametrize(
    "prefix", ["", "/", "instagram", "//instagram", "/a//b", "/a/../b", "/.", "/a b", "/é", "/<name>", "/a?b", "/%61"]
)
def test_a_prefix_that_is_no_plain_path_is_refused(services: Services, prefix: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"url_prefix is {prefix!r}: it takes a path")):
        IgFeed(Flask("host"), prefix, services=services)


@pytest.mark.parametrize("prefix", ["/a/b-c/d.e", "/..a", "/feed/"])
def test_a_prefix_may_have_several_parts_and_a_final_slash(services: Services, token: Token, prefix: str) -> None:
    host = Flask("host")
    IgFeed(url_prefix="/other").init_app(host, prefix, services=services)

    assert POST_IDS.search(Visitor(host).get(f"{prefix.rstrip('/')}/embed").text)


def test_a_second_feed_on_the_same_app_is_refused(host: Flask, services: Services) -> None:
    with pytest.raises(RuntimeError, match="has a feed already"):
        IgFeed(host, "/other", services=services)


@pytest.mark.parametrize("is_fixed_first", [True, False])
def test_a_proxy_fix_counts_for_the_feed_whether_it_was_set_before_or_after(
    services: Services, token: Token, is_fixed_first: bool
) -> None:
    host, fixes = a_host(), {"x_for": 0, "x_proto": 1, "x_host": 1, "x_prefix": 1}
    if is_fixed_first:
        host.wsgi_app = ProxyFix(host.wsgi_app, **fixes)  # type: ignore[method-assign]
    IgFeed(host, services=services)
    if not is_fixed_first:
        host.wsgi_app = ProxyFix(host.wsgi_app, **fixes)  # type: ignore[method-assign]
    forwarded = {"Proto": "http, https", "Host": "evil.example, shop.example", "Prefix": "/shop/"}
    headers = {f"X-Forwarded-{name}": value for name, value in forwarded.items()}

    page, home = (Visitor(host).get(path, headers=headers).text for path in ("/instagram/", "/"))

    assert '<link rel="canonical" href="https://shop.example/shop/instagram/">' in page
    assert prefixes(home, 2) == {"/shop/instagram"}


# The host


def test_nothing_that_the_host_does_to_its_requests_reaches_the_feed(
    services: Services, token: Token, tmp_path: Path
) -> None:
    (tmp_path / "widget").mkdir()
    (tmp_path / "widget/page.html").write_text("The host's own page")
    host = Flask("host", template_folder=str(tmp_path))
    host.config.update(MAX_CONTENT_LENGTH=1, SECRET_KEY="s", SERVER_NAME="shop.example")
    host.before_request(lambda: abort(401))
    host.after_request(lambda _: Response("changed", 200, {"Set-Cookie": "a=b"}))
    host.register_error_handler(404, lambda _: ("the host's error", 200))
    host.context_processor(lambda: {"words": "the host's", "options": "the host's"})
    IgFeed(host, services=services)
    visitor = Visitor(host)

    page, lost = visitor.get("/instagram/"), visitor.get("/instagram/nothing")
    run = visitor.post(f"/instagram{CRON}", headers=OWNER, data=b"more than a byte")

    assert len(POST_IDS.findall(page.text)) == 4
    assert "Set-Cookie" not in page.headers
    assert (lost.status_code, run.status_code) == (404, 200)


def test_the_hosts_own_answers_are_as_they_were(host: Flask, visitor: FlaskClient) -> None:
    without = Flask("host")

    for path in ("/nothing", "/static/nothing"):
        before, after = without.test_client().get(path), visitor.get(path)
        assert (after.text, [*after.headers]) == (before.text, [*before.headers])
    assert host.url_map.strict_slashes
    assert host.response_class is Response


def test_the_hosts_log_is_as_it_was(services: Services) -> None:
    loggers = [logging.getLogger(name) for name in ("", "igfeed", "httpx", "httpcore", "urllib3")]
    before = [(logger.level, [*logger.handlers]) for logger in loggers]

    IgFeed(a_host(), services=services)

    assert [(logger.level, logger.handlers) for logger in loggers] == before


def test_the_hosts_debug_mode_and_trusted_hosts_are_the_feeds_too(services: Services, token: Token) -> None:
    host = a_host()
    host.config.update(DEBUG=True, TRUSTED_HOSTS=["shop.example"])
    IgFeed(host, services=services)
    visitor = Visitor(host)
    names = ("shop.example", "shop.example:8000", "evil.example")

    pages = [visitor.get("/instagram/embed.js", headers={"Host": name}) for name in names]
    shown = [visitor.get("/", headers={"Host": name}).text for name in (*names, names[0])]

    assert [page.status_code for page in pages] == [200, 200, 400]
    assert pages[0].headers["Cache-Control"] == "no-cache"
    assert POST_IDS.search(shown[1])


def test_the_host_builds_the_feeds_addresses_by_url_for(host: Flask) -> None:
    with host.test_request_context("/", base_url="https://shop.example/outer"):
        assert url_for("igfeed.page", limit=3) == "/outer/instagram/?limit=3"
        assert url_for("igfeed.atom", _external=True) == "https://shop.example/outer/instagram/feed.xml"
        assert url_for("igfeed.embed", account="prints", columns=2) == "/outer/instagram/prints/embed?columns=2"
    with host.test_request_context():
        paths = [url_for(f"igfeed.{name}") for name in ENDPOINTS]

    assert [path for path in paths if Visitor(host).get(path).status_code == 404] == []


def test_the_services_and_the_commands_are_the_hosts(host: Flask, services: Services, token: Token) -> None:
    assert host.extensions["igfeed"] is services

    done = host.test_cli_runner().invoke(args=["igfeed", "fetch"])
    status = host.test_cli_runner().invoke(args=["igfeed", "status", "--json"])

    assert (done.exit_code, status.exit_code) == (0, 0)
    assert json.loads(status.output)["feed"]["posts"] == 4


def test_a_message_before_the_first_request_already_knows_the_prefix(services: Services) -> None:
    host = Flask("host")
    host.config["APPLICATION_ROOT"] = "/outer"
    IgFeed(host, services=services)

    in_template = host.jinja_env.globals["igfeed"]
    assert isinstance(in_template, FeedInTemplate)
    assert mount_of(in_template._inner).prefix == "/outer/instagram"


# In a template


def test_a_template_shows_the_posts_with_addresses_that_have_no_origin(visitor: FlaskClient, token: Token) -> None:
    visitor.get("/")
    html = visitor.get("/", headers={"Host": "any.example"}, environ_overrides={"SCRIPT_NAME": "/outer"}).text

    assert POST_IDS.findall(html) == POST_IDS.findall(visitor.get("/instagram/embed?limit=3").text)
    assert '<div data-igfeed><template shadowrootmode="open"><style>' in html
    assert 'data-theme="dark"' in html
    assert prefixes(html, 2) == {"/outer/instagram"}
    (module,) = (address.removeprefix("/outer") for address in addresses_of_ours(html) if "/widget.js" in address)
    assert visitor.get(module).status_code == 200


def test_with_base_url_they_have_that_origin(make_services: MakeServices, token: Token) -> None:
    host = a_host()
    IgFeed(host, services=make_services(BASE_URL="https://shop.example"))
    Visitor(host).get("/")

    assert prefixes(Visitor(host).get("/").text, 3) == {"https://shop.example/instagram"}


def test_its_options_are_those_of_an_address(host: Flask, visitor: FlaskClient, token: Token) -> None:
    visitor.get("/")
    with host.test_request_context():
        html = render_template_string("{{ igfeed(limit=2, header=True, captions=none, columns='4', gap='x', of=[]) }}")

    assert len(POST_IDS.findall(html)) == 2
    assert "--columns:4;--gap:4px" in html
    assert '<header class="who">' in html


def test_a_nonce_is_on_the_style_and_on_the_script(host: Flask, visitor: FlaskClient, token: Token) -> None:
    visitor.get("/")
    with host.test_request_context():
        html = render_template_string("""{{ igfeed(nonce='a"b') }}""")

    for tag in ("style", "script"):
        assert html.count(f"<{tag}") == html.count(f'<{tag} nonce="a&#34;b"') == 1


def test_a_macro_and_a_page_outside_of_a_request_show_it_too(host: Flask, visitor: FlaskClient, token: Token) -> None:
    visitor.get("/")
    host.config["APPLICATION_ROOT"] = "/outer"
    with host.app_context():
        html = render_template_string("{% macro feed() %}{{ igfeed(limit=1) }}{% endmacro %}{{ feed() }}")

    assert prefixes(html, 2) == {"/outer/instagram"}


def test_another_account_is_set_up_by_a_command_and_shown_by_its_name(
    host: Flask, token: Token, instagram: FakeInstagram
) -> None:
    prints = instagram.add_account("nord.prints", [image(), image()])
    value = instagram.issue(age=timedelta(days=2), account=prints)
    done = host.test_cli_runner().invoke(args=["igfeed", "--account", "prints", "setup-token", value])

    with host.test_request_context():
        shown, unknown = (render_template_string(f"{{{{ igfeed(account='{name}') }}}}") for name in ("prints", "x"))

    assert done.exit_code == 0
    assert POST_IDS.findall(shown) == [post["id"] for post in prints.posts]
    assert prefixes(shown, 2) == {"/instagram/prints"}
    assert NOTE in unknown


# While there is nothing to show


def test_the_first_visitor_does_not_wait_and_the_next_one_sees_the_posts(
    host: Flask, token: Token, instagram: FakeInstagram
) -> None:
    response = host.test_client().get("/")
    assert NOTE in response.text
    assert instagram.calls == []

    response.close()

    assert len(POST_IDS.findall(Visitor(host).get("/").text)) == 3


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_due_refresh_follows_the_answer(
    host: Flask, token: Token, instagram: FakeInstagram, clock: MovingClock, is_streamed: bool
) -> None:
    host.add_url_rule("/stream", "stream", lambda: stream_template_string(f"{HOME}The end"))
    Visitor(host).get("/")
    post = instagram.publish(image())
    clock.forward(hours=1)
    instagram.forget_calls()

    response = host.test_client().get("/stream" if is_streamed else "/")
    chunks = response.iter_encoded()
    assert any(b"data-post-id" in chunk for chunk in chunks)
    assert instagram.calls == []
    for _ in chunks:
        pass
    response.close()

    assert instagram.calls
    assert post["id"] in Visitor(host).get("/").text


@pytest.mark.parametrize("variables", [{"VERCEL": "1"}, {"IGFEED_STORE_PATH": "/proc/nowhere/store"}])
def test_without_a_store_the_host_shows_its_page_and_a_sentence(
    make_services: MakeServices, variables: dict[str, str]
) -> None:
    host = a_host()
    IgFeed(host, services=make_services(**{"IGFEED_STORE_PATH": "", **variables}))

    response = Visitor(host).get("/")

    assert response.status_code == 200
    assert NOTE in response.text


def test_an_error_in_the_feed_is_no_error_in_the_hosts_page(
    host: Flask, visitor: FlaskClient, token: Token, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.get("/")

    def broken(*_: object) -> Iterator[bytes]:
        raise ZeroDivisionError("a bug")

    in_template = host.jinja_env.globals["igfeed"]
    assert isinstance(in_template, FeedInTemplate)
    monkeypatch.setattr(in_template._inner, "wsgi_app", broken)
    responses = [visitor.get("/") for _ in range(3)]

    assert {response.status_code for response in responses} == {200}
    assert NOTE in responses[-1].text
    assert caplog.text.count("ZeroDivisionError: a bug") == 1


# Two apps


def test_two_apps_in_one_process_do_not_meet(make_services: MakeServices, token: Token, tmp_path: Path) -> None:
    one, other = a_host(), a_host()
    IgFeed(one, "/one", services=make_services(IGFEED_POSTS="2"))
    settings = {"IGFEED_STORE_PATH": str(tmp_path / "other"), "IGFEED_LANGUAGE": "de", "CRON_SECRET": "another"}
    IgFeed(other, "/other", services=make_services(**settings))
    visitors = Visitor(one), Visitor(other)

    for _ in range(2):
        shown, empty = (visitor.get("/").text for visitor in visitors)

    assert len(POST_IDS.findall(shown)) == 2
    assert prefixes(shown, 1) == {"/one"}
    assert "Die Beiträge" in empty
    assert [visitors[1].get(f"{prefix}/embed").status_code for prefix in ("/one", "/other")] == [404, 503]
    asked = zip(visitors, ("/one", "/other"), strict=True)
    assert [visitor.get(f"{prefix}{STATUS}", headers=OWNER).status_code for visitor, prefix in asked] == [200, 401]
