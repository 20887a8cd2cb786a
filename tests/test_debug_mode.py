"""What is saved shows at the next reload while the app is in debug mode, and costs nobody anything else."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from threading import Event
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from igfeed import create_app
from igfeed.clock import Deadline
from igfeed.models import Token
from igfeed.version import VERSION
from igfeed.web.proxies import BehindProxies
from igfeed.widget import page_cache
from igfeed.widget.finished_pages import FinishedPages
from tests.conftest import MakeServices
from tests.harness.owner import STATUS

ROOT = Path(__file__).parent.parent
PROJECT = ("igfeed", "templates", "static", "wsgi.py")


@dataclass(frozen=True)
class DebugServer:
    """`flask run --debug` on a copy of the project."""

    folder: Path
    address: str

    def get(self, path: str) -> str:
        request = Request(f"{self.address}{path}", headers={"Authorization": "Bearer secret"} if path == STATUS else {})
        try:
            with urlopen(request, timeout=60) as response:
                return str(response.read().decode())
        except HTTPError as error:
            return error.read().decode()

    def says(self, version: str) -> bool:
        """Whether the status names that version. A server that is being restarted ends its connections: not yet."""
        try:
            return version in self.get(STATUS)
        except (OSError, HTTPException):  # The latter if it ends in the middle of an answer.
            return False

    def change(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebugServer]:
    folder = tmp_path_factory.mktemp("project")
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    env = {"PATH": os.environ["PATH"], "IGFEED_DEMO": "1", "CRON_SECRET": "secret"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "run", "--debug", "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stderr
            started = (re.search(r"Running on (http://[\d.:]+)", line) for line in process.stderr)
            yield DebugServer(folder, next(match[1] for match in started if match))
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # The reloader and the server that it has started.


CHANGES = {
    "a template": ("/embed", "templates/widget/_tiles.html", '<ul class="grid"', '<ul class="grid changed"'),
    "a parent template": ("/embed", "templates/base.html", "<body>", '<body id="changed">'),
    "a template of a notice": ("/nothing", "templates/widget/notice.html", "<h1>", '<h1 id="changed">'),
    "a style": ("/embed", "templates/widget/style.css", "figure{margin:0}", "figure{margin:0;--changed:1}"),
    "an included style": ("/embed", "templates/widget/lightbox.css", ".close::after{", ".close::after{--changed:1;"),
    "a script": ("/embed", "templates/widget/grid.js", "let busy;", "let changed;let busy;"),
    "the script of host pages": ("/embed.js", "templates/widget/embed.js", "(async () => {", "(async changed => {"),
    "a language": ("/embed", "igfeed/widget/translations/en.toml", '"{name} on Instagram"', '"{name} changed"'),
}


@pytest.mark.parametrize(("page", "file", "old", "new"), CHANGES.values(), ids=CHANGES)
def test_a_saved_file_shows_at_the_next_reload(server: DebugServer, page: str, file: str, old: str, new: str) -> None:
    before = [server.get(page), server.get(page)]
    server.change(file, old, new)

    after = server.get(page)

    assert before[0] == before[1]
    assert after.count("changed") > before[0].count("changed")


def test_a_saved_static_file_has_another_address(server: DebugServer) -> None:
    before = re.findall(r"/static/icon\.svg\?v=\w+", server.get("/embed"))
    server.change("static/icon.svg", "<svg ", '<svg id="changed" ')

    after = re.findall(r"/static/icon\.svg\?v=\w+", server.get("/embed"))

    assert before != after
    assert 'id="changed"' in server.get(after[0])


def test_a_saved_module_restarts_the_server_which_still_has_its_feed(server: DebugServer) -> None:
    """Only the server opens the store. The reloader's process, which lives on, does not."""
    fetched_at = re.findall(r'data-fetched-at="([^"]+)"', server.get("/"))
    server.change("igfeed/version.py", f'"{VERSION}"', '"0.0.0-changed"')
    deadline, pause = Deadline(60), Event()

    while not server.says("0.0.0-changed") and deadline.left():
        pause.wait(0.1)

    assert "0.0.0-changed" in server.get(STATUS)
    assert re.findall(r'data-fetched-at="([^"]+)"', server.get("/")) == fetched_at


@pytest.mark.parametrize("is_debug", [True, False])
def test_pages_are_kept_unless_the_app_is_in_debug_mode(
    make_services: MakeServices, token: Token, monkeypatch: pytest.MonkeyPatch, is_debug: bool
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", str(int(is_debug)))

    app = create_app(services=make_services())

    outer = app.wsgi_app
    assert isinstance(outer, BehindProxies)
    assert isinstance(outer.app, FinishedPages) is not is_debug
    assert (type(app.extensions["cache"][page_cache.pages]).__name__ == "NullCache") is is_debug
    assert ("no-cache" in app.test_client().get("/embed.js").headers["Cache-Control"]) is is_debug
