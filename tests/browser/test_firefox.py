"""A browser that knows no frame-sizing: the height comes by message there, if Firefox is installed."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.harness.app_server import serving

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
