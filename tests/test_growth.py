"""What a month costs is bounded by regions, instances and time, and flat in views. See `tests.growth`."""

import logging
import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.growth import (
    CHECK_TTL,
    DAYS,
    FEED_TTL,
    FREE_COMMANDS,
    MONTH,
    ROOT,
    S_MAXAGE,
    Scale,
    World,
    table,
)


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(("views", "growth"), [(1e6, 1.08), (1e7, 1.02)])
def test_up_to_a_thousand_million_views_hardly_anything_grows(views: float, growth: float) -> None:
    fewer, thousand_million = World(Scale(views)).month(), World(Scale(1e9)).month()

    assert fewer.commands <= thousand_million.commands < growth * fewer.commands
    assert fewer.calls <= thousand_million.calls < growth * fewer.calls
    assert fewer.invocations <= thousand_million.invocations < growth * fewer.invocations


def test_a_thousand_million_views_from_twenty_regions_stay_within_the_free_plan_of_the_store() -> None:
    month = World(Scale(1e9, regions=20, instances=500)).month()

    assert month.commands < FREE_COMMANDS
    assert month.price == 0


@pytest.mark.parametrize("regions", [1, 5])
def test_invocations_are_bounded_by_regions_and_s_maxage(regions: int) -> None:
    world = World(Scale(1e9, regions=regions))
    pictures = (world.scale.posts + MONTH) * regions * 3

    assert world.month().invocations <= regions * (timedelta(days=MONTH) / S_MAXAGE + MONTH / DAYS) + pictures + 5


def test_calls_are_bounded_by_the_feeds_ttl() -> None:
    most = 2 * (timedelta(days=MONTH) / FEED_TTL)

    assert World(Scale(1e9, regions=0, instances=4)).month().calls <= most + 20


def test_a_bare_server_asks_the_store_once_in_its_check_ttl_and_for_the_fetches() -> None:
    month = World(Scale(1e9, regions=0, instances=1)).month()
    looks, fetches = timedelta(days=MONTH) / CHECK_TTL, timedelta(days=MONTH) / FEED_TTL

    assert looks <= month.commands <= looks + 12 * fetches + 500


@pytest.mark.parametrize("views", [2_000, 20_000, 200_000])
def test_jumping_from_one_view_that_matters_to_the_next_counts_what_drawing_each_view_counts(views: float) -> None:
    seeds = range(12)
    jumped = sum(sum(1 for _ in World(Scale(views, regions=1, instances=1), seed)._behind_a_cdn()) for seed in seeds)

    assert jumped == pytest.approx(sum(drawn_one_by_one(views, seed) for seed in seeds), rel=0.1)


def drawn_one_by_one(views: float, seed: int) -> int:
    """How many of them a CDN passes on: those that come when its copy is not fresh."""
    chance, mean = random.Random(seed + 1000), MONTH * 86_400 / views
    now = fresh_until = 0.0
    passed_on = 0
    while (now := now + chance.expovariate(1 / mean)) < DAYS * 86_400:
        if now >= fresh_until:
            passed_on += 1
            fresh_until = now + S_MAXAGE.total_seconds()
    return passed_on


def test_the_page_about_it_says_what_is_played_today() -> None:
    row = table({"1,000,000,000 views": World(Scale(1e9)).month()}).splitlines()[-1]

    assert row in (ROOT / "docs/scaling.md").read_text()
