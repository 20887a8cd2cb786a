"""What a month costs at any size: the real feed and token manager, behind a played CDN or bare, on a passed-in clock.

A thousand million views cannot be drawn one by one, and need not be: while an answer is fresh, no view reaches what is
behind it, and the first one after that comes, as with all Poisson visitors, an exponential waiting time later. So the
simulation jumps from one view that matters to the next. Some days are played and taken for a month.

- **Behind a CDN**: each region keeps a page for `s-maxage`; the first view after that has it asked for anew, which is
  one invocation of a function. Instances are asked at random, the worst there is for what each of them remembers, and
  one that was not asked for ten minutes is gone.
- **Bare**: each view reaches a server that lives on. It hands out finished pages for as long as it trusts its copy.

Run `python -m tests.growth` for docs/scaling.md and its drawing.
"""

from __future__ import annotations

import base64
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import heapify, heapreplace
from pathlib import Path

from igfeed.background import in_place
from igfeed.clock import Deadline
from igfeed.custody import KEY
from igfeed.encryption import NoCipher
from igfeed.errors import PictureUnavailable, UnexpectedAnswer
from igfeed.feed import FeedService
from igfeed.grid import PAGE
from igfeed.models import FeedSnapshot, Media, Picture, Post, Profile, Token
from igfeed.pictures import WIDTHS, Pictures
from igfeed.stores.guarded import GuardedStore
from igfeed.stores.memory import MemoryStore
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

PAGE_BYTES = 8_000
PICTURE_BYTES = 121_000
"""Of all widths of one picture (docs/pictures.md)."""

FREE_COMMANDS = 500_000
COMMANDS_PRICE = 0.20 / 100_000
FREE_INVOCATIONS = 1_000_000

Fresh = Callable[[int], timedelta]


@dataclass(frozen=True)
class Scale:
    """``views`` is for a month; no ``regions`` mean no CDN."""

    views: float
    regions: int = 5
    instances: int = 10
    posts: int = 24


@dataclass(frozen=True)
class Month:
    """``invocations`` are the views that reach a server, pictures included; the rest is what they lead to."""

    invocations: float
    commands: float
    calls: float
    sent: float
    read: float

    @property
    def price(self) -> float:
        """Dollars for the commands, on Upstash's plan that counts them; 0 within the free one."""
        return self.commands * COMMANDS_PRICE if self.commands > FREE_COMMANDS else 0.0


class CountingStore(MemoryStore):
    """Counts what would be commands at Upstash, and what comes back from there."""

    def __init__(self, clock: MovingClock) -> None:
        super().__init__(clock)
        self.commands = 0
        self.read = 0

    def get(self, key: str) -> str | None:
        self.commands += 1
        text = super().get(key)
        self.read += len(text or "")
        return text

    def reread(self, key: str, known: str | None) -> str | None:
        text = self.get(key)
        self.read -= len(text or "") if text == known else 0
        return known if text == known else text

    def get_all(self, keys: Sequence[str]) -> list[str | None]:
        self.commands += 1
        texts = super().get_all(keys)
        self.read += sum(len(text or "") for text in texts)
        return texts

    def set(self, key: str, value: str) -> None:
        self.commands += 1
        super().set(key, value)

    def swap(self, key: str, old: str | None, new: str) -> bool:
        self.commands += 1
        return super().swap(key, old, new)

    def delete(self, *keys: str) -> None:
        self.commands += 1
        super().delete(*keys)

    def claim(self, key: str, ttl: timedelta) -> bool:
        self.commands += 1
        return super().claim(key, ttl)


class Account:
    """An Instagram on which a post appears from time to time."""

    def __init__(self, clock: MovingClock) -> None:
        self._clock = clock
        self._since = clock()
        self.calls = 0

    def profile(self, token: str) -> Profile:
        self.calls += 1
        return Profile("studio.nord", media_count=1000)

    def media(self, token: str, limit: int) -> Media:
        self.calls += 1
        newest = 1000 + int((self._clock() - self._since) / timedelta(days=1) * NEW_POSTS)
        return Media(tuple(self._post(number) for number in range(newest, newest - limit, -1)))

    def renew(self, token: str) -> Token:
        self.calls += 1
        return Token(f"{token}+", self._clock(), self._clock() + timedelta(days=60))

    def exchange(self, token: str, app_secret: str) -> Token:
        raise UnexpectedAnswer("Nobody logs in here.")

    def picture(self, url: str) -> bytes:
        raise PictureUnavailable("Every picture is kept already.")

    def _post(self, number: int) -> Post:
        url = f"https://scontent.cdninstagram.com/v/{number}.jpg?{'signature' * 30}"
        post_id = f"{17_900_000_000_000_000 + number}"
        return Post(
            Picture(post_id, url), "IMAGE", f"https://www.instagram.com/p/{number}/", self._since, "Caption " * 20
        )


