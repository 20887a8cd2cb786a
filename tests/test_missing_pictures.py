"""A green status never stands beside grey tiles: what is missing for long is told, what does not exist is no fault."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.feed.mirror import MISSING_PICTURES_KEY
from igfeed.feed.missing_pictures import MAX_NOTED_PICTURES, TOLERABLE_ABSENCE, MissingPictures
from igfeed.models import Token
from igfeed.services import Services
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.owner import CRON, OWNER, STATUS
from tests.harness.visitor import Visitor
from tests.servers.faults import Fault, hang, reset
from tests.servers.instagram import FakeInstagram, PictureReply, album, child_video, image, reel

EXPIRED_ADDRESS = PictureReply(403, "text/plain", b"URL signature expired")
LATER = TOLERABLE_ABSENCE + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def two_posts(instagram: FakeInstagram) -> None:
    instagram.picture_size = (48, 60)
    instagram.posts[:] = [image(), image()]


def status(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get(STATUS, headers=OWNER).json or {}
    return found


def cron(client: FlaskClient) -> int:
    return client.get(CRON, headers=OWNER).status_code


def look(client: FlaskClient, instagram: FakeInstagram) -> set[int]:
    """The statuses of all pictures on the page."""
    client.get("/")
    return {client.get(f"/media/{post['id']}-320.webp").status_code for post in instagram.posts}


def lose(instagram: FakeInstagram) -> None:
    """From now on no post's picture can be had."""
    instagram.pictures |= {post["id"]: EXPIRED_ADDRESS for post in instagram.posts}


def test_pictures_that_the_cron_could_not_get_are_told_after_an_hour_and_until_they_are_there(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    lose(instagram)
    assert cron(client) == 502
    at_once = status(client)["status"]
    clock.now += LATER
    later = status(client)
    instagram.pictures.clear()
    assert cron(client) == 200

    assert (at_once, later["status"]) == ("ok", "degraded")
    assert later["problem"].startswith("2 pictures could not be had for more than an hour")
    assert "flask igfeed fetch" in later["hint"]
    assert (status(client)["status"], status(client)["problem"]) == ("ok", None)


@pytest.mark.parametrize("fault", [reset(), hang()], ids=["reset", "hangs"])
def test_pictures_that_visitors_could_not_see_are_told_too(
    fault: Fault,
    client: FlaskClient,
    instagram: FakeInstagram,
    token: Token,
    clock: MovingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("igfeed.instagram.client.PICTURE_TIME_LIMIT", 0.2)
    client.get("/")
    instagram.fail("picture", fault)
    assert look(client, instagram) == {503}
    clock.now += LATER

    assert status(client)["status"] == "degraded"


def test_what_a_view_has_made_since_is_not_missing(
    client: FlaskClient, instagram: FakeInstagram, make_services: MakeServices, token: Token, clock: MovingClock
) -> None:
    lose(instagram)
    look(client, instagram)
    clock.now += LATER
    another = Visitor(create_app(services=make_services()))
    before = status(another)["status"]
    instagram.pictures.clear()
    client.get("/")  # It fetches new addresses after its answer.

    assert look(another, instagram) == {200}
    assert (before, status(client)["status"], status(another)["status"]) == ("degraded", "ok", "ok")


def test_pictures_of_posts_that_have_left_are_not_missing(
    client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    lose(instagram)
    look(client, instagram)
    instagram.posts[:] = [image()]
    clock.now += LATER
    client.get("/")

    assert status(client)["status"] == "ok"


@pytest.mark.parametrize(
    "post",
    [
        reel(thumbnail_url=None),
        image(media_url="/videos/1.mp4"),
        album([child_video(thumbnail_url=None)] * 2, media_url=None),
    ],
    ids=["a film", "a film called an image", "an album of films"],
)
def test_what_has_no_picture_makes_no_cron_red_and_no_status_degraded(
    post: dict[str, Any], client: FlaskClient, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    instagram.posts[:] = [image(), post]

    assert [cron(client) for _ in range(2)] == [200, 200]
    look(client, instagram)
    clock.now += LATER

    assert status(client)["status"] == "ok"


def test_the_status_says_how_many_posts_have_no_picture(
    client: FlaskClient, instagram: FakeInstagram, token: Token
) -> None:
    instagram.posts[:] = [image(), reel(thumbnail_url=None)]
    cron(client)

    found = status(client)

    assert (found["status"], found["hint"][:13]) == ("ok", "Nothing to do")
    assert "no picture of 1 of the posts" in found["problem"]


def test_a_note_that_cannot_be_read_counts_as_absent(
    client: FlaskClient, services: Services, instagram: FakeInstagram, token: Token, clock: MovingClock
) -> None:
    look(client, instagram)
    services.store.set(MISSING_PICTURES_KEY, '{"at":"2026-05-03T12:00:00Z","since":{"1":5}}')

    assert status(client)["status"] == "ok"


# The note itself


def noted(clock: MovingClock, **since: timedelta) -> MissingPictures:
    now = clock()
    return MissingPictures(now, {name: now - age for name, age in since.items()})


def test_the_note_keeps_since_when_and_forgets_what_is_there(clock: MovingClock) -> None:
    note = noted(clock, a=timedelta(hours=3), b=timedelta(hours=2), c=timedelta(hours=1))

    after = note.after({"a": "failed", "b": "stored", "d": "failed"}, clock(), is_all=False)

    assert set(after.since) == {"a", "c", "d"}
    assert after.since["a"] == note.since["a"]


def test_after_all_were_tried_only_what_failed_or_had_no_time_is_noted(clock: MovingClock) -> None:
    note = noted(clock, a=timedelta(hours=3), b=timedelta(hours=2), c=timedelta(hours=1))

    assert set(note.after({"a": "failed", "b": "left", "d": "left"}, clock(), is_all=True).since) == {"a", "b"}


def test_a_time_from_the_future_counts_as_unknown_and_is_mended(clock: MovingClock) -> None:
    note = noted(clock, a=-timedelta(days=300))
    now = clock()

    assert note.is_overdue("a", now)
    assert note.after({"a": "failed"}, now, is_all=False).since == {"a": now}


def test_only_so_many_are_noted(clock: MovingClock) -> None:
    failed = {str(number): "failed" for number in range(MAX_NOTED_PICTURES + 50)}

    assert len(noted(clock).after(failed, clock(), is_all=True).since) == MAX_NOTED_PICTURES  # type: ignore[arg-type]
