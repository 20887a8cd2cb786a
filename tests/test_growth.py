"""What a month costs is bounded by regions, instances and time, and flat in views. See `lab.growth`."""

import base64
import json
import logging
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from igfeed import create_app
from igfeed.cache_lifetimes import PAGE_IS_SHOWN
from igfeed.config import Settings
from lab.growth.assumptions import (
    ANSWER,
    CHECK_TTL,
    DAYS,
    FEED_TTL,
    FILES,
    GB,
    MONTH,
    PAGE_BYTES,
    S_MAXAGE,
    START,
)
from lab.growth.costs import beyond_hobby, caused, pro, upstash, visited
from lab.growth.deployment import Month, Scale, SimulatedDeployment
from lab.growth.outside import CountingStore
from lab.growth.page import BARE, CORNER, table
from tests.harness.clock import MovingClock

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@cache
def month(scale: Scale, days: float = DAYS) -> Month:
    return SimulatedDeployment(scale, days=days).month()


# How it grows


@pytest.mark.parametrize(("views", "growth"), [(1e6, 1.08), (1e7, 1.02)])
def test_up_to_a_thousand_million_views_hardly_anything_grows(views: float, growth: float) -> None:
    fewer, most = month(Scale(views), days=1), month(Scale(1e9), days=1)

    for name in ("invocations", "commands", "calls", "sent", "read", "written"):
        few, many = getattr(fewer, name), getattr(most, name)
        assert few <= many < growth * few, name
    assert most.starts < growth * fewer.starts


def test_a_thousand_million_views_from_twenty_regions_stay_within_the_free_plan_of_the_store() -> None:
    assert upstash(month(Scale(1e9, regions=20, instances=500), days=0.2)) == 0


def test_the_worst_corner_costs_less_than_a_dollar_in_the_store_and_through_igfeed_ten_on_vercel() -> None:
    corner = month(CORNER, days=0.1)

    assert corner.traffic > 10 * GB  # Commands alone would be free.
    assert 0 < upstash(corner) < 1
    assert pro(caused(corner)) < 10


@pytest.mark.parametrize("regions", [1, Scale(1e9).regions])
def test_invocations_are_bounded_by_regions_and_s_maxage(regions: int) -> None:
    scale = Scale(1e9, regions=regions)
    pictures = (scale.posts + MONTH) * regions * len(FILES)

    assert month(scale).invocations <= regions * (timedelta(days=MONTH) / S_MAXAGE + MONTH / DAYS) + pictures + 5


def test_calls_are_bounded_by_the_feeds_ttl() -> None:
    most = 2 * (timedelta(days=MONTH) / FEED_TTL)

    assert month(Scale(1e9, regions=0, instances=4), days=0.5).calls <= most + 20


def test_a_bare_server_asks_the_store_once_in_its_check_ttl_and_for_the_fetches() -> None:
    bare = month(Scale(1e9, regions=0, instances=1), days=1)
    looks, fetches = timedelta(days=MONTH) / CHECK_TTL, timedelta(days=MONTH) / FEED_TTL

    # A fetch takes four commands and spares a look: the fourth that is granted here is for pictures and cron.
    assert looks <= bare.commands <= looks + 4 * fetches


def test_invocations_grow_in_a_straight_line_with_regions_and_bytes_with_posts() -> None:
    regions = [month(Scale(1e9, regions=each), days=0.25).invocations for each in (3, 6, 9)]
    posts = [month(Scale(1e9, posts=each), days=0.25).read for each in (20, 40, 60)]

    assert regions[2] - regions[1] == pytest.approx(regions[1] - regions[0], rel=0.02)
    assert posts[2] - posts[1] == pytest.approx(posts[1] - posts[0], rel=0.02)


# Instances


