"""What a month costs at any size: the real feed and token manager, behind a played CDN or bare, on a passed-in clock.

A thousand million views cannot be drawn one by one, and need not be: while an answer is fresh, no view reaches what is
behind it, and the first one after that comes, as with all Poisson visitors, an exponential waiting time later. So the
simulation jumps from one view that matters to the next. Some days are played and taken for a month.

- **Behind a CDN**: each region keeps a page for `s-maxage`; the first view after that has it asked for anew, which is
  one invocation of a function. Each region has instances of its own. They follow the load: a request takes the first
  that is not busy, else it starts another. Or there are so many, asked at random: the worst there is for what each of
  them remembers. One that was not asked for ten minutes is gone.
- **Bare**: each view reaches a server that lives on. It hands out finished pages for as long as it trusts its copy.

Run `python -m tests.growth` for docs/scaling.md and its drawing.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from heapq import heapify, heapreplace
from itertools import count
from math import ceil, inf, sqrt
from pathlib import Path
from typing import NamedTuple

from igfeed import status, upkeep
from igfeed.background import in_place
from igfeed.config import Settings
from igfeed.custody import KEY
from igfeed.encryption import NoCipher
from igfeed.errors import PictureUnavailable, UnexpectedAnswer
from igfeed.feed import FeedService
from igfeed.grid import PAGE
from igfeed.models import FeedSnapshot, Media, Picture, Post, Profile, Token
from igfeed.options import DEFAULT_LIMIT
from igfeed.pictures import WIDTHS, Pictures
from igfeed.services import Services
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.memory import MemoryStore
from igfeed.stores.upstash import READ_ALL, REREAD, SWAP
from igfeed.tokens import TokenManager
from tests.conftest import MovingClock
from tests.plot import drawing

DAYS = 3
MONTH = 30
NEW_POSTS = 1
"""A day."""

S_MAXAGE = timedelta(seconds=int(PAGE.split("s-maxage=")[1].split(",")[0]))
FEED_TTL = timedelta(seconds=900)
CHECK_TTL = timedelta(seconds=30)

IDLE = timedelta(minutes=10)
"""How long an instance outlives its last request: an assumption, platforms do not say."""

ANSWER = timedelta(milliseconds=20)
START = timedelta(milliseconds=500)
"""How long a request and a cold start keep an instance busy that does one thing at a time: assumptions too."""

MEMORY = 2
"""Gigabytes of an instance."""

PAGE_BYTES = 7_600
"""Of `/embed` with twelve posts and its headers, as gzip: measured (see tests/test_growth.py)."""

FILES = {width: b"RIFF....WEBP".ljust(size, b"x") for width, size in zip(WIDTHS, (10_000, 31_000, 80_000), strict=True)}
"""A picture in all widths, of the usual size (docs/pictures.md)."""

DIGEST = "0" * 40

GB = 1e9

Fresh = Callable[[int], timedelta]


@dataclass(frozen=True)
class Scale:
    """``views`` and ``reports`` (the status, asked for by a monitor) are for a month.

    No ``regions`` mean no CDN. ``instances`` are those of each region; None: as many as the load needs.
    """

    views: float
    regions: int = 5
    instances: int | None = None
    posts: int = 24
    reports: int = 0

    @property
    def servers(self) -> int:
        """Without a CDN: enough for as many requests at once as there are but for one moment in ten thousand."""
        busy = self.views * ANSWER.total_seconds() / (MONTH * 86_400)
        return self.instances or ceil(busy + 4 * sqrt(busy))

    @property
    def places(self) -> int:
        """Where a page is kept."""
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


class CountingStore(MemoryStore):
    """Counts what would be commands at Upstash, and the bytes of its REST API's bodies."""

    def __init__(self, clock: MovingClock, counted: Counter[str]) -> None:
        super().__init__(clock)
        self._counted = counted

    def get(self, key: str) -> str | None:
        text = super().get(key)
        self._count(["GET", key], text)
        return text

    def reread(self, key: str, known: str | None) -> str | None:
        if known is None:
            return self.get(key)
        text = super().get(key)
        self._count(["EVAL_RO", REREAD, 1, key, DIGEST], *([] if text == known else [text]))
        return known if text == known else text

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        texts = super().get_all(keys)
        self._count(["EVAL_RO", READ_ALL, len(keys), *keys], *texts)
        return texts

    def set(self, key: str, value: str) -> None:
        super().set(key, value)
        self._count(["SET", key, value])

    def swap(self, key: str, old: str | None, new: str) -> bool:
        self._count(["EVAL", SWAP, 1, key, DIGEST, new])
        return super().swap(key, old, new)

    def delete(self, *keys: str) -> None:
        super().delete(*keys)
        self._count(["DEL", *keys])

    def claim(self, key: str, ttl: timedelta) -> bool:
        self._count(["SET", key, "0123456789abcdef", "NX", "EX", "60"])
        return super().claim(key, ttl)

    def _count(self, command: list[str | int], *answer: str | None) -> None:
        """The answer's texts come as base64, as the SDK asks for: a third more."""
        read = len('{"result":""}') + sum(len('"",') + 4 * ceil(len(text or "") / 3) for text in answer)
        with self._lock:  # A mirroring asks from several threads.
            self._counted.update(commands=1, read=read, written=len(json.dumps(command)))


