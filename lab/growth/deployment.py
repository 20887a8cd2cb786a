"""One deployment of igfeed at a scale: some of its days are played, and counted as a month."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from heapq import heapify, heapreplace
from itertools import count
from math import ceil, sqrt

from igfeed.feed.pictures import Pictures
from igfeed.models import FeedSnapshot
from igfeed.owner.all_accounts.report import report_all
from lab.growth.assumptions import BARE_ANSWER, DAYS, FILES, IDLE, MONTH, PAGE_BYTES, S_MAXAGE
from lab.growth.instance import Instance, set_up
from lab.growth.outside import Account, CountingStore
from tests.harness.clock import MovingClock

Fresh = Callable[[int], timedelta]


@dataclass(frozen=True)
class Scale:
    """``views`` and ``reports`` (the status, asked for by a monitor) are for a month.

    No ``regions`` mean no CDN. ``instances`` are those of each region; None: as many as the load needs. The views are
    those of all ``accounts`` together. Each account has as many.
    """

    views: float
    regions: int = 5
    instances: int | None = None
    posts: int = 24
    reports: int = 0
    accounts: int = 1

    @property
    def servers(self) -> int:
        """Without a CDN: enough for as many views at once as there are but for one moment in a thousand."""
        busy = self.views * BARE_ANSWER / timedelta(days=MONTH)
        return self.instances or ceil(busy + 4 * sqrt(busy))

    @property
    def places(self) -> int:
        """Where an account's page is kept."""
        return self.regions or self.servers


@dataclass(frozen=True)
class Month:
    """``invocations`` are the requests that reach a server, pictures included; the rest is what they lead to.

    ``starts`` are cold starts of instances. Bytes: ``sent`` to CDN or visitors, ``read`` from and ``written`` to the
    store.
    """

    views: float
    invocations: float = 0
    starts: float = 0
    commands: float = 0
    calls: float = 0
    sent: float = 0
    read: float = 0
    written: float = 0

    @property
    def traffic(self) -> float:
        """With the store, both ways: Upstash does not say that one of them is free."""
        return self.read + self.written


class SimulatedDeployment:
    """Behind a CDN with instances that come and go, or bare with servers that live on."""

    def __init__(self, scale: Scale, seed: int = 1, days: float = DAYS) -> None:
        self.scale = scale
        self.days = days
        self.clock = MovingClock(step=timedelta())  # Its moments are the queue's.
        self.counted: Counter[str] = Counter()
        self.store = CountingStore(self.clock, self.counted)
        self.account = Account(self.clock, self.counted)
        self._chance = random.Random(seed)
        self._instances: dict[tuple[int, int], Instance] = {}
        set_up(self.store, self.clock, scale.accounts)
        self._servers = [] if scale.regions else [self._new_instance() for _ in range(scale.servers)]
        first = self._new_instance()
        first.run_cron()
        snapshot = first.services(0).feed.first()
        self._old_picture = next(snapshot.pictures())
        self._known = dict.fromkeys(range(scale.places * scale.accounts), snapshot.picture_ids)

    def month(self) -> Month:
        rounds = (
            (MONTH / self.days, self._days),
            (MONTH / 7, self._cron),
            (self.scale.reports, self._report),
            (self.scale.posts * self.scale.places * self.scale.accounts, self._picture),
        )
        total: Counter[str] = Counter()
        for times, play in rounds:
            self.counted.clear()
            play()
            total.update({name: round(number * times) for name, number in self.counted.items()})
        return Month(self.scale.views, **total)

    def _days(self) -> None:
        """What is asked for by visitors, new posts' pictures included."""
        if self.scale.regions:
            requests = sum(1 for _ in self._behind_a_cdn())
        else:
            sum(1 for _ in self._bare())
            requests = round(self.scale.views * self.days / MONTH)
        self.counted.update(invocations=requests, sent=requests * PAGE_BYTES)

    def _behind_a_cdn(self) -> Iterator[None]:
        """One item for each page that a region asks for."""
        pages = self.scale.regions * self.scale.accounts
        rate = self.scale.views / MONTH / 86_400 / pages
        for page in self._moments(pages, rate, lambda _: S_MAXAGE):
            account, region = divmod(page, self.scale.regions)
            self._show(page, self._instance(region).answer(account), partial(self._instance, region))
            yield

    def _bare(self) -> Iterator[None]:
        """One item for each view that a server's finished pages do not answer."""
        rate = self.scale.views / MONTH / 86_400 / self.scale.servers
        for number in self._moments(self.scale.servers, rate, self._trust):
            self._show(number, self._servers[number].answer(), partial(self._servers.__getitem__, number))
            yield

    def _trust(self, number: int) -> timedelta:
        """For how long that server's finished pages answer from now on."""
        return self._servers[number].services(0).feed.current().begin_lifetime().left

    def _show(self, place: int, snapshot: FeedSnapshot | None, process: Callable[[], Instance]) -> None:
        """A page's pictures, every file once to each region or by each server: then they are kept there."""
        account = place // self.scale.places
        new = snapshot.picture_ids - self._known[place] if snapshot else frozenset()
        for picture_id in sorted(new):
            for file in FILES:
                self.counted.update(invocations=1, sent=len(process().picture(account, picture_id, *file)))
        self._known[place] |= new

    def _moments(self, places: int, rate: float, fresh: Fresh) -> Iterator[int]:
        """Which place has its next view that matters; after it, it is `fresh` for so long."""
        start = self.clock()
        end = start + timedelta(days=self.days)
        # Not all at once: nothing would ever part them again where the waits are short.
        begun = [start + self._chance.random() * S_MAXAGE for _ in range(places)]
        upcoming = [(moment + self._wait(rate), place) for place, moment in enumerate(begun)]
        heapify(upcoming)
        while upcoming[0][0] < end:
            now, place = upcoming[0]
            self.clock.now = now
            yield place
            heapreplace(upcoming, (now + fresh(place) + self._wait(rate), place))
        self.clock.now = end

    def _wait(self, rate: float) -> timedelta:
        return timedelta(seconds=self._chance.expovariate(rate))

    def _instance(self, region: int) -> Instance:
        """The one of this region's that is asked now, cold if there was none."""
        now = self.clock()
        self._instances = {key: each for key, each in self._instances.items() if now <= each.asked_at + IDLE}
        key = region, self._number(region)
        if key not in self._instances:
            self._instances[key] = self._started()
        self._instances[key].ask()
        return self._instances[key]

    def _started(self) -> Instance:
        self.counted["starts"] += 1
        return self._new_instance()

    def _new_instance(self) -> Instance:
        return Instance(self.store, self.clock, self.account, self.scale.posts)

    def _number(self, region: int) -> int:
        if self.scale.instances:
            return self._chance.randrange(self.scale.instances)
        return next(number for number in count() if not self._is_busy(region, number))

    def _is_busy(self, region: int, number: int) -> bool:
        instance = self._instances.get((region, number))
        return instance is not None and self.clock() < instance.busy_until

    def _cron(self) -> None:
        """A weekly run: renew, fetch, look after the pictures. No instance is warm for it; a server lives on."""
        self.counted.update(invocations=1)
        process = self._servers[0] if self._servers else self._started()
        process.run_cron()

    def _report(self) -> None:
        """The status, as a monitor asks for it."""
        self.counted.update(invocations=1)
        report_all(self._new_instance().accounts)

    def _picture(self) -> None:
        """One of those that stood there before: each place asks for each of its files once."""
        asked = Pictures(self.store, self.account, self.clock)
        for file in FILES:
            self.counted.update(invocations=1, sent=len(asked.get(self._old_picture, *file)))
