"""What a process that has just started does not load, because the first page of a stored feed does without it."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from igfeed.clock import Deadline, system_clock
from igfeed.models import Token
from igfeed.services import Services
from tests.conftest import MovingClock
from tests.servers.instagram import FakeInstagram

ROOT = Path(__file__).parent.parent
HEAVY = {"requests", "urllib3", "PIL", "cryptography", "upstash_redis", "httpx", "asyncio"}

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
    services.tokens.adopt(Token(instagram.issue(), clock(), clock() + timedelta(days=60)), is_proven=True)
    post = services.feed.fetch().posts[0]
    services.pictures.mirror([post.picture], Deadline(60))

    loaded = loaded_by(code.format(id=post.id), {**environ, "IGFEED_FEED_TTL": "86400"})

    assert "flask" in loaded
    assert loaded & HEAVY == set()


def test_an_upstash_store_is_loaded_with_its_first_command(environ: dict[str, str]) -> None:
    upstash = {"UPSTASH_REDIS_REST_URL": "http://127.0.0.1:9", "UPSTASH_REDIS_REST_TOKEN": "x"}

    loaded = loaded_by(START, {**environ, **upstash})

    assert loaded & (HEAVY - {"asyncio"}) == set()
