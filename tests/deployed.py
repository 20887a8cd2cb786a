"""The app as it is deployed: gunicorn with the shipped settings, and all that it says."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event, Thread
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
PATIENCE = 60.0
"""Seconds for it to listen, so that a broken start ends instead of hanging."""


@dataclass
class Deployed:
    """``said`` is what was printed so far; it is complete once the ``with`` block has been left."""

    process: "subprocess.Popen[str]" = field(repr=False)
    port: int = 0
    said: str = field(default="", repr=False)
    _heard: Condition = field(default_factory=Condition, repr=False)

    def hear(self, line: str) -> None:
        with self._heard:
            self.said += line
            self._heard.notify_all()

    def wait_to_say(self, text: str) -> bool:
        """Whether it has said so, now or within the time that anything may take."""
        with self._heard:
            return self._heard.wait_for(lambda: text in self.said, PATIENCE)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def gunicorn(env: dict[str, str], *options: str) -> Iterator[Deployed]:
    """Runs it on a port that the system chooses."""
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", *options, "wsgi:app"]
    server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deployed, settled = Deployed(server), Event()
    reader = Thread(target=_listen, args=(server, deployed, settled))
    reader.start()
    try:
        assert settled.wait(PATIENCE)
        assert deployed.port, "gunicorn did not start"
        yield deployed
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)
        reader.join()


def _listen(server: "subprocess.Popen[str]", deployed: Deployed, settled: Event) -> None:
    assert server.stdout is not None
    with server.stdout as lines:
        for line in lines:
            deployed.hear(line)
            if found := re.search(r"Listening at: (http://\S+)", line):
                deployed.port = urlsplit(found[1]).port or 0
                settled.set()
    settled.set()
