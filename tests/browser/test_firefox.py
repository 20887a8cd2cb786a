"""Another browser than Chromium, if Firefox is installed. It knows no frame-sizing: the height comes by message."""

import base64
import hashlib
import json
from collections.abc import Iterator
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.wrappers import Request, Response

from igfeed import create_app
from igfeed.models import Token
from tests.browser.conftest import Host, tag
from tests.conftest import MakeServices
from tests.harness.app_server import serving
from tests.harness.firefox import PATIENCE, Firefox
from tests.harness.wordpress import SCRIPT, pasted
from tests.servers.instagram import FakeInstagram

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

pytestmark = pytest.mark.browser


HOST = """<!doctype html><title>Host</title>
<style>iframe {{ max-height: 99px !important; transform: scale(.5); pointer-events: none }}</style><body>
<script src="{site}/embed.js" data-columns="3" data-limit="9" data-frame></script>
<script src="{site}/embed.js" data-columns="2" data-limit="3" data-frame type="module"></script>
<div id="card"></div>
<script>
const tag = document.createElement('script');
tag.src = '{site}/embed.js';
tag.dataset.limit = 1;
tag.dataset.frame = '';
card.attachShadow({{mode: 'open'}}).append(tag);
const heights = new Map();
addEventListener('message', event => setTimeout(() => {{
  heights.set(event.source, event.data.igfeed);
  const frames = [...document.querySelectorAll('iframe'), ...card.shadowRoot.querySelectorAll('iframe')];
  if (heights.size < 3) return frames.forEach(each => each.scrollIntoView());
  fetch('/report', {{method: 'POST', body: JSON.stringify({{
    isolated: crossOriginIsolated,
    content: frames.map(each => heights.get(each.contentWindow)),
    frames: frames.map(each => each.getBoundingClientRect().height),
    events: frames.map(each => getComputedStyle(each).pointerEvents),
    addresses: frames.map(each => each.src.replace('{site}', '')),
    links: [...document.links].map(each => each.offsetHeight),
  }})}});
}}))
</script>"""

ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


@pytest.fixture
def reports(site: str) -> Iterator[tuple[str, Queue[dict[str, Any]]]]:
    """The address of a page with feeds in it that isolates itself, and what it reports of them."""
    seen: Queue[dict[str, Any]] = Queue()

    @Request.application
    def app(request: Request) -> Response:
        if request.method == "POST":
            seen.put(json.loads(request.get_data()))
        return Response(HOST.format(site=site), headers=ISOLATED, mimetype="text/html")

    with serving(app) as port:
        yield f"http://localhost:{port}/", seen


def test_firefox_shows_feeds_of_all_kinds_of_tags_as_high_as_they_are_in_a_page_that_isolates_itself(
    firefox: Firefox, reports: tuple[str, Queue[dict[str, Any]]]
) -> None:
    address, seen = reports
    firefox.go(address)
    report = seen.get(timeout=PATIENCE)

    assert report["isolated"]
    assert report["addresses"] == ["/embed?limit=9&columns=3", "/embed?limit=3&columns=2", "/embed?limit=1"]
    assert report["frames"] == report["content"]
    assert min(report["content"]) > 200
    assert set(report["events"]) == {"auto"}
    assert set(report["links"]) == {0}


PART = """
const until = async found => {
  for (;;) {
    const value = found();
    if (value) return value;
    await new Promise(requestAnimationFrame);
  }
};
const host = document.querySelector('[data-igfeed]:not(a)');
const root = await until(() => host.shadowRoot);
const inline = await until(() => root.querySelector('.inline:not(.waiting)'));
const picture = root.querySelector('.tile img');
await picture.decode();
const first = inline.dataset.theme, display = getComputedStyle(root.querySelector('.grid')).display;
document.body.classList.add('night');
await until(() => inline.dataset.theme === 'dark');
root.querySelector('.tile > a').click();
const box = root.querySelector('dialog').getBoundingClientRect();
return {first, display, tiles: root.querySelectorAll('.tile').length, picture: picture.naturalWidth > 0,
  open: [box.width, box.height], window: [document.documentElement.clientWidth, innerHeight],
  font: getComputedStyle(root.querySelector('figcaption')).fontFamily};
"""
STRICT = "script-src 'nonce-abc'; style-src 'nonce-abc'; img-src {site}; connect-src {site}; frame-src 'none'"


