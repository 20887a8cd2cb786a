"""Layouts in which tiles are not all alike: no overlap, no hole, pictures as they are, an order that can be read."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Page

from igfeed import create_app
from igfeed.config import Settings
from igfeed.demo import scenes
from igfeed.models import FeedSnapshot
from igfeed.services import services_of
from igfeed.widget.oembed.frame_size import frame_height
from igfeed.widget.options import requested_options
from igfeed.widget.views import View
from tests.harness.app_server import serving

pytestmark = pytest.mark.browser

WIDTHS = (340, 390, 820, 1300)
"""Of the window: one for each number of columns."""

TILES = """
() => [...document.querySelectorAll('.tile')].map(tile => {
  const box = tile.querySelector('.frame').getBoundingClientRect(), picture = tile.querySelector('img');
  return [box.left, box.top + scrollY, box.width, box.height, picture.naturalHeight / picture.naturalWidth];
})
"""
SHIFT = """
new Promise(done => new PerformanceObserver(list => done(list.getEntries().reduce((sum, each) => sum + each.value, 0)))
  .observe({type: 'layout-shift', buffered: true}) || requestAnimationFrame(() => setTimeout(() => done(0))))
"""
ALL_PICTURES = "Promise.all([...document.images].map(image => { image.loading = 'eager'; return image.decode() }))"

Tile = tuple[float, float, float, float, float]
"""Left, top, width and height of a tile's picture, and the height of its file for a width of 1."""


