"""Another browser than Chromium, if Firefox is installed. It knows no frame-sizing: the height comes by message."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.browser.conftest import Host, tag
from tests.harness.app_server import serving
from tests.harness.firefox import Firefox

pytestmark = pytest.mark.browser

PATIENCE = 120
"""Seconds that a busy machine may take to start a browser."""

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
    firefox: str, reports: tuple[str, Queue[dict[str, Any]]], tmp_path: Path
) -> None:
    address, seen = reports
    command = [firefox, "--headless", "--no-remote", "--profile", str(tmp_path), address]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, env={**os.environ, "HOME": str(tmp_path)}) as browser:
        try:
            report = seen.get(timeout=PATIENCE)
        finally:
            browser.terminate()

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


def test_in_firefox_the_feed_is_a_part_of_a_page_with_a_strict_policy(
    firefox: str, site: str, host: Host, tmp_path: Path
) -> None:
    style = "<style nonce=abc>body { color: black; font-family: Georgia } .night { color: white }</style>"
    page = host(
        f"{style}<body>{tag(site, 'data-limit=3 data-captions=1', 'nonce=abc')}",
        {"Content-Security-Policy": STRICT.format(site=site)},
    )
    with Firefox(firefox, tmp_path) as window:
        window.go(page)
        seen = window.evaluate(f"return (async () => {{ {PART} }})()")

    assert seen["open"] == seen["window"]
    del seen["open"], seen["window"]
    assert seen == {"first": "light", "display": "grid", "tiles": 3, "picture": True, "font": "Georgia"}


@pytest.mark.parametrize("policy", ["connect-src 'none'", "img-src 'none'"])
def test_in_firefox_a_policy_that_keeps_it_out_of_the_page_leaves_it_the_frame(
    firefox: str, site: str, host: Host, tmp_path: Path, policy: str
) -> None:
    with Firefox(firefox, tmp_path) as window:
        window.go(host(f"<body>{tag(site, 'data-limit=3')}", {"Content-Security-Policy": policy}))
        seen = window.evaluate(
            """return (async () => {
              while (!document.querySelector('iframe')) await new Promise(requestAnimationFrame);
              return [...document.querySelectorAll('[data-igfeed]:not(a)')].map(each => each.localName);
            })()"""
        )

    assert seen == ["iframe"]
