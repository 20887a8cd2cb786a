"""The demo as `make demo` starts it, on a free port and with pictures mirrored, in a folder that goes away."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import requests

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PATIENCE = 60


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