class Mirrored(NamedTuple):
    address: str
    snapshot: FeedSnapshot


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    """The demo after its cron: the sizes of its pictures are known. They are small, because drawing takes long."""
    store = tmp_path_factory.mktemp("mirrored") / "store.sqlite3"
    with pytest.MonkeyPatch.context() as patched:
        tenth = {name: (width // 10, height // 10) for name, (width, height) in scenes.SIZES.items()}
        patched.setattr(scenes, "SIZES", tenth)
        patched.setattr(scenes, "USUAL_SIZE", (108, 135))
        app = create_app(Settings.from_env({"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": str(store)}))
        assert app.test_cli_runner().invoke(args=["igfeed", "fetch"]).exit_code == 0
    with serving(app) as port:
        snapshot = services_of(app).feed.cached
        assert snapshot
        yield Mirrored(f"http://127.0.0.1:{port}", snapshot)


@pytest.fixture
def mirrored_site(mirrored: Mirrored) -> str:
    return mirrored.address


def tiles_at_each_width(page: Page, address: str) -> dict[int, list[Tile]]:
    page.goto(address)
    page.evaluate(ALL_PICTURES)
    assert page.evaluate(SHIFT) == 0
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        found[width] = page.evaluate(TILES)
    return found


def overlap(one: Tile, other: Tile) -> bool:
    return (
        one[0] + one[2] > other[0] + 0.5
        and other[0] + other[2] > one[0] + 0.5
        and one[1] + one[3] > other[1] + 0.5
        and other[1] + other[3] > one[1] + 0.5
    )


def overlaps(tiles: list[Tile]) -> list[tuple[int, int]]:
    pairs = [(one, other) for other in range(len(tiles)) for one in range(other)]
    return [(one, other) for one, other in pairs if overlap(tiles[one], tiles[other])]


def cropping(tile: Tile) -> float:
    """How much of the picture is cut off, from 0 to 1."""
    shown = tile[3] / tile[2]
    return 1 - min(shown, tile[4]) / max(shown, tile[4])


def test_a_masonry_shows_pictures_as_they_are_in_an_order_that_can_be_read(page: Page, mirrored_site: str) -> None:
    for width, tiles in tiles_at_each_width(page, f"{mirrored_site}/embed?layout=masonry&limit=24").items():
        tops = [tile[1] for tile in tiles]
        columns = {round(tile[0]) for tile in tiles}

        assert len(columns) == {340: 2, 390: 3, 820: 4, 1300: 6}[width]
        assert overlaps(tiles) == []
        assert max(map(cropping, tiles)) < 0.03
        assert tops == sorted(tops), "each post begins no higher than the one before it"
        lows = [max(tile[1] + tile[3] for tile in tiles if round(tile[0]) == column) for column in columns]
        assert max(lows) - min(lows) < max(tile[3] for tile in tiles), "no column is longer than others by a post"


def test_the_keyboard_goes_through_a_masonry_from_the_newest_post_on(page: Page, mirrored_site: str) -> None:
    page.goto(f"{mirrored_site}/embed?layout=masonry&limit=6&open=instagram")
    focused = []
    for _ in range(6):
        page.keyboard.press("Tab")
        focused.append(page.evaluate("document.activeElement.closest('.tile').dataset.postId"))

    assert focused == page.locator(".tile").evaluate_all("all => all.map(each => each.dataset.postId)")
    newest = page.locator(".tile").first.bounding_box()
    assert newest
    assert (newest["x"], newest["y"]) == (0, 0)


def test_original_pictures_stand_in_rows_of_one_height(page: Page, mirrored_site: str) -> None:
    for width, tiles in tiles_at_each_width(page, f"{mirrored_site}/embed?ratio=original&limit=24").items():
        rows: dict[int, list[Tile]] = {}
        for tile in tiles:
            rows.setdefault(round(tile[1]), []).append(tile)

        assert overlaps(tiles) == []
        assert max(map(cropping, tiles)) < 0.03
        for row in rows.values():
            assert max(tile[3] for tile in row) - min(tile[3] for tile in row) < 2
            assert max(tile[0] + tile[2] for tile in row) <= width + 0.5


def test_a_carousel_of_original_pictures_has_one_height_and_each_its_own_width(page: Page, mirrored_site: str) -> None:
    address = f"{mirrored_site}/embed?layout=carousel&ratio=original"
    for tiles in tiles_at_each_width(page, address).values():
        assert len({round(tile[1]) for tile in tiles}) == 1
        assert max(tile[3] for tile in tiles) - min(tile[3] for tile in tiles) < 2
        assert max(map(cropping, tiles)) < 0.03
        assert overlaps(tiles) == []


@pytest.mark.parametrize("limit", [10, 12])
def test_highlights_leave_no_hole(page: Page, mirrored_site: str, limit: int) -> None:
    gap = 10
    address = f"{mirrored_site}/embed?layout=highlight&gap={gap}&limit={limit}"
    for width, tiles in tiles_at_each_width(page, address).items():
        high = max(tile[1] + tile[3] for tile in tiles)
        covered = sum((tile[2] + gap) * (tile[3] + gap) for tile in tiles)

        assert overlaps(tiles) == []
        assert covered == pytest.approx((width + gap) * (high + gap), rel=0.005)
        assert tiles[0][2] > 1.9 * min(tile[2] for tile in tiles)


def test_older_posts_join_a_highlight_without_a_hole(page: Page, mirrored_site: str) -> None:
    page.goto(f"{mirrored_site}/embed?layout=highlight&gap=10&limit=10")
    for number in (20, 24):
        page.get_by_role("link", name="Older posts").click()
        page.wait_for_function("number => document.querySelectorAll('.tile').length === number", arg=number)
    tiles = page.evaluate(TILES)
    high = max(tile[1] + tile[3] for tile in tiles)

    assert sum((tile[2] + 10) * (tile[3] + 10) for tile in tiles) == pytest.approx(400 * (high + 10), rel=0.005)


@pytest.mark.parametrize(
    "query", ["layout=masonry&gap=12", "ratio=original&columns=3", "layout=carousel&ratio=original", "layout=highlight"]
)
def test_the_height_of_a_frame_is_known_before_it_is_drawn(page: Page, mirrored: Mirrored, query: str) -> None:
    page.goto(f"{mirrored.address}/embed?{query}")
    options = requested_options(query, View.EMBED, mirrored.snapshot.kept_posts)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        drawn = page.evaluate("document.documentElement.offsetHeight")

        assert frame_height(options, width, mirrored.snapshot) == pytest.approx(drawn, abs=3), width