def test_bare_servers_follow_the_load_and_live_on() -> None:
    assert Scale(1e3, regions=0).servers == Scale(1e6, regions=0).servers == 1
    assert Scale(1e9, regions=0).servers == 2
    assert 4 <= Scale(1e10, regions=0).servers <= 8
    assert Scale(1e9, regions=0, instances=3).servers == 3
    assert month(Scale(1e9, regions=0), days=1).starts == 0


def test_an_instance_is_warm_while_its_region_asks_for_it_and_busy_ones_are_not_asked() -> None:
    deployment = SimulatedDeployment(Scale(1e9, regions=2))
    first = deployment._instance(0)

    assert deployment._instance(0) is not first
    assert deployment._instance(1) is not first
    deployment.clock.forward(minutes=10)
    assert deployment._instance(0) is first
    deployment.clock.forward(minutes=10, seconds=1)
    assert deployment._instance(0) is not first
    assert deployment.counted["starts"] == 4


def test_an_instance_is_busy_throughout_its_start_and_its_answer() -> None:
    deployment = SimulatedDeployment(Scale(1e9, regions=1))
    asked_at = deployment.clock()

    first = deployment._instance(0)
    deployment.clock.now = asked_at + START + ANSWER - timedelta(microseconds=1)
    assert deployment._is_busy(0, 0)
    deployment.clock.now = asked_at + START + ANSWER
    assert not deployment._is_busy(0, 0)
    assert deployment._instance(0) is first
    deployment.clock.now += ANSWER - timedelta(microseconds=1)
    assert deployment._is_busy(0, 0)
    deployment.clock.now = asked_at + START + 2 * ANSWER
    assert not deployment._is_busy(0, 0)


def test_instances_asked_at_random_are_hardly_ever_warm() -> None:
    following, random_ones = (month(Scale(1e9, instances=each), days=0.25) for each in (None, 500))

    assert following.starts < 0.05 * following.invocations
    assert random_ones.starts > 0.9 * (random_ones.invocations - 24 * 5 * len(FILES))


# What is counted


def test_a_new_picture_is_written_once_in_every_width_and_format_and_what_left_stays_while_caches_show_it() -> None:
    days = 1
    deployment = SimulatedDeployment(Scale(1e9), days=days)
    ids = deployment._known[0]

    sum(1 for _ in deployment._behind_a_cdn())

    kept = {key for key in deployment.store._values if key.startswith("picture:")}
    new = deployment._known[0] - ids
    assert len(new) == days
    assert timedelta(days=days) < PAGE_IS_SHOWN
    names = [f"{width}{'.avif' if form == 'avif' else ''}" for width, form in FILES]
    assert {f"picture:v1:{each}-{name}" for each in new for name in names} <= kept
    assert len(kept) == (deployment.scale.posts + len(new)) * len(FILES)
    assert deployment.counted["written"] > days * sum(map(len, FILES.values())) * 4 / 3


def test_a_region_asks_for_a_new_picture_once_in_every_width_and_format() -> None:
    days = 1
    deployment = SimulatedDeployment(Scale(1e9, regions=3), days=days)
    deployment.counted.clear()
    pages = sum(1 for _ in deployment._behind_a_cdn())

    assert pages > 300
    assert deployment.counted["invocations"] == days * 3 * len(FILES)


def test_a_monitor_costs_an_invocation_and_a_command_for_each_question() -> None:
    without, asked = (month(Scale(1e6, reports=reports), days=1) for reports in (0, 8640))

    assert asked.invocations - without.invocations == 8640
    assert asked.commands - without.commands == 8640
    assert asked.read - without.read > 8640 * 4 / 3 * 24 * 300


def test_bytes_are_those_of_the_stores_rest_api(clock: MovingClock) -> None:
    counted: Counter[str] = Counter()
    store = CountingStore(clock, counted)
    text = "a picture's text" * 100

    store.set("key", text)
    assert counted["commands"] == 1
    assert counted["written"] == len(json.dumps(["SET", "key", text]))
    counted.clear()
    store.get("key")

    answer = json.dumps({"result": base64.b64encode(text.encode()).decode()}, separators=(",", ":"))
    assert counted["read"] == pytest.approx(len(answer), abs=4)


