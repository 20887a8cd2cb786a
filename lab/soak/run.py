"""One soak: the server, its clients, the faults and the restarts, from the first visitor to the last."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from random import Random
from threading import Event
from typing import Any

from lab.soak import owner
from lab.soak.claims import DROPPED_AT_END, END_CLAIM, LOG_CLAIM, RECOVERY_CLAIM, RESTART_CLAIM, Tally
from lab.soak.client import Client
from lab.soak.faults import FAULT_SHOWS_FOR, CountingInstagram, CountingUpstash, FaultInjector
from lab.soak.plan import CHECK_TTL, POSTS_KEPT, Plan
from lab.soak.visitors import Visitors
from lab.soak.workers import Sample, growth, replace_workers, sample
from tests.harness.gunicorn import PATIENCE, gunicorn
from tests.harness.variables import variables
from tests.servers import instagram as ig

MAX_LOOKS = 40
LOOK_PAUSE = 0.5
"""After the last fault: how many looks at the status, how many seconds apart, until all must be well."""

SETTINGS = {
    "IGFEED_POSTS": str(POSTS_KEPT),
    "IGFEED_FEED_TTL": "2",  # So that much happens in little time.
    "IGFEED_CHECK_TTL": str(CHECK_TTL),
}

IS_EXPECTED = re.compile(r"\[INFO\]| INFO | WARNING ")
"""Lines of the log that break no claim: faults are meant to be warned of."""


class Soak:
    """All of it, once; ``failures`` says which claims did not hold."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tally = Tally()
        self.samples: dict[int, list[Sample]] = defaultdict(list)
        self.restarts: list[float] = []
        self.recovery: str = "none"
        self._over, self._ending = Event(), Event()

    def run(self) -> None:
        with ExitStack() as stack:
            self.instagram = stack.enter_context(CountingInstagram())
            self.upstash = stack.enter_context(CountingUpstash())
            self.instagram.picture_size = (240, 300)
            self.faults = FaultInjector(self.plan, self.instagram, self.upstash)
            env = variables(self.instagram, self.upstash, **SETTINGS)
            owner.set_up(env, self.instagram)
            self.server = stack.enter_context(gunicorn(env))
            # Last in, first out: whatever happens, the visitors end before the server, and that before its services.
            stack.enter_context(self._clients())
            self._play_faults()

    @contextmanager
    def _clients(self) -> Iterator[None]:
        """All who take part, as long as the block runs; what they raise is raised at its end."""
        plan, connect = self.plan, self._connect
        visitors = Visitors(plan, self.tally, self.faults, self.instagram, self.upstash, connect, self._over)
        with ThreadPoolExecutor(self.plan.visitors + 2) as pool:
            futures: list[Future[None]] = [pool.submit(self._sample_workers), pool.submit(self._act_as_owner)]
            futures += [pool.submit(visitors.visit, number) for number in range(self.plan.visitors)]
            try:
                yield
            finally:
                self._over.set()
                self._ending.set()
                self.faults.end()
        for future in futures:
            future.result()

    # The course of it

    def _play_faults(self) -> None:
        """Faults and restarts by turns, then the recovery, then the end."""
        started = time.monotonic()
        # All restarts come in the first half, so that the last workers live long enough for their memory to tell; the
        # first one comes first, when no fault of the store has to be waited for.
        due = [started + self.plan.seconds / 2 * number / self.plan.restarts for number in range(self.plan.restarts)]
        while due or time.monotonic() < started + self.plan.seconds or not self.faults.has_met_both():
            self._over.wait(self.faults.seconds())
            is_restart_due = bool(due) and time.monotonic() >= due[0]
            self._play_fault(with_restart=is_restart_due)
            if is_restart_due:
                due.pop(0)
        self._recover()
        self._end()

    def _play_fault(self, *, with_restart: bool) -> None:
        """One fault. A restart meets a store that works: a new process whose store is dead has nothing to show."""
        if with_restart:
            self._over.wait(FAULT_SHOWS_FOR["store"] if self.faults.was_failing("store", time.monotonic()) else 0)
        if not with_restart or self.faults.chance(0.5):
            self.faults.begin(spare_store=with_restart)
        if with_restart:
            self._restart()
        self._over.wait(self.faults.seconds())
        self.faults.end()

    def _restart(self) -> None:
        started = time.monotonic()
        if replace_workers(self.server):
            self.restarts.append(time.monotonic() - started)
        else:
            self.tally.break_claim(RESTART_CLAIM, f"after {PATIENCE:g} seconds the old workers were still there")

    def _recover(self) -> None:
        """Nothing fails any more: run the cron and look at the status until all is well."""
        healed = time.monotonic()
        client = self._connect()
        status: Any = None
        for view in range(1, MAX_LOOKS + 1):
            owner.cron(client, self.tally)
            status = owner.status(client, self.tally)
            if status and status["status"] == "ok" and status["feed"]["fresh"]:
                self.recovery = f"{view} views, {time.monotonic() - healed:.1f} s"
                break
            self._over.wait(LOOK_PAUSE)
        else:
            self.tally.break_claim(RECOVERY_CLAIM, json.dumps(status))
        client.close()

    def _end(self) -> None:
        self._over.wait(1.0)  # Under load to the last moment.
        self._ending.set()
        code = self.server.stop()
        if code != 0:
            self.tally.break_claim(END_CLAIM, f"exit code {code}")

    # Who takes part

    def _act_as_owner(self) -> None:
        """The owner: a new post now and then, and a cron that runs far more often than any real one."""
        random = Random(f"{self.plan.seed} owner")
        client = self._connect()
        while client.is_served and not self._over.wait(random.uniform(0.4, 0.6) * sum(self.plan.phase) / 2):
            if random.random() < 0.2:
                self.instagram.publish(random.choice((ig.image, ig.reel, ig.album))())
            owner.cron(client, self.tally)
        client.close()

    def _sample_workers(self) -> None:
        while not self._ending.is_set():
            for pid in self.server.workers():
                with suppress(OSError, IndexError):  # It may end while it is looked at.
                    self.samples[pid].append(sample(pid))
            self._ending.wait(min(1.0, self.plan.seconds / 60))

    def _connect(self) -> Client:
        return Client(self.server.port, self.tally, self._ending)

    # What came of it

    def failures(self) -> dict[str, list[str]]:
        """The claims that do not hold, each with what breaks it."""
        failures = {claim: list(details) for claim, details in self.tally.wrong.items()}
        failures.pop(DROPPED_AT_END, None)
        if bad := [line for line in self.server.said.splitlines() if not IS_EXPECTED.search(line)]:
            failures[LOG_CLAIM] = bad
        for claim, detail in growth(self.samples, self.plan.warm_up):
            failures.setdefault(claim, []).append(detail)
        return failures
