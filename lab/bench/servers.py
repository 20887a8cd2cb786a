"""The servers that are measured, each with all of this machine's two cores, on ports that the system chooses."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

ROOT = Path(__file__).parent.parent.parent
WORKERS = 2
PATIENCE = 30.0
"""Seconds for a server to listen."""

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error; worker_processes {workers}; {user}
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  types {{ }} default_type "text/html; charset=utf-8";
  open_file_cache max=10; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} reuseport; location = /embed {{ alias {page}; }} }}
}}
"""


@dataclass(frozen=True)
class Serving:
    """A server that answers."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gunicorn(env: dict[str, str], app: str = "wsgi:app", *options: str) -> AbstractContextManager[Serving]:
    """With the shipped settings but for two, as nothing shall be measured but answers.

    Its workers live as long as it does. And each listens for itself: of 64 connections opened at once one worker gets
    all now and then otherwise, which spoils a turn and says nothing of the app.
    """
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    return serving(port, [*command, "--max-requests", "0", "--reuse-port", *options, app], env)


def granian(env: dict[str, str], app: str = "wsgi:app") -> AbstractContextManager[Serving]:
    port = free_port()
    command = [str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--workers", str(WORKERS)]
    # As README has it. By itself granian starts threads by the hundred, which only get into each other's way.
    command += ["--blocking-threads", "8"]
    return serving(port, [*command, "--no-log", "--host", "127.0.0.1", "--port", str(port), app], env)


@contextmanager
def nginx(program: str, page: Path) -> Iterator[Serving]:
    """The same bytes as a file, the way nginx likes it best."""
    with TemporaryDirectory(prefix="igfeed-nginx-") as folder:
        port = free_port()
        user = "user root;" if os.geteuid() == 0 else ""  # Else its workers may not read our folder.
        config = Path(folder, "nginx.conf")
        config.write_text(NGINX.format(folder=folder, workers=WORKERS, user=user, port=port, page=page))
        with serving(port, [program, "-c", str(config), "-e", f"{folder}/error"], dict(os.environ)) as server:
            yield server


@contextmanager
def serving(port: int, command: list[str], env: dict[str, str]) -> Iterator[Serving]:
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    try:
        server = Serving(port, process)
        wait_for(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(server: Serving) -> None:
    """By a probe, which makes no page: where there is none of them, a 404 is an answer too."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.process.poll() is None:
        try:
            requests.get(f"{server.address}/healthz", timeout=PATIENCE)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{server.process.args!r} does not answer")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
