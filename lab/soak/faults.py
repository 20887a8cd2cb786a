"""What fails during a soak, and when it did."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from random import Random
from typing import Any, TypeAlias

from igfeed.clock import system_clock
from lab.soak.plan import Plan
from tests.servers import instagram as ig
from tests.servers.faults import Fault
from tests.servers.instagram import FakeInstagram
from tests.servers.upstash import FakeUpstash

FAULT_SHOWS_FOR = {"Instagram": 31.0, "store": 9.0}
"""Seconds for which visitors may notice a fault after its end.

Instagram: the pause before a picture is asked for again. Store: the pause of the circuit breaker and a time limit.
"""

INSTAGRAM: dict[str, tuple[str, Fault]] = {
    "reset": ("*", ig.reset()),
    "hang": ("*", ig.hang()),
    "slow": ("*", ig.slow(1.0)),
    "truncated": ("*", ig.truncate()),
    "HTML 500": ("*", ig.html_error()),
    "JSON 500": ("*", ig.TEMPORARY),
    "190": ("*", ig.EXPIRED),
    "100": ("*", ig.UNSUPPORTED_REQUEST),
    "10": ("*", ig.PERMISSION),
    "4": ("*", ig.APP_LIMIT),
    "80002": ("profile", ig.BUSINESS_LIMIT),
    "invalid JSON": ("media", ig.invalid_json()),
    "no posts": ("media", ig.reply({"data": []})),
    "pictures 403": ("picture", ig.answer(403, "URL signature expired")),
}
STORE: dict[str, tuple[str, dict[str, Any]]] = {
    "reset": ("reset", {}),
    "reply lost": ("reset_after", {}),
    "hang": ("hang", {}),
    "slow": ("latency", {"ms": 200}),
    "truncated": ("truncate", {}),
    "500": ("status", {"status": 500}),
    "401": ("json_error", {"status": 401, "error": "Unauthorized"}),
    "over quota": ("json_error", {"status": 400, "error": "ERR max daily request limit exceeded"}),
    "HTML 502": ("html", {}),
    "garbage": ("garbage", {}),
    "empty": ("empty", {}),
}
REFUSED = "refused"


class CountingUpstash(FakeUpstash):
    """Keeps numbers in place of a log, so that an hour of it fits into memory."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: Counter[str | None] = Counter()

    def note(self, exchange: Any, fault: str | None) -> None:
        self.requests[fault] += 1


class CountingInstagram(FakeInstagram):
    """Keeps numbers in place of a log."""

    def __init__(self) -> None:
        super().__init__(clock=system_clock)
        self.requests: Counter[str | None] = Counter()

    def note(self, exchange: Any, fault: str | None) -> None:
        self.requests[fault] += 1


Interval: TypeAlias = tuple[float, float]


class FaultInjector:
    """Lets the two services fail by turns and remembers when they did."""

    def __init__(self, plan: Plan, instagram: FakeInstagram, upstash: FakeUpstash) -> None:
        self._random = Random(plan.seed)
        self._phase = plan.phase
        self._instagram, self._upstash = instagram, upstash
        self._decks: dict[str, list[str]] = defaultdict(list)
        self._failing: dict[str, list[Interval]] = {"Instagram": [], "store": []}
        self.counts: Counter[str] = Counter()

    def seconds(self) -> float:
        return self._random.uniform(*self._phase)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def begin(self, *, spare_store: bool = False) -> None:
        whom = "Instagram" if spare_store else self._draw("whom", ("Instagram", "store", "both"))
        if whom != "store":
            self._fail_instagram(self._draw("Instagram", (*INSTAGRAM, REFUSED)))
        if whom != "Instagram":
            self._fail_store(self._draw("store", (*STORE, REFUSED)))

    def end(self) -> None:
        for fake, intervals in ((self._instagram, self._failing["Instagram"]), (self._upstash, self._failing["store"])):
            fake.heal()
            fake.start()
            if intervals:
                intervals[-1] = (intervals[-1][0], min(intervals[-1][1], time.monotonic()))

    def has_met_both(self) -> bool:
        return all(self._failing.values())

    def was_failing(self, service: str, since: float) -> bool:
        """Whether it has failed at any time since then, or so shortly before that it may show."""
        return any(end >= since - FAULT_SHOWS_FOR[service] for _, end in list(self._failing[service]))

    def _draw(self, name: str, faults: Iterable[str]) -> str:
        """In random order, each once before any comes again, so that a short run meets many of them."""
        deck = self._decks[name]
        if not deck:
            deck += faults
            self._random.shuffle(deck)
        return deck.pop()

    def _begin(self, service: str, fault: str) -> None:
        self.counts[f"{service}: {fault}"] += 1
        self._failing[service].append((time.monotonic(), float("inf")))

    def _fail_instagram(self, fault: str) -> None:
        self._begin("Instagram", fault)
        if fault == REFUSED:
            self._instagram.stop()
        else:
            self._instagram.fail(*INSTAGRAM[fault])

    def _fail_store(self, fault: str) -> None:
        self._begin("store", fault)
        if fault == REFUSED:
            self._upstash.stop()
        else:
            mode, options = STORE[fault]
            self._upstash.fail(mode, **options)
