"""Bytes and requests of our /embed beside instafeed.js, on the same posts: `python -m lab.audit.compare`."""

import gzip
import json
import shutil
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from werkzeug.wrappers import Request, Response

from igfeed import create_app
from igfeed.clock import system_clock
from igfeed.config import Settings
from igfeed.demo.account import DemoInstagram
from igfeed.demo.scenes import draw
from igfeed.models import Post
from igfeed.models.picture import SKETCH_SCHEME
from tests.browser.conftest import FLAGS
from tests.harness.app_server import serving

POSTS = 12
SCRIPT = Path(__file__).parent / "node_modules/instafeed.js/dist/instafeed.min.js"
API = "https://graph.instagram.com"
ORIGINAL = (1440, 1800)
LAZY = '<a href="{{link}}"><img loading="lazy" alt="" src="{{image}}"></a>'
HOST = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Host</title><link rel="icon" href="data:,"><style>body{margin:0}#instafeed{display:grid;
grid-template-columns:repeat(3,1fr);gap:4px}img{display:block;width:100%;aspect-ratio:1;object-fit:cover}</style>
<div id="instafeed"></div><script src="/instafeed.min.js"></script>
<script>new Instafeed({accessToken: "token", limit: 12, OPTIONS}).run()</script>"""
LOADED = "[...document.images].every(image => image.complete)"
ALL_LOADED = f"document.images.length == {POSTS} && {LOADED}"


class Host:
    """A page with instafeed.js, and an Instagram that answers with originals.

    The one change to the script is where that is.
    """

    def __init__(self) -> None:
        posts = DemoInstagram(system_clock).media("", POSTS).posts
        self.pictures = {f"/{post.id}.jpg": draw(sketch(post), ORIGINAL) for post in posts}
        self.posts = posts

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.answer(Request(environ))(environ, start_response)

    def answer(self, request: Request) -> Response:
        if picture := self.pictures.get(request.path):
            return Response(picture, mimetype="image/jpeg")
        if request.path == "/instafeed.min.js":
            script = SCRIPT.read_text("utf-8").replace(API, request.host_url.rstrip("/"))
            return Response(script, mimetype="text/javascript")
        if request.path == "/me/media":
            data = [told(post, request.host_url) for post in self.posts]
            return Response(json.dumps({"data": data}), mimetype="application/json")
        options = f"template: {json.dumps(LAZY)}" if request.path == "/lazy" else ""
        return Response(HOST.replace("OPTIONS", options), mimetype="text/html")


def sketch(post: Post) -> str:
    assert post.picture.url
    return post.picture.url.removeprefix(SKETCH_SCHEME)


def told(post: Post, origin: str) -> dict[str, Any]:
    picture = f"{origin}{post.id}.jpg"
    named = {"caption": post.caption} if post.caption else {}
    return {
        **named,
        "id": post.id,
        "media_type": post.media_type,
        "media_url": picture,
        "thumbnail_url": picture,
        "permalink": post.permalink,
        "timestamp": f"{post.timestamp:%Y-%m-%dT%H:%M:%S+0000}",
        "username": "studio.nord",
    }


def zipped(app: Any) -> Any:
    """The app behind a CDN, as far as that goes: it compresses text."""

    def compress(environ: Any, start_response: Any) -> Any:
        response = Response.from_app(app, environ, buffered=True)
        is_picture = (response.mimetype or "").startswith("image/")
        if not is_picture and "Content-Encoding" not in response.headers:
            response.set_data(gzip.compress(response.get_data(), 6))
            response.headers["Content-Encoding"] = "gzip"
        return response(environ, start_response)

    return compress


def measure(browser: Browser, address: str) -> list[str]:
    """The cells of a row: the first screen of a phone, then the whole page."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=3)
    page = context.new_page()
    network = context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    sizes: Counter[str] = Counter()
    finished: Counter[str] = Counter()
    network.on("Network.requestWillBeSent", lambda event: kinds.update({event["requestId"]: event["type"]}))

    def finish(event: dict[str, Any]) -> None:
        kind = "pictures" if kinds[event["requestId"]] == "Image" else "text"
        sizes[kind] += event["encodedDataLength"]
        finished[kind] += 1

    network.on("Network.loadingFinished", finish)
    network.send("Network.enable")
    page.goto(address, wait_until="networkidle")
    first = cells(sizes, finished)
    page.mouse.wheel(0, 9_000)
    page.evaluate("[...document.images].forEach(image => image.scrollIntoView())")
    page.wait_for_function(ALL_LOADED)
    page.wait_for_load_state("networkidle")
    context.close()
    return [*first, *cells(sizes, finished)]


def cells(sizes: Counter[str], finished: Counter[str]) -> list[str]:
    return [f"{sizes['text'] / 1000:,.1f}", f"{sizes['pictures'] / 1000:,.0f}", str(finished.total())]


def main() -> None:
    """Print the table."""
    figures = ("text kB", "pictures kB", "requests")
    titles = ["", *(f"{place}: {figure}" for place in ("first screen", "all") for figure in figures)]
    print("| " + " | ".join(titles) + " |\n|" + "---|" * len(titles))
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        env = {"IGFEED_DEMO": "1", "IGFEED_POSTS": str(POSTS), "IGFEED_STORE_PATH": f"{folder}/store"}
        ours = create_app(Settings.from_env({**env, "IGFEED_LOG_LEVEL": "ERROR"}))
        ours.test_cli_runner().invoke(args=["igfeed", "fetch"])
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        with serving(zipped(ours)) as our_port, serving(zipped(Host())) as port:
            rows = {
                "igfeed `/embed?columns=3`": f"{our_port}/embed?columns=3",
                "instafeed.js 2.1.0": f"{port}/",
                "instafeed.js 2.1.0, `loading=lazy` in its template": f"{port}/lazy",
            }
            for name, address in rows.items():
                print(f"| {name} | " + " | ".join(measure(browser, f"http://127.0.0.1:{address}")) + " |")
        browser.close()


if __name__ == "__main__":
    main()
