"""A browser that knows no frame-sizing: the height comes by message there, if Firefox is installed."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.browser.conftest import serving

pytestmark = pytest.mark.browser

PATIENCE = 120
"""Seconds that a busy machine may take to start a browser."""

HOST = """<!doctype html><title>Host</title><body>
<script src="{site}/embed.js" data-columns="3" data-limit="9"></script>
<script>
addEventListener('message', event => setTimeout(() => fetch('/report', {{method: 'POST', body: JSON.stringify({{
  content: event.data.igfeed, frame: document.querySelector('iframe').offsetHeight, link: document.links[0].offsetHeight
}})}})))
</script>"""


@pytest.fixture
def firefox() -> str:
    found = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
    if found is None:
        pytest.skip("Firefox is not installed")
    return found


@pytest.fixture
def reports(site: str) -> Iterator[tuple[str, Queue[dict[str, Any]]]]:
    """The address of a page with a feed in it, and what it reports of that feed."""
    seen: Queue[dict[str, Any]] = Queue()

    @Request.application
    def app(request: Request) -> Response:
        if request.method == "POST":
            seen.put(json.loads(request.get_data()))
        return Response(HOST.format(site=site), mimetype="text/html")

    with serving(app) as port:
        yield f"http://localhost:{port}/", seen


def test_firefox_makes_the_frame_as_high_as_its_content(
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

    assert report["content"] > 300
    assert report["frame"] == report["content"]
    assert report["link"] == 0