def test_in_firefox_the_feed_is_a_part_of_a_page_with_a_strict_policy(firefox: Firefox, site: str, host: Host) -> None:
    style = "<style nonce=abc>body { color: black; font-family: Georgia } .night { color: white }</style>"
    page = host(
        f"{style}<body>{tag(site, 'data-limit=3 data-captions=1', 'nonce=abc')}",
        {"Content-Security-Policy": STRICT.format(site=site)},
    )
    firefox.go(page)
    seen = firefox.evaluate(f"return (async () => {{ {PART} }})()")

    assert seen["open"] == seen["window"]
    del seen["open"], seen["window"]
    assert seen == {"first": "light", "display": "grid", "tiles": 3, "picture": True, "font": "Georgia"}


@pytest.mark.parametrize("policy", ["connect-src 'none'", "img-src 'none'"])
def test_in_firefox_a_policy_that_keeps_it_out_of_the_page_leaves_it_the_frame(
    firefox: Firefox, site: str, host: Host, policy: str
) -> None:
    firefox.go(host(f"<body>{tag(site, 'data-limit=3')}", {"Content-Security-Policy": policy}))
    seen = firefox.evaluate(
        """return (async () => {
          while (!document.querySelector('iframe')) await new Promise(requestAnimationFrame);
          return [...document.querySelectorAll('[data-igfeed]:not(a)')].map(each => each.localName);
        })()"""
    )

    assert seen == ["iframe"]


# In a post of a WordPress site


CLICK = "addEventListener('load', () => document.querySelector('.pages [rel=next]').click());"
REPORT = """<script>
addEventListener('message', () => setTimeout(() => {
  const {height, style} = document.querySelector('iframe');
  if (height > 600) fetch('/report', {method: 'POST', body: JSON.stringify([height, style.visibility])});
}));
</script>"""


def clicking(app: "WSGIApplication") -> "WSGIApplication":
    """The app with an embed that asks for older posts as soon as it has loaded, as its policy allows."""

    @Request.application
    def wrapped(request: Request) -> Response:
        response = Response.from_app(app, {**request.environ, "HTTP_ACCEPT_ENCODING": ""})
        if request.path != "/embed" or "page" in request.args:
            return response
        digest = base64.b64encode(hashlib.sha256(CLICK.encode()).digest()).decode()
        policy = response.headers["Content-Security-Policy"].replace("script-src", f"script-src 'sha256-{digest}'")
        html = response.get_data().replace(b"<body>", f"<body><script>{CLICK}</script>".encode())
        return Response(html, headers={"Content-Security-Policy": policy}, mimetype="text/html")

    return wrapped


def test_in_firefox_too_older_posts_come_in_place_in_a_post_of_wordpress_and_the_height_is_told(
    firefox: Firefox, make_services: MakeServices, token: Token, instagram: FakeInstagram
) -> None:
    instagram.picture_size = (96, 120)
    seen: Queue[Any] = Queue()
    app = create_app(services=make_services())
    app.test_client().get("/")

    @Request.application
    def blog(request: Request) -> Response:
        if request.method == "POST":
            seen.put(json.loads(request.get_data()))
        return Response(
            f"<!doctype html><title>Post</title><body>{post}<script>{SCRIPT}</script>{REPORT}", mimetype="text/html"
        )

    with serving(clicking(app)) as port, serving(blog) as other:
        post = pasted(f"http://127.0.0.1:{port}/?columns=3&limit=6")
        firefox.go(f"http://localhost:{other}/")
        height, visibility = seen.get(timeout=PATIENCE)

    assert (int(height), visibility) == (745, ""), "four rows of 164 pixels, three gaps of 4, the link to older posts"
