"""A deployment with everything in its store: what the servers that are measured have behind them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from igfeed.clock import system_clock
from lab.soak.owner import set_up
from tests.harness.variables import variables as deployment_variables
from tests.servers.instagram import FakeInstagram
from tests.servers.upstash import FakeUpstash

BASE_URL = "https://feed.example.com"
"""So that a page is the same bytes on whatever port."""


@dataclass(frozen=True)
class MeasuredDeployment:
    """Its variables, and the services that it would ask."""

    env: dict[str, str]
    instagram: FakeInstagram
    upstash: FakeUpstash

    def calls(self) -> tuple[int, int]:
        """Store commands and Instagram calls since `forget`."""
        return len(self.upstash.commands()), len(self.instagram.calls)

    def forget(self) -> None:
        self.upstash.forget()
        self.instagram.forget_calls()


def variables(instagram: FakeInstagram, upstash: FakeUpstash) -> dict[str, str]:
    """What every deployment between the two is told; its token comes some other way."""
    return {"PATH": os.environ["PATH"], **deployment_variables(instagram, upstash, BASE_URL=BASE_URL)}


@contextmanager
def deployment(page: str) -> Iterator[MeasuredDeployment]:
    """``page`` names the file that the bare view answers with."""
    with FakeInstagram(clock=system_clock) as instagram, FakeUpstash() as upstash:
        instagram.picture_size = (48, 60)
        env = variables(instagram, upstash) | {
            # Longer than any measurement, so that each of them is within one of either.
            "IGFEED_CHECK_TTL": "3600",
            "IGFEED_FEED_TTL": "7200",
            "BENCH_PAGE": page,
        }
        set_up(env, instagram)
        yield MeasuredDeployment(env, instagram, upstash)
