"""What a process that has just started does not load, because the first page of a stored feed does without it."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from flask import Flask, url_for
from jinja2 import Environment, FileSystemLoader
from werkzeug.routing import Rule

from igfeed import create_app
from igfeed.clock import Deadline, system_clock
from igfeed.models import Token
from igfeed.services import Services
from igfeed.web.template_bytecode import TemplateBytecode
from tests.harness.clock import MovingClock
from tests.servers.instagram import FakeInstagram

ROOT = Path(__file__).parent.parent
HEAVY = {"requests", "urllib3", "PIL", "cryptography", "upstash_redis", "httpx", "asyncio"}
NEEDED_BY_FEW = {
    *(
        "dotenv",
        "igfeed.extension",
        "igfeed.demo.account",
        "igfeed.owner.cli",
        "igfeed.owner.findings",
        "igfeed.owner.observation",
    ),
    *("apprise", "igfeed.config.alert_addresses", "igfeed.owner.alerts.notifier", "igfeed.owner.alerts.sender"),
    *("igfeed.config.hook_addresses", "igfeed.owner.hooks.teller", "igfeed.owner.hooks.deliveries"),
    *("igfeed.widget.syndication.writers", "igfeed.widget.privacy.page", "igfeed.widget.privacy.wording", "xml.sax"),
    *("igfeed.owner.status", "igfeed.owner.upkeep", "igfeed.owner.connect.state", "igfeed.owner.connect.code_exchange"),
}

START = "from igfeed import create_app; client = create_app().test_client()"
PAGE = f"{START}; assert client.get('/embed').status_code == 200"
PICTURE = f"{PAGE}; assert client.get('/media/{{id}}-640.webp').status_code == 200"
LOADED = "import sys; print(*sys.modules)"


def loaded_by(code: str, environ: dict[str, str]) -> set[str]:
    command = [sys.executable, "-c", f"{code}; {LOADED}"]
    path = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(command, cwd=ROOT, env={**path, **environ}, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("code", [START, PAGE, PICTURE], ids=["the start", "the first page", "the first picture"])
def test_a_stored_feed_is_shown_without_the_heavy_libraries(
    code: str, services: Services, instagram: FakeInstagram, environ: dict[str, str], clock: MovingClock
) -> None:
    clock.now = system_clock()  # The other process has the true time, and the feed shall be fresh there too.
    services.tokens.adopt(Token(instagram.issue(), clock(), clock() + timedelta(days=60)), is_verified=True)
    post = services.feed.fetch().posts[0]
    services.feed.mirror([post.picture], Deadline(60))

    loaded = loaded_by(code.format(id=post.id), {**environ, "IGFEED_FEED_TTL": "86400"})

    assert "flask" in loaded
    assert loaded & (HEAVY | NEEDED_BY_FEW) == set()


def test_an_upstash_store_is_loaded_with_its_first_command(environ: dict[str, str]) -> None:
    upstash = {"UPSTASH_REDIS_REST_URL": "http://127.0.0.1:9", "UPSTASH_REDIS_REST_TOKEN": "x"}

    loaded = loaded_by(START, {**environ, **upstash})

    assert loaded & (HEAVY - {"asyncio"} | {"sqlite3"}) == set()


def test_an_address_builder_is_compiled_when_the_first_address_of_its_route_is_built(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    make_builder = Rule._get_func_code

    def note(code: CodeType, name: str) -> Callable[..., tuple[str, str]]:
        compiled.append(name.removeprefix("<builder:").strip("'>"))
        return make_builder(code, name)

    monkeypatch.setattr(Rule, "_get_func_code", staticmethod(note))
    app = create_app(services=services)
    with app.test_request_context():
        addresses = [url_for("widget.embed", rule="x", page=page) for page in (1, 2)]

    assert addresses == ["/embed?rule=x&page=1", "/embed?rule=x&page=2"]
    ours = [rule for rule in compiled if not rule.startswith("/static/")]  # Flask adds that one by itself.
    assert ours == ["/embed"]


# Compiled templates


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "page.html").write_text("{{ 6 * 7 }}")
    return folder


class Counting(Environment):
    """Counts the templates that it compiles."""

    compiled = 0

    def _generate(self, *given: Any, **named: Any) -> str:
        self.compiled += 1
        return super()._generate(*given, **named)


def rendered(templates: Path) -> tuple[str, int]:
    """The page as a fresh process renders it, and how many templates it compiled for that."""
    environment = Counting(loader=FileSystemLoader(templates), bytecode_cache=TemplateBytecode(templates))
    return environment.get_template("page.html").render(), environment.compiled


def kept_by(templates: Path) -> list[Path]:
    return [*(templates / "__pycache__").iterdir()]


def test_a_template_is_compiled_by_the_first_process_only(templates: Path) -> None:
    assert [rendered(templates) for _ in range(3)] == [("42", 1), ("42", 0), ("42", 0)]


def test_a_changed_template_is_compiled_again(templates: Path) -> None:
    rendered(templates)
    (templates / "page.html").write_text("{{ 6 * 8 }}")

    assert rendered(templates) == ("48", 1)


def test_a_truncated_file_is_compiled_again(templates: Path) -> None:
    rendered(templates)
    (file,) = kept_by(templates)
    whole = file.read_bytes()

    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert rendered(templates) == ("42", 1)
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_made_costs_no_page(templates: Path) -> None:
    (templates / "__pycache__").write_text("a file stands in the way")

    assert [rendered(templates) for _ in range(2)] == [("42", 1), ("42", 1)]


def test_nothing_is_written_if_python_writes_no_bytecode(templates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    rendered(templates)

    assert not (templates / "__pycache__").exists()


def test_the_app_keeps_its_compiled_templates_beside_them(app: Flask) -> None:
    cache = app.jinja_env.bytecode_cache

    assert isinstance(cache, TemplateBytecode)
    assert Path(cache.directory) == ROOT / "templates" / "__pycache__"
