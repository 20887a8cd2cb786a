"""docs/scaling.md: what was played and what it costs, as tables with what there is to say about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from igfeed.widget.options import DEFAULT_LIMIT
from lab.growth.assumptions import (
    ANSWER,
    AVIF_SIZES,
    BARE_ANSWER,
    CHECK_TTL,
    DAYS,
    FEED_TTL,
    GB,
    MEMORY,
    MONTH,
    PAGE_BYTES,
    S_MAXAGE,
    START,
    WEBP_SIZES,
)
from lab.growth.costs import (
    FREE_COMMANDS,
    FREE_TRAFFIC,
    INCLUDED_TRAFFIC,
    METERS,
    beyond_hobby,
    caused,
    pro,
    upstash,
    visited,
)
from lab.growth.deployment import Month, Scale, SimulatedDeployment

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
    "10 accounts": Scale(MOST, accounts=10),
    "**the worst**: 20 regions, 500 instances in each, 100 posts": CORNER,
}
BARE_MOST = Scale(MOST, regions=0)
BARE = {
    f"{scale.views:,.0f} views, bare, {scale.servers} server{'s'[: scale.servers > 1]}": scale
    for scale in (Scale(1e3, regions=0), Scale(1e6, regions=0), BARE_MOST, Scale(10 * MOST, regions=0))
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
    "picture": sum(WEBP_SIZES),
    "avif": sum(AVIF_SIZES),
    "phone": AVIF_SIZES[1],
    "albums": 100 * (11 * sum(WEBP_SIZES) + sum(AVIF_SIZES)) * 4 / 3 / 1e6,
    "answer": ANSWER / timedelta(milliseconds=1),
    "start": START / timedelta(milliseconds=1),
    "bare_answer": BARE_ANSWER / timedelta(microseconds=1),
    "bare_servers": BARE_MOST.servers,
    "a_second": MOST / timedelta(days=MONTH).total_seconds(),
    "one_server": timedelta(days=MONTH) / BARE_ANSWER / 1e9,
    "memory": MEMORY,
}

TEXT = """# What a month costs as views grow

Behind a CDN the work of igfeed is **flat in views**. A billion views a month cost what a million cost: nothing at
Upstash and {cents} at Vercel. The worst case below costs {store_worst} and {igfeed_worst}. What the CDN charges for
handing pages out grows with views, as on any site.

![Commands, invocations and calls a month, against views a month](scaling.svg)

`make scaling` makes this page. It runs the real feed, token manager, pictures and cron on a simulated clock, between
Poisson visitors and an Instagram on which a post appears every day. It plays {days} days and scales them to a month of
{month}. Behind the CDN there are five regions and 24 posts, and each region has as many instances of the function as
its requests need, unless a row says otherwise.

{behind}

At {most:,.0f} views:

{others}

Without a CDN every view reaches a long-running server. Nearly all views are answered from finished pages. {most:,.0f}
views are {a_second:.0f} a second, and {bare_servers} servers are enough for them. This table counts pages alone;
pictures that a browser does not have yet come on top:

{bare}

## How it grows

With R regions, P posts, N new ones a month and V views:

| a month | grows as | that is |
|---|---|---|
| invocations | R (1 / `s-maxage` + P + N) | {most_pages:,.0f} pages for a region, and each picture's files |
| store commands | the same + 1 / `IGFEED_FEED_TTL` | a look for an invocation, four more for a fetch |
| Instagram calls | 1 / `IGFEED_FEED_TTL` | {most_calls:,.0f}, whatever the size |
| bytes from the store | P (cold starts + 1 / `IGFEED_FEED_TTL`) | the feed, for each process without it |
| store commands, bare | 1 / `IGFEED_CHECK_TTL` for each server | {most_looks:,.0f} looks, and the fetches |

The cron runs weekly here, which is the least. The daily one of `vercel.json` adds some thousand store commands and 80
calls of Instagram a month, measured with 24 posts.

A new post's picture is six writes: three widths in two formats. A picture that left the feed is deleted by one command
a week later, when no cache shows it any more. The next fetch deletes it once more, in case the first command failed.