def test_a_known_text_does_not_travel_again(clock: MovingClock) -> None:
    counted: Counter[str] = Counter()
    store = CountingStore(clock, counted)
    text = "long " * 1000
    store.set("key", text)
    counted.clear()

    assert store.get_if_changed("key", text) is text
    assert counted["commands"] == 1
    assert counted["read"] < 100
    for before in ("short", None):
        counted.clear()
        assert store.get_if_changed("key", before) == text
        assert counted["commands"] == 1
        assert counted["read"] > len(text) * 4 / 3


def test_a_page_is_as_large_as_it_is_taken_for(tmp_path: Path) -> None:
    environ = {"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": str(tmp_path / "store.sqlite3")}
    page = create_app(Settings.from_env(environ)).test_client().get("/embed", headers={"Accept-Encoding": "gzip"})

    assert page.headers["Content-Encoding"] == "gzip"
    headers = sum(len(f"{name}: {value}\r\n") for name, value in page.headers)
    assert len(page.data) + headers == pytest.approx(PAGE_BYTES, rel=0.03)


@pytest.mark.parametrize("views", [2_000, 20_000, 200_000])
def test_jumping_from_one_view_that_matters_to_the_next_counts_what_drawing_each_view_counts(views: float) -> None:
    seeds = range(2)
    jumped = sum(
        sum(1 for _ in SimulatedDeployment(Scale(views, regions=1, posts=4), seed)._behind_a_cdn()) for seed in seeds
    )

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


# What it costs


def test_the_store_is_free_up_to_both_of_its_limits_and_then_paid_from_the_first_command() -> None:
    most = Month(1e9, commands=500_000, read=9 * GB, written=1 * GB)

    assert upstash(most) == 0
    assert upstash(replace(most, commands=500_001)) == pytest.approx(1.00, abs=0.001)
    assert upstash(replace(most, read=9 * GB + 1)) == pytest.approx(1.00)
    assert upstash(replace(most, read=199 * GB)) == pytest.approx(1.00)
    assert upstash(replace(most, read=299 * GB)) == pytest.approx(4.00)


def test_what_views_cost_grows_with_them_and_what_igfeed_causes_does_not() -> None:
    few = Month(5e7, invocations=1e6, starts=7200, sent=10 * GB)
    more = replace(few, views=1e9)
    hours = (1e6 * 0.02 + 7200 * 0.5) / 3600

    assert pro(caused(few)) == pro(caused(more))
    assert pro(caused(few)) == pytest.approx(0.60 + 10 * 0.06 + hours * (0.128 + 2 * 0.0106))
    assert pro(visited(few, 0)) == pytest.approx(40 * 2)  # Not a terabyte yet.
    assert pro(visited(more, 0)) == pytest.approx(990 * 2 + (PAGE_BYTES - 1_000) * 0.15)
    assert pro(visited(more, 12)) > 12 * pro(visited(more, 0))


def test_hobby_lacks_what_goes_beyond_it() -> None:
    assert beyond_hobby(visited(Month(1e6), 0)) == []
    assert beyond_hobby(visited(Month(1e6 + 1), 0)) == ["requests"]
    assert beyond_hobby(caused(Month(1e9, invocations=1e6, starts=0))) == ["processor"]


def test_the_page_about_it_says_what_is_played_today() -> None:
    behind, (bare, scale) = month(Scale(1e9)), list(BARE.items())[2]
    rows = table({"1,000,000,000 views": behind, bare: month(scale)}).splitlines()[-2:]

    assert set(rows) <= set((ROOT / "docs/scaling.md").read_text("utf-8").splitlines())


def test_the_readme_says_how_many_commands_are_played_today() -> None:
    commands = round(month(Scale(1e9)).commands, -3)
    words = (ROOT / "README.md").read_text("utf-8").split()

    assert f"about {commands:,} store commands" in " ".join(words)
