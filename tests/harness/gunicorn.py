"""The app as it is shipped: gunicorn with its settings, in processes of its own, on the real clock."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.harness.owner import ROOT, Owner

PATIENCE = 60.0
"""Seconds for it to start, to answer and to end, so that a broken server ends a test instead of hanging it."""


@dataclass
class GunicornServer:
    """`said` is what was printed so far; it is complete once the ``with`` block has been left."""

    process: "subprocess.Popen[str]" = field(repr=False)
    port: int = 0
    said: str = field(default="", repr=False)
    _heard: Condition = field(default_factory=Condition, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **options: Any) -> requests.Response:
        """Ask over a connection of its own; `options` are those of `requests.get`."""
        return requests.get(self.url + path, **{"timeout": PATIENCE, **options})

    @property
    def owner(self) -> Owner:
        return Owner(self.get)

    def workers(self) -> set[int]:
        """The process ids of its workers (Linux only: read from ``/proc``)."""
        pid = self.process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def wait_to_say(self, text: str) -> bool:
        """Whether it prints this text; waits for it."""
        with self._heard:
            return self._heard.wait_for(lambda: text in self.said, PATIENCE)

    def stop(self) -> int | None:
        """End it as a host does, by SIGTERM: the exit code, None if it had to be killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self._kill()

    def _kill(self) -> None:
        """Workers included: they are in its session."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _hear(self, line: str) -> None:
        with self._heard:
            self.said += line
            self._heard.notify_all()


@contextmanager
def gunicorn(env: Mapping[str, str], *options: str) -> Iterator[GunicornServer]:
    """Runs it on a port that the system chooses; the block begins once it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", *options, "wsgi:app"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C then reaches it through us only, in the right order.
    )
    server, is_settled = GunicornServer(process), Event()
    reader = Thread(target=_listen, args=(server, is_settled))
    reader.start()
    try:
        assert is_settled.wait(PATIENCE)
        assert server.port, f"gunicorn did not start: {server.said}"
        yield server
    finally:
        server.stop()
        reader.join()


def _listen(server: GunicornServer, is_settled: Event) -> None:
    """Read what it prints until it ends; settled once it listens or has ended."""
    assert server.process.stdout is not None
    with server.process.stdout as lines:
        for line in lines:
            server._hear(line)
            if found := re.search(r"Listening at: (http://\S+)", line):
                server.port = urlsplit(found[1]).port or 0
                is_settled.set()
    is_settled.set()