None of these lines contains V. Below some hundred thousand views the figures grow towards their bounds, then they stay
there. Views count in two cases. Without a CDN, servers must follow the load, but late: one server whose processor does
nothing else hands out {one_server:.0f} billion pages a month (the last row above has ten). And addresses may not
repeat: a link with something new in its query string each time (`fbclid=…`) is another page to a CDN, so each such view
is an invocation, though finished pages answer it. An iframe's address repeats. Each further address that is asked for
as often (`/` beside `/embed`, a second page) adds about as many looks again. Three of them from twenty regions are more
than Upstash's free plan has.

Each further account has pages, posts and a token of its own, so it adds as many invocations and calls again. It adds
half as many commands more: a process reads the list of accounts too, at most once in `IGFEED_CHECK_TTL`.

A monitor that asks for the status every five minutes costs {reports:,} invocations and as many commands a month.

## What it costs

**Upstash** is in the tables above, by commands *and* bytes (both ways; its answers are base64 in JSON). The free plan
has {free_commands:,} commands and {free_traffic:.0f} GB a month. On the pay-as-you-go plan every 100,000 commands cost
$0.20 and each GB above {included_traffic:.0f} costs $0.03 ([its price list](https://upstash.com/pricing/redis), as it
stood in September 2026). Storage stays free: a hundred albums of ten pictures are {albums:,.0f} of 256 MB. The
children of albums are kept as WebP only.

**Vercel** costs this many dollars a month, beside $20 for each seat of Pro:

{vercel}

- *Through igfeed*: invocations, processor, memory and transfer between function and CDN, counted from the first one.
  The $20 of usage that Pro includes would pay it all.
- *Through views*: requests and transfer, less what Pro includes. The first column is for views of a page alone, the
  second for views that each bring {pictures} pictures which the browser does not have yet (it keeps them for a year).
  Any site of that weight pays this.
- *Hobby lacks*: what a month with pictures needs more of than the free plan for private sites has. Its million requests
  are {hobby_views:,.0f} such views.

Vercel's [announcement](https://vercel.com/blog/improved-infrastructure-pricing) of April 2024 says $2 for a million
requests, $0.15 a GB to visitors, $0.06 a GB to functions and $0.60 for a million invocations; some regions cost more. A
third party's list of May 2026 has the same except for the third price. It adds $0.128 an hour of processor, $0.0106 a
GB-hour of memory, Pro's 10 million requests and 1 TB, Hobby's million requests, million invocations, 100 GB, 4 hours
and 360 GB-hours. We found no figure for Hobby's transfer to functions, and compared nothing with a bill.

## Assumptions

- A page is {page:,} bytes: `/embed` of the demo, {pictures} posts, with its headers, measured as gzip. We assume that
  the CDN asks functions for gzip. A picture is {picture:,} bytes as WebP in all widths and {avif:,} as AVIF
  ([how](pictures.md)); a phone takes {phone:,}. Each region is asked for all six files of it.
- An instance ends ten minutes after its last request. It does one thing at a time, {answer:.0f} ms for a request and
  {start:.0f} ms for a cold start, and is busy throughout (Vercel's take several at once). It has {memory} GB.
- A long-running server is busy for {bare_answer:.0f} µs with a view, HTTP included. That is more than two gunicorn
  workers need for one ([measured](bench.md)). There are enough servers for all but one moment in a thousand.
- Instances asked at random are the worst case: hardly one is warm when its turn comes.
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
    others = {name: SimulatedDeployment(scale).month() for name, scale in OTHERS.items()}
    worst = list(others)[-1]
    return TEXT.format(
        **FACTS,
        behind=table(named),
        others=table(others),
        bare=table({name: SimulatedDeployment(scale).month() for name, scale in BARE.items()}),
        vercel=vercel_table({**named, worst: others[worst]}),
        cents=_dollars(pro(caused(behind[MOST]))),
        store_worst=_dollars(upstash(others[worst])),
        igfeed_worst=_dollars(pro(caused(others[worst]))),
    )
