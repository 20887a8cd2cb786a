"""The owner of a deployment: has the secret, asks the protected routes, types commands."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

SECRET = "the-cron-secret"
"""The CRON_SECRET of every deployment here but those that say otherwise."""

OWNER = {"Authorization": f"Bearer {SECRET}"}
"""The headers by which the owner and the cron are known."""

STATUS = "/api/instagram/refresh-token"
CRON = "/api/cron/refresh-instagram-token"


class Owner:
    """Asks through `get`, which is called as ``get(path, headers=…)``: a test client's or an HTTP client's."""

    def __init__(self, get: Callable[..., Any]) -> None:
        self._get = get

    def status(self) -> dict[str, Any]:
        """The status report; it is always a 200."""
        response = self._get(STATUS, headers=OWNER)
        assert response.status_code == 200
        status: dict[str, Any] = json.loads(response.text)
        return status

    def cron(self) -> Any:
        """The response to a run of the cron: a 502 if anything failed."""
        return self._get(CRON, headers=OWNER)


def run_command(*arguments: str, env: Mapping[str, str], stdin: str = "") -> str:
    """What ``flask igfeed …`` prints, in a process of its own. It must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "igfeed", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **env},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