class Account:
    """An Instagram on which a post appears from time to time."""

    def __init__(self, clock: MovingClock, counted: Counter[str]) -> None:
        self._clock = clock
        self._since = clock()
        self._counted = counted

    def profile(self, token: str) -> Profile:
        self._counted["calls"] += 1
        return Profile("studio.nord", media_count=1000)

    def media(self, token: str, limit: int) -> Media:
        """Half a day in, so that the days that are played see all of theirs."""
        self._counted["calls"] += 1
        newest = 1000 + int((self._clock() - self._since) / timedelta(days=1) * NEW_POSTS + 0.5)
        return Media(tuple(self._post(number) for number in range(newest, newest - limit, -1)))

    def renew(self, token: str) -> Token:
        self._counted["calls"] += 1
        return Token(f"{token}+", self._clock(), self._clock() + timedelta(days=60))

    def exchange(self, token: str, app_secret: str) -> Token:
        raise UnexpectedAnswer("Nobody logs in here.")

    def picture(self, url: str) -> bytes:
        raise PictureUnavailable("Every picture is ready made.")

    def _post(self, number: int) -> Post:
        url = f"https://scontent.cdninstagram.com/v/{number}.jpg?{'signature' * 30}"
        post_id = f"{17_900_000_000_000_000 + number}"
        return Post(
            Picture(post_id, url), "IMAGE", f"https://www.instagram.com/p/{number}/", self._since, "Caption " * 20
        )


class ReadyMade(Pictures):
    """Spares the downloading and the rendering: each new picture has files of the usual size."""

    def _make(self, picture: Picture) -> dict[int, bytes]:
        self._learn(picture.id, "#c9b79c")
        return FILES


class Process:
    """An instance of ours, cold when it is made."""

    def __init__(self, world: World) -> None:
        clock = world.clock
        self.used_at = clock()
        self._account = world.account
        self._clock = clock
        self._store = GuardedStore(world.store, clock, in_place)
        self._pictures = ReadyMade(self._store, world.account, clock)
        self._tokens = TokenManager(
            world.account, self._store, clock, renew_within=timedelta(days=7), cipher=NoCipher()
        )
        self.feed = FeedService(
            world.account,
            self._tokens,
            self._pictures,
            self._store,
            clock,
            posts=world.scale.posts,
            ttl=FEED_TTL,
            check_ttl=CHECK_TTL,
            sleep=lambda _: None,
        )

    @property
    def services(self) -> Services:
        return Services(
            Settings.from_env({}),
            self._clock,
            self._store,
            self._account,
            self._tokens,
            self._pictures,
            self.feed,
            in_place,
        )

    def answer(self) -> FeedSnapshot | None:
        """A view, as `igfeed.grid` answers it, with what comes after the answer."""
        snapshot, is_due = self.feed.current()
        if is_due:
            self.feed.refresh()
        return snapshot

    def picture(self, picture_id: str, width: int) -> bytes:
        """A file, as `igfeed.grid` answers it."""
        picture = self.feed.picture(picture_id)
        assert picture is not None
        return self._pictures.get(picture, width)


