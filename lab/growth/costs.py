"""What a month costs: the prices of Upstash and Vercel, as docs/scaling.md says since when and where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import inf
from typing import NamedTuple

from lab.growth.assumptions import ANSWER, AVIF_SIZES, GB, MEMORY, PAGE_BYTES, START
from lab.growth.deployment import Month


class Meter(NamedTuple):
    """What is free on Vercel's Hobby, what Pro includes, and the dollars that Pro takes for each one more."""

    hobby: float
    included: float
    price: float


FREE_COMMANDS, FREE_TRAFFIC = 500_000, 10 * GB
"""A month, on Upstash's free plan."""

COMMANDS_PRICE = 0.20 / 100_000
INCLUDED_TRAFFIC, TRAFFIC_PRICE = 200 * GB, 0.03 / GB
"""On its plan that counts."""

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
    view = PAGE_BYTES + pictures * AVIF_SIZES[1]
    return {"requests": month.views * (1 + pictures), "transfer": month.views * view}


def pro(usage: Usage) -> float:
    """Dollars a month on Vercel's Pro, beside its seats."""
    return sum(METERS[name].price * max(0.0, amount - METERS[name].included) for name, amount in usage.items())


def beyond_hobby(usage: Usage) -> list[str]:
    return [name for name, amount in usage.items() if amount > METERS[name].hobby]
