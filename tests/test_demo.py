"""The sample account: all kinds of posts, each with a picture of its own, and no network."""

import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from igfeed import create_app
from igfeed.clock import Deadline
from igfeed.config import Settings
from igfeed.demo.account import DEMO_TOKEN, SAMPLES, DemoInstagram
from igfeed.demo.scenes import SUBJECTS, draw
from igfeed.errors import PictureUnavailable
from igfeed.services import Services, build
from tests.harness.clock import MovingClock, about
from tests.harness.site import no_sleep


@pytest.fixture
def demo(clock: MovingClock) -> DemoInstagram:
    return DemoInstagram(clock)


def test_there_are_posts_of_every_kind(demo: DemoInstagram) -> None:
    posts = demo.media(DEMO_TOKEN, 100).posts

    assert len(posts) >= 18
    assert {post.media_type for post in posts} == {"IMAGE", "VIDEO", "CAROUSEL_ALBUM"}
    assert any(post.caption is None for post in posts)
    assert any(len(post.caption or "") > 500 for post in posts)
    assert all(len(post.children) > 1 for post in posts if post.media_type == "CAROUSEL_ALBUM")
    assert len({picture.id for post in posts for picture in post.pictures()}) == sum(
        1 + len(post.children) for post in posts
    )


def test_the_newest_come_first_and_no_more_than_asked_for(demo: DemoInstagram, clock: MovingClock) -> None:
    posts = demo.media(DEMO_TOKEN, 7).posts
    times = [post.timestamp for post in posts if post.timestamp]

    assert len(times) == 7
    assert times == sorted(times, reverse=True)
    assert times[0] < clock()


def test_every_sketch_of_a_post_exists_and_is_described() -> None:
    names = {name for sample in SAMPLES for name in sample.sketches}

    assert names <= set(SUBJECTS)
    assert all(text.endswith(".") for text in SUBJECTS.values())


@pytest.mark.parametrize("subject", sorted(SUBJECTS))
def test_a_sketch_is_drawn_the_same_each_time_in_the_size_asked_for(subject: str) -> None:
    first, second = (draw(subject, (120, 150)) for _ in range(2))

    assert first == second
    assert Image.open(BytesIO(first)).size == (120, 150)


def test_no_two_sketches_are_alike() -> None:
    assert len({draw(subject, (60, 75)) for subject in SUBJECTS}) == len(SUBJECTS)


def test_an_unknown_picture_is_an_error_as_with_instagram(demo: DemoInstagram) -> None:
    with pytest.raises(PictureUnavailable):
        demo.picture("sketch:nothing")


def demo_services(tmp_path: Path, clock: MovingClock, **variables: str) -> Services:
    path = str(tmp_path / "store.sqlite3")
    settings = Settings.from_env({"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": path, **variables})
    return build(settings, clock, sleep=no_sleep)


def test_it_goes_through_the_same_token_manager_and_feed(tmp_path: Path, clock: MovingClock) -> None:
    services = demo_services(tmp_path, clock)

    services.feed.fetch()
    report = services.tokens.report()

    assert report.last_renewal
    assert report.token
    assert report.token.expires_at == about(clock.now + timedelta(days=60))


def test_the_sample_account_never_mixes_with_the_owners_store(tmp_path: Path, clock: MovingClock) -> None:
    demo_services(tmp_path, clock).feed.fetch()

    own = build(Settings.from_env({"IGFEED_STORE_PATH": str(tmp_path / "store.sqlite3")}), clock, sleep=no_sleep)

    assert own.feed.newest() is None


def test_on_a_disk_that_is_thrown_away_it_writes_nothing(tmp_path: Path, clock: MovingClock) -> None:
    services = demo_services(tmp_path, clock, VERCEL="1")

    snapshot = services.feed.fetch()
    services.feed.mirror([next(snapshot.pictures())], Deadline(60))

    assert list(tmp_path.iterdir()) == []


def test_the_videos_are_files_of_ours_that_the_page_may_play(tmp_path: Path) -> None:
    client = create_app(
        Settings.from_env({"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": str(tmp_path / "store")})
    ).test_client()
    page = client.get("/")
    videos = re.findall(r'data-video="([^"]+)"', page.text)

    assert [address.partition("?")[0] for address in videos] == ["/static/demo/aurora.mp4", "/static/demo/waves.mp4"]
    assert "; media-src 'self'; " in page.headers["Content-Security-Policy"]
    for address in videos:
        clip = client.get(address)
        assert clip.content_type == "video/mp4"
        assert clip.data[4:12] == b"ftypisom"
        assert len(clip.data) < 30_000
