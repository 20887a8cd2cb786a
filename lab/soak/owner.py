"""The owner of the soak's deployment: sets the token up, looks at the status, and runs the cron."""

from __future__ import annotations

import json
from typing import Any

from lab.soak.claims import OWNER_CLAIM, Tally
from lab.soak.client import Client
from tests.harness.owner import CRON, OWNER, STATUS, run_command
from tests.servers.instagram import FakeInstagram


def set_up(env: dict[str, str], instagram: FakeInstagram) -> None:
    """A token in the middle of its life is checked and stored, and the first fetch is done."""
    run_command("setup-token", "-", str(30 * 86400), env=env, stdin=instagram.issue())


def cron(client: Client, tally: Tally) -> None:
    answer = client.get("cron", CRON, OWNER)
    if answer and answer[0] not in (200, 502):
        tally.break_claim(OWNER_CLAIM, f"cron: {answer[0]}")


def status(client: Client, tally: Tally) -> Any:
    """The report, None if there was no answer."""
    answer = client.get("status", STATUS, OWNER)
    if answer and answer[0] != 200:
        tally.break_claim(OWNER_CLAIM, f"status: {answer[0]}")
    return json.loads(answer[1]) if answer and answer[0] == 200 else None
