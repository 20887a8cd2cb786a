"""The demo as `make demo` starts it, on a free port and with pictures mirrored, in a folder that goes away."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic, sleep

import requests

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PATIENCE = 60

HOST_PAGE = """<!doctype html>
<html lang="en">
<head>
<title>Studio Nord</title>
<meta name="description" content="Screen prints from the sixtieth parallel.">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>body {{ max-width: 60rem; margin: 0 auto; padding: 1rem; background: #f5ead7; font: 1.125rem/1.6 serif }}</style>
</head>
<body>
<main>
<h1>Studio Nord</h1>
<p>Screen prints, made slowly, five inks at a time.</p>
<script async src="{address}/embed.js" data-columns="3" data-limit="9"></script>
</main>
</body>
</html>
"""


@contextmanager
def demo() -> Iterator[str]:
    """Its address."""
    with TemporaryDirectory() as folder:
        port = free_port()
        store = f"{folder}/store.sqlite3"
        env = {**os.environ, "IGFEED_DEMO": "1", "IGFEED_STORE_PATH": store, "PORT": str(port)}
        subprocess.run([BIN / "flask", "igfeed", "fetch"], cwd=ROOT, env=env, check=True, capture_output=True)
        with gunicorn(env):
            address = f"http://127.0.0.1:{port}"
            await_start(address)
            yield address


@contextmanager
def host_page(address: str) -> Iterator[str]:
    """The address of a page of another site with the script tag."""
    text = HOST_PAGE.format(address=address).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8" if self.path == "/" else "text/plain")
            self.end_headers()
            self.wfile.write(text if self.path == "/" else b"")

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def gunicorn(env: dict[str, str]) -> Iterator[None]:
    command: list[str | Path] = [BIN / "gunicorn", "--log-level", "error", "wsgi:app"]
    with subprocess.Popen(command, cwd=ROOT, env=env) as process:
        try:
            yield
        finally:
            process.terminate()


def await_start(address: str) -> None:
    """Raises ConnectionError when it does not start."""
    give_up = monotonic() + PATIENCE
    while monotonic() < give_up:
        try:
            requests.get(f"{address}/healthz", timeout=PATIENCE).raise_for_status()
        except requests.ConnectionError:
            sleep(0.1)
        else:
            return
    raise ConnectionError(f"{address} does not answer.")