class World:
    """One deployment: `month` plays some of its days."""

    def __init__(self, scale: Scale, seed: int = 1, days: float = DAYS) -> None:
        self.scale = scale
        self.days = days
        self.clock = MovingClock()
        self.counted: Counter[str] = Counter()
        self.store = CountingStore(self.clock, self.counted)
        self.account = Account(self.clock, self.counted)
        self._chance = random.Random(seed)
        self._instances: dict[tuple[int, int], Process] = {}
        token = Token("IGAA", self.clock() - timedelta(days=30), self.clock() + timedelta(days=30))
        self.store.set(KEY, json.dumps(token.to_json()))
        first = Process(self)
        upkeep.run(first.services)
        snapshot = first.feed.first()
        self._old_picture = next(snapshot.pictures())
        self._known = dict.fromkeys(range(scale.places), snapshot.picture_ids)

    def month(self) -> Month:
        rounds = (
            (MONTH / self.days, self._days),
            (MONTH / 7, self._cron),
            (self.scale.reports, self._report),
            (self.scale.posts * self.scale.places, self._picture),
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
        rate = self.scale.views / MONTH / 86_400 / self.scale.regions
        for region in self._moments(self.scale.regions, rate, lambda _: S_MAXAGE):
            self._show(region, self._instance(region).answer(), partial(self._instance, region))
            yield

    def _bare(self) -> Iterator[None]:
        """One item for each view that a server's finished pages do not answer."""
        rate = self.scale.views / MONTH / 86_400 / self.scale.servers
        servers = [Process(self) for _ in range(self.scale.servers)]
        for number in self._moments(
            self.scale.servers, rate, lambda number: servers[number].feed.trusted_until(self.clock()) - self.clock()
        ):
            self._show(number, servers[number].answer(), partial(servers.__getitem__, number))
            yield

    def _show(self, place: int, snapshot: FeedSnapshot | None, process: Callable[[], Process]) -> None:
        """A page's pictures, once in every width to each region or by each server: then they are kept there."""
        new = snapshot.picture_ids - self._known[place] if snapshot else frozenset()
        for picture_id in sorted(new):
            for width in WIDTHS:
                self.counted.update(invocations=1, sent=len(process().picture(picture_id, width)))
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

    def _instance(self, region: int) -> Process:
        """The one of this region's that is asked now, cold if there was none."""
        now = self.clock()
        self._instances = {key: each for key, each in self._instances.items() if now <= each.used_at + IDLE}
        key = region, self._number(region)
        if key not in self._instances:
            self.counted["starts"] += 1
            self._instances[key] = Process(self)
        self._instances[key].used_at = now
        return self._instances[key]

    def _number(self, region: int) -> int:
        if self.scale.instances:
            return self._chance.randrange(self.scale.instances)
        return next(number for number in count() if not self._is_busy(region, number))

    def _is_busy(self, region: int, number: int) -> bool:
        instance = self._instances.get((region, number))
        return instance is not None and self.clock() < instance.used_at + ANSWER

    def _cron(self) -> None:
        """A weekly run: renew, fetch, look after the pictures."""
        self.counted.update(invocations=1, starts=1)
        upkeep.run(Process(self).services)

    def _report(self) -> None:
        """The status, as a monitor asks for it."""
        self.counted.update(invocations=1)
        status.report(Process(self).services)

    def _picture(self) -> None:
        """One of those that stood there before: each place asks for it once in every width."""
        asked = Pictures(self.store, self.account, self.clock)
        for width in WIDTHS:
            self.counted.update(invocations=1, sent=len(asked.get(self._old_picture, width)))


# What it costs


class Meter(NamedTuple):
    """What is free on Vercel's Hobby, what Pro includes, and the dollars that Pro takes for each one more."""

    hobby: float
    included: float
    price: float


FREE_COMMANDS, FREE_TRAFFIC = 500_000, 10 * GB
"""A month, on Upstash's free plan."""

COMMANDS_PRICE = 0.20 / 100_000
INCLUDED_TRAFFIC, TRAFFIC_PRICE = 200 * GB, 0.03 / GB
"""On its plan that counts (docs/scaling.md says since when, and where that stands)."""

METERS = {
    "requests": Meter(1e6, 10e6, 2.00 / 1e6),
    "transfer": Meter(100 * GB, 1_000 * GB, 0.15 / GB),
    "invocations": Meter(1e6, 0, 0.60 / 1e6),
    "processor": Meter(4, 0, 0.128),
    "memory": Meter(360, 0, 0.0106),
    "origin": Meter(inf, 0, 0.06 / GB),
}
"""Hours of the processor, hours of a gigabyte of memory. A million invocations may be included in Pro: lists differ."""

Usage = Mapping[str, float]


def upstash(month: Month) -> float:
    """Dollars; 0 within the free plan."""
    if month.commands <= FREE_COMMANDS and month.traffic <= FREE_TRAFFIC:
        return 0.0
    return month.commands * COMMANDS_PRICE + max(0.0, month.traffic - INCLUDED_TRAFFIC) * TRAFFIC_PRICE


def caused(month: Month) -> Usage:
    """What reaches igfeed. While an instance is busy, its processor is taken to be so too, which is more than is."""
    busy = (month.invocations * ANSWER + month.starts * START) / timedelta(hours=1)
    return {"invocations": month.invocations, "processor": busy, "memory": busy * MEMORY, "origin": month.sent}


def visited(month: Month, pictures: int) -> Usage:
    """What a CDN hands out on any site: a page for each view, and so many pictures as a phone takes them."""
    view = PAGE_BYTES + pictures * len(FILES[WIDTHS[1]])
    return {"requests": month.views * (1 + pictures), "transfer": month.views * view}


def pro(usage: Usage) -> float:
    """Dollars a month on Vercel's Pro, beside its seats."""
    return sum(METERS[name].price * max(0.0, amount - METERS[name].included) for name, amount in usage.items())


def beyond_hobby(usage: Usage) -> list[str]:
    return [name for name, amount in usage.items() if amount > METERS[name].hobby]


# The page about it

ROOT = Path(__file__).parent.parent
VIEWS = tuple(10.0**exponent for exponent in range(3, 10))
MOST = 1e9
REPORTS = MONTH * 24 * 12
"""One in five minutes."""

CORNER = Scale(MOST, regions=20, instances=500, posts=100)
OTHERS = {
    "1 region": Scale(MOST, regions=1),
    "20 regions": Scale(MOST, regions=20),
    "1 instance in each region": Scale(MOST, instances=1),
    "10 instances in each region, asked at random": Scale(MOST, instances=10),
    "100 instances in each": Scale(MOST, instances=100),
    "500 instances in each": Scale(MOST, instances=500),
    "12 posts": Scale(MOST, posts=12),
    "100 posts": Scale(MOST, posts=100),
    "a monitor that asks every 5 minutes": Scale(MOST, reports=REPORTS),
    "**the worst**: 20 regions, 500 instances in each, 100 posts": CORNER,
}
BARE = {
    f"{views:,.0f} views, bare, {servers} server{'s'[: servers > 1]}": Scale(views, regions=0, instances=servers)
    for views, servers in ((1e3, 1), (1e6, 1), (MOST, 1), (MOST, Scale(MOST, regions=0).servers))
}

FACTS = {
    "days": DAYS,
    "month": MONTH,
    "most": MOST,
    "most_pages": timedelta(days=MONTH) / S_MAXAGE,
    "most_calls": 2 * (timedelta(days=MONTH) / FEED_TTL),
    "most_looks": timedelta(days=MONTH) / CHECK_TTL,
    "reports": REPORTS,
    "free_commands": FREE_COMMANDS,
    "free_traffic": FREE_TRAFFIC / GB,
    "included_traffic": INCLUDED_TRAFFIC / GB,
    "pictures": DEFAULT_LIMIT,
    "hobby_views": METERS["requests"].hobby / (1 + DEFAULT_LIMIT),
    "page": PAGE_BYTES,
    "picture": sum(map(len, FILES.values())),
    "albums": 100 * 11 * sum(map(len, FILES.values())) * 4 / 3 / 1e6,
    "phone": len(FILES[WIDTHS[1]]),
    "answer": ANSWER / timedelta(milliseconds=1),
    "start": START / timedelta(milliseconds=1),
    "memory": MEMORY,
}

TEXT = """# What a month costs as views grow

Behind a CDN, what igfeed does is **flat in views**: a thousand million a month cost what a million cost, nothing at
Upstash and {cents} at Vercel; in the worst corner {store_worst} and {igfeed_worst}. What the CDN takes for handing
pages out grows with views, as on any site.

![Commands, invocations and calls a month, against views a month](scaling.svg)

Made by `make scaling`: the real feed, token manager, pictures and cron on a played clock, between Poisson visitors and
an Instagram on which a post appears every day. {days} days are played and taken for a month of {month}. Behind the CDN
there are five regions and 24 posts, and each region has as many instances of the function as its requests need, unless
a row says otherwise.

{behind}

At {most:,.0f} views:

{others}

Without a CDN every view reaches a server that lives on, and most are answered from finished pages:

{bare}

## How it grows

With R regions, P posts, N new ones a month and V views:

| a month | grows as | that is |
|---|---|---|
| invocations | R (1 / `s-maxage` + P + N) | {most_pages:,.0f} pages for a region, and each picture's files |
| store commands | the same + 1 / `IGFEED_FEED_TTL` | a look for an invocation, some more for a fetch |
| Instagram calls | 1 / `IGFEED_FEED_TTL` | {most_calls:,.0f}, whatever the size |
| bytes from the store | P (cold starts + 1 / `IGFEED_FEED_TTL`) | the whole feed for who has not got this one |
| store commands, bare | 1 / `IGFEED_CHECK_TTL` for each server | {most_looks:,.0f} looks, and the fetches |

A new post's picture is three writes, and one command deletes what left.

V is in none of these lines: below some hundred thousand views they creep towards their bounds, then they stand. It
comes in where servers without a CDN follow the load (the last row above), and with addresses that do not repeat: a
link with something new in its query string each time (`fbclid=…`) is another page to a CDN, and each such view is an
invocation, though one that finished pages answer. An iframe's address repeats. Each further address that is asked for
as often (`/` beside `/embed`, a second page) adds about as many looks again: three of them from twenty regions are more
than Upstash's free plan has.

A monitor's question for the status is one invocation and one command: {reports:,} of each a month if it asks every five
minutes.

## What it costs

**Upstash** is in the tables above, by commands *and* bytes (both ways; what it answers is base64 in JSON). Free are
{free_commands:,} commands and {free_traffic:.0f} GB a month. On the plan that counts, every 100,000 commands cost $0.20
and each GB above {included_traffic:.0f} costs $0.03 ([its price list](https://upstash.com/pricing/redis), as it stood
in September 2026). What is kept stays free: a hundred albums of ten pictures are {albums:,.0f} of 256 MB.

**Vercel**, dollars a month beside $20 for each seat of Pro:

{vercel}

- *Through igfeed*: invocations, processor, memory and transfer between function and CDN, each from the first one on.
  The $20 of usage that Pro comes with would pay it all.
- *Through views*: requests and transfer, less what Pro includes: if every view is a page alone, and if each brings
  {pictures} pictures that its browser has not got yet (it keeps them for a year). Any site of that weight pays this.
- *Hobby lacks*: what a month with pictures needs more of than the free plan for private sites has. Its million requests
  are {hobby_views:,.0f} such views.

$2 for a million requests, $0.15 a GB to visitors, $0.06 a GB to functions and $0.60 for a million invocations are of
[Vercel's announcement](https://vercel.com/blog/improved-infrastructure-pricing) of April 2024; some regions cost more.
A third party's list of May 2026 has the same but for the third, and besides $0.128 an hour of processor, $0.0106 a
GB-hour of memory, Pro's 10 million requests and 1 TB, Hobby's million requests, million invocations, 100 GB, 4 hours
and 360 GB-hours. What Hobby has of transfer to functions was not to be found, and nothing was compared with a bill.

## What is taken for what

- A page is {page:,} bytes: `/embed` of the demo, {pictures} posts, with its headers, measured as gzip, which the CDN is
  taken to ask functions for. A picture is {picture:,} in all widths ([how](pictures.md)); a phone takes {phone:,}.
- Assumptions: an instance ends after ten idle minutes; it does one thing at a time, {answer:.0f} ms for a request and
  {start:.0f} ms for a cold start, and is busy throughout (Vercel's take several at once); it has {memory} GB.
- Instances asked at random are the worst there is: hardly one is warm when its turn comes.
"""


def table(rows: Mapping[str, Month]) -> str:
    head = (
        "| | invocations | cold starts | store commands | Instagram calls | sent, MB | from the store, MB | to it, MB "
        "| Upstash |"
    )
    return "\n".join([head, "|---" * 9 + "|", *(f"| {name} | {_cells(month)} |" for name, month in rows.items())])


def _cells(month: Month) -> str:
    counts = [f"{each:,.0f}" for each in (month.invocations, month.starts, month.commands, month.calls)]
    sizes = [f"{size / 1e6:,.0f}" for size in (month.sent, month.read, month.written)]
    return " | ".join([*counts, *sizes, _dollars(upstash(month))])


def vercel_table(rows: Mapping[str, Month]) -> str:
    head = f"| | through igfeed | through views: pages | and {DEFAULT_LIMIT} pictures each | Hobby lacks |"
    return "\n".join([head, "|---" * 5 + "|", *(f"| {name} | {_costs(month)} |" for name, month in rows.items())])


def _costs(month: Month) -> str:
    alone, with_pictures = visited(month, 0), visited(month, DEFAULT_LIMIT)
    lacking = beyond_hobby({**caused(month), **with_pictures})
    prices = [_dollars(pro(usage)) for usage in (caused(month), alone, with_pictures)]
    return " | ".join([*prices, ", ".join(lacking) or "nothing"])


def _dollars(price: float) -> str:
    return f"${price:,.2f}" if price else "free"


def page(behind: Mapping[float, Month]) -> str:
    """docs/scaling.md; ``behind`` are the months behind a CDN, by views."""
    named = {f"{views:,.0f} views": month for views, month in behind.items()}
    others = {name: World(scale).month() for name, scale in OTHERS.items()}
    worst = list(others)[-1]
    return TEXT.format(
        **FACTS,
        behind=table(named),
        others=table(others),
        bare=table({name: World(scale).month() for name, scale in BARE.items()}),
        vercel=vercel_table({**named, worst: others[worst]}),
        cents=_dollars(pro(caused(behind[MOST]))),
        store_worst=_dollars(upstash(others[worst])),
        igfeed_worst=_dollars(pro(caused(others[worst]))),
    )


def main() -> int:
    behind = {views: World(Scale(views)).month() for views in VIEWS}
    series = {
        "views": [(views, views) for views in VIEWS],
        "store commands": [(views, month.commands) for views, month in behind.items()],
        "invocations": [(views, month.invocations) for views, month in behind.items()],
        "Instagram calls": [(views, month.calls) for views, month in behind.items()],
    }
    (ROOT / "docs/scaling.md").write_text(page(behind))
    (ROOT / "docs/scaling.svg").write_text(drawing(series, "a month, against views a month"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
