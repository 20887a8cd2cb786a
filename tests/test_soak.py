"""The soak in small, so that each run of the tests meets faults, visitors and a restart all at once."""

from pathlib import Path

import pytest

from lab.soak.claims import LEAK_CLAIM, MEMORY_CLAIM
from lab.soak.plan import Plan
from lab.soak.report import table
from lab.soak.run import Soak

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="workers are watched through /proc")

SHORT = Plan(seconds=6.0, visitors=8, rate=60.0, restarts=1, seed=4, phase=(0.3, 0.9), warm_up=1.0)


def test_visitors_miss_nothing_while_instagram_and_the_store_flap_and_the_workers_are_replaced() -> None:
    soak = Soak(SHORT)

    soak.run()

    too_soon = (MEMORY_CLAIM, LEAK_CLAIM)  # Caches are still filling, and a slow moment has more connections open.
    assert {claim: details for claim, details in soak.failures().items() if claim not in too_soon} == {}
    assert len(soak.restarts) == SHORT.restarts
    assert soak.faults.has_met_both()
    assert soak.tally.answers["page", 200] > 50
    assert soak.tally.answers["picture", 200] > 50
    assert "worker 4" in table(soak)