class Process:
    """An instance of ours, cold when it is made."""

    def __init__(self, world: World) -> None:
        clock = world.clock
        store = GuardedStore(world.store, clock, in_place)
        self.used_at = clock()
        self.pictures = Pictures(store, world.account, clock)
        self.tokens = TokenManager(world.account, store, clock, renew_within=timedelta(days=7), cipher=NoCipher())
        self.feed = FeedService(
            world.account,
            self.tokens,
            self.pictures,
            store,
            clock,
            posts=world.scale.posts,
            ttl=FEED_TTL,
            check_ttl=CHECK_TTL,
            sleep=lambda _: None,
        )

    def answer(self) -> FeedSnapshot | None:
        """A view, as `igfeed.grid` answers it, with what comes after the answer."""
        snapshot, is_due = self.feed.current()
        if is_due:
            self.feed.refresh()
        return snapshot


class World:
    """One deployment: `month` plays some of its days."""

    def __init__(self, scale: Scale, seed: int = 1) -> None:
        self.scale = scale
        self.clock = MovingClock()
        self.store = CountingStore(self.clock)
        self.account = Account(self.clock)
        self._chance = random.Random(seed)
        self._instances: dict[int, Process] = {}
        token = Token("IGAA", self.clock() - timedelta(days=30), self.clock() + timedelta(days=30))
        self.store.set(KEY, json.dumps(token.to_json()))
        Process(self).feed.fetch()

    def month(self) -> Month:
        self.store.commands = self.store.read = self.account.calls = 0
        arrivals = self._behind_a_cdn() if self.scale.regions else self._bare()
        invocations = sum(1 for _ in arrivals)
        days = Counter(commands=self.store.commands, calls=self.account.calls, read=self.store.read)
        cron, pictures = self._cron(), self._pictures()
        factor = MONTH / DAYS
        reached = invocations * factor if self.scale.regions else self.scale.views
        return Month(
            invocations=reached + pictures["commands"] + MONTH / 7,
            commands=days["commands"] * factor + cron["commands"] + pictures["commands"],
            calls=days["calls"] * factor + cron["calls"],
            sent=reached * PAGE_BYTES + pictures["read"] * 3 / 4,
            read=days["read"] * factor + cron["read"] + pictures["read"],
        )

    def _behind_a_cdn(self) -> Iterator[None]:
        """One item for each request that a region makes."""
        rate = self.scale.views / MONTH / 86_400 / self.scale.regions
        for _ in self._moments(self.scale.regions, rate, lambda _: S_MAXAGE):
            self._instance(self._chance.randrange(self.scale.instances)).answer()
            yield

    def _bare(self) -> Iterator[None]:
        """One item for each view that a server's finished pages do not answer."""
        rate = self.scale.views / MONTH / 86_400 / self.scale.instances
        servers = [Process(self) for _ in range(self.scale.instances)]
        for number in self._moments(
            self.scale.instances, rate, lambda number: servers[number].feed.trusted_until - self.clock()
        ):
            servers[number].answer()
            yield

    def _moments(self, places: int, rate: float, fresh: Fresh) -> Iterator[int]:
        """Which place has its next view that matters; after it, it is `fresh` for so long."""
        start = self.clock()
        end = start + timedelta(days=DAYS)
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

    def _instance(self, number: int) -> Process:
        instance = self._instances.get(number)
        if instance is None or self.clock() > instance.used_at + IDLE:
            instance = self._instances[number] = Process(self)
        instance.used_at = self.clock()
        return instance

    def _cron(self) -> Counter[str]:
        """Of a month's weekly runs: renew, fetch, look after the pictures."""
        process = Process(self)
        for picture in process.feed.fetch().pictures():
            for width in WIDTHS:
                kept = base64.b64encode(b"RIFF....WEBP" + b"x" * (PICTURE_BYTES // len(WIDTHS))).decode()
                MemoryStore.set(self.store, f"picture:v1:{picture.id}-{width}", kept)
        self.clock.forward(days=1)
        self.store.commands = self.store.read = self.account.calls = 0
        cold = Process(self)
        cold.tokens.renew()
        cold.pictures.mirror(cold.feed.fetch().pictures(), Deadline(60))
        cold.feed.paint()
        runs = MONTH / 7
        counted = {"commands": self.store.commands, "calls": self.account.calls, "read": self.store.read}
        return Counter({name: round(number * runs) for name, number in counted.items()})

    def _pictures(self) -> Counter[str]:
        """Each is asked for once by each region, or by each server, in every width; then it is kept there."""
        files = (self.scale.posts + MONTH * NEW_POSTS) * (self.scale.regions or self.scale.instances) * len(WIDTHS)
        return Counter(commands=files, read=files * PICTURE_BYTES * 4 // 3 // len(WIDTHS))


# The page about it

ROOT = Path(__file__).parent.parent
VIEWS = tuple(10.0**exponent for exponent in range(3, 10))
OTHERS = {
    "1 region": Scale(1e9, regions=1),
    "20 regions": Scale(1e9, regions=20),
    "1 instance": Scale(1e9, instances=1),
    "100 instances": Scale(1e9, instances=100),
    "500 instances": Scale(1e9, instances=500),
    "12 posts": Scale(1e9, posts=12),
    "100 posts": Scale(1e9, posts=100),
}
BARE = {f"{views:,.0f} views, bare": Scale(views, regions=0, instances=2) for views in (1e3, 1e6, 1e9)}

TEXT = """# What a month costs as views grow

Made by `make scaling`: the real feed, token manager and guard on a played clock, between Poisson visitors and an
Instagram on which a post appears every day; {days} days are played and taken for a month of {month}. Behind a CDN there
are five regions and ten instances of the function, and 24 posts, unless a row says otherwise; bare are two servers
that live on.

![Commands, invocations and calls a month, against views a month](scaling.svg)

{behind}

At 1,000,000,000 views:

{others}

Without a CDN every view reaches a server, and most are answered from finished pages:

{bare}

## How it grows

- **Invocations**: at most one for each region in each `s-maxage` ({s_maxage:.0f} s), {most:,.0f} a month for each way
  to show the feed; and each picture file once for each region.
- **Store commands**: one for an invocation, unless the instance has looked within `IGFEED_CHECK_TTL`; some more for a
  fetch; one for a picture file. Bare, at most one for each server in each `IGFEED_CHECK_TTL`, and the fetches.
- **Calls to Instagram**: two in each `IGFEED_FEED_TTL`, whatever the size.

So once there is a view in every few seconds and region, all three are flat in views; before, they creep towards these
bounds. That holds for addresses that repeat, as an iframe's does: a link with something new in its query string each
time (`fbclid=…`) is another page to a CDN, and each such view is an invocation, though one that finished pages answer.
What the CDN itself charges for requests and bytes grows with views on any site; nothing here can change that.

## What it costs

The last column looks at commands alone, for one address of the feed: each further one that is asked for as often (`/`
beside `/embed`, a second page) adds about as many looks again, and three of them from twenty regions on hundreds of
cold instances are more than the free plan has. Mind the bytes too: each look reads the whole feed, and ten gigabytes a
month are free, which a hundred posts from many regions can exceed.

The commands' price is Upstash's of autumn 2026: {free_commands:,} a month are free, then $0.20 for 100,000. Vercel's
free plan had {free_invocations:,} invocations of functions a month in May 2026, by a list of plans of that time; its
paid plans are not priced here. A page is taken for {page:,} bytes, a picture in all widths for {picture:,}; what is
read from the store is a third more, as pictures are text there. That an instance ends after ten idle minutes is an
assumption.
"""


def table(rows: dict[str, Month]) -> str:
    head = "| | invocations | store commands | Instagram calls | sent, MB | read from the store, MB | Upstash |"
    return "\n".join([head, "|---" * 7 + "|", *(f"| {name} | {_cells(month)} |" for name, month in rows.items())])


def _cells(month: Month) -> str:
    counts = [f"{count:,.0f}" for count in (month.invocations, month.commands, month.calls)]
    sizes = [f"{size / 1e6:,.0f}" for size in (month.sent, month.read)]
    return " | ".join([*counts, *sizes, f"${month.price:.2f}" if month.price else "free"])


def main() -> int:
    behind = {views: World(Scale(views)).month() for views in VIEWS}
    text = TEXT.format(
        days=DAYS,
        month=MONTH,
        behind=table({f"{views:,.0f} views": month for views, month in behind.items()}),
        others=table({name: World(scale).month() for name, scale in OTHERS.items()}),
        bare=table({name: World(scale).month() for name, scale in BARE.items()}),
        s_maxage=S_MAXAGE.total_seconds(),
        most=timedelta(days=MONTH) / S_MAXAGE,
        free_commands=FREE_COMMANDS,
        free_invocations=FREE_INVOCATIONS,
        page=PAGE_BYTES,
        picture=PICTURE_BYTES,
    )
    series = {
        "views": [(views, views) for views in VIEWS],
        "store commands": [(views, month.commands) for views, month in behind.items()],
        "invocations": [(views, month.invocations) for views, month in behind.items()],
        "Instagram calls": [(views, month.calls) for views, month in behind.items()],
    }
    (ROOT / "docs/scaling.md").write_text(text)
    (ROOT / "docs/scaling.svg").write_text(drawing(series, "a month, against views a month"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
