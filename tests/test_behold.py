"""The feed in Behold's shape: every field of its types, and nothing that is not true."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from igfeed.models import Token
from igfeed.services import Services
from tests.servers.instagram import FakeInstagram, album, child_image, child_video, image, reel

HERE = "http://localhost/"
CAPTION = "A stool in oak.  Made by @jonas #Oak\n#stool #oak\n\n\nFor sale"

FEED_FIELDS = {
    *("username", "biography", "profilePictureUrl", "website", "followersCount", "followsCount", "posts"),
}
POST_FIELDS = {
    *("id", "timestamp", "permalink", "mediaType", "isReel", "mediaUrl", "sizes", "caption", "altText"),
    *("prunedCaption", "hashtags", "mentions", "likeCount", "commentsCount", "colorPalette"),
}
CHILD_FIELDS = {"id", "mediaType", "mediaUrl", "sizes", "colorPalette", "altText"}
"""Those of Behold's published types. ``thumbnailUrl`` and ``children`` are for videos and albums."""


@pytest.fixture
def account(instagram: FakeInstagram, token: Token) -> FakeInstagram:
    instagram.picture_size = (1000, 1250)
    instagram.posts[:] = [
        image(id="18000000000000101", caption=CAPTION, alt_text="A stool", timestamp="2026-05-02T10:45:00+0000"),
        reel(id="18000000000000102", caption=None, alt_text=None, like_count=None),
        album([child_image(id="18000000000000104"), child_video(id="18000000000000105")], id="18000000000000103"),
    ]
    return instagram


def feed_of(client: FlaskClient) -> dict[str, Any]:
    response = client.get("/behold.json")
    assert (response.status_code, response.content_type) == (200, "application/json")
    found: dict[str, Any] = response.get_json()
    assert found.keys() == FEED_FIELDS
    for post in found["posts"]:
        assert post.keys() - {"thumbnailUrl", "children"} == POST_FIELDS
        for child in post.get("children", []):
            assert child.keys() - {"thumbnailUrl"} == CHILD_FIELDS
    return found


def test_the_account_is_told_of_as_behold_does(account: FakeInstagram, client: FlaskClient) -> None:
    found, profile = feed_of(client), account.profile

    assert found | {"posts": []} == {
        "username": "studio.nord",
        "biography": profile["biography"],
        "profilePictureUrl": found["profilePictureUrl"],
        "website": profile["website"],
        "followersCount": profile["followers_count"],
        "followsCount": profile["follows_count"],
        "posts": [],
    }
    assert client.get(found["profilePictureUrl"]).mimetype == "image/webp"


def test_a_photo_has_its_sizes_its_texts_and_its_colour(
    account: FakeInstagram, client: FlaskClient, services: Services
) -> None:
    services.feed.fetch()
    client.get("/media/18000000000000101-320.webp")
    services.feed.fetch()  # It notes the measures of the picture.
    post, picture = account.posts[0], f"{HERE}media/18000000000000101"
    found = feed_of(client)["posts"][0]

    assert re.fullmatch(r"\d+,\d+,\d+", found.pop("colorPalette")["dominant"])
    assert found == {
        "id": "18000000000000101",
        "timestamp": "2026-05-02T10:45:00Z",
        "permalink": post["permalink"],
        "mediaType": "IMAGE",
        "isReel": False,
        "mediaUrl": f"{picture}-1080.webp",
        "sizes": {
            "small": {"mediaUrl": f"{picture}-320.webp", "width": 320, "height": 400},
            "medium": {"mediaUrl": f"{picture}-640.webp", "width": 640, "height": 800},
            "large": {"mediaUrl": f"{picture}-1080.webp", "width": 1000, "height": 1250},
            "full": {"mediaUrl": f"{picture}-1080.webp", "width": 1000, "height": 1250},
        },
        "caption": CAPTION,
        "prunedCaption": "A stool in oak. Made by @jonas\n\nFor sale",
        "altText": "A stool",
        "hashtags": ["Oak", "stool"],
        "mentions": ["jonas"],
        "likeCount": post["like_count"],
        "commentsCount": post["comments_count"],
    }


def test_a_reel_has_instagrams_video_and_our_picture_and_what_is_unknown_is_null(
    account: FakeInstagram, client: FlaskClient, services: Services
) -> None:
    video = services.feed.fetch().posts[1].picture.video_url
    found = feed_of(client)["posts"][1]

    assert (found["mediaType"], found["isReel"]) == ("VIDEO", True)
    assert found["mediaUrl"] == video
    assert found["thumbnailUrl"] == f"{HERE}media/18000000000000102-1080.webp"
    unknown = ("caption", "prunedCaption", "altText", "likeCount", "colorPalette")
    assert [found[name] for name in unknown] == [None] * len(unknown)
    assert (found["hashtags"], found["mentions"]) == ([], [])


def test_an_album_has_its_children(account: FakeInstagram, client: FlaskClient) -> None:
    found = feed_of(client)["posts"][2]
    picture, film = found["children"]

    assert (found["mediaType"], "thumbnailUrl" in found) == ("CAROUSEL_ALBUM", False)
    assert found["mediaUrl"] == f"{HERE}media/18000000000000103-1080.webp"
    assert (picture["mediaType"], picture["mediaUrl"]) == ("IMAGE", f"{HERE}media/18000000000000104-1080.webp")
    assert (film["mediaType"], film["thumbnailUrl"]) == ("VIDEO", f"{HERE}media/18000000000000105-1080.webp")
    assert picture["sizes"]["small"]["mediaUrl"] == f"{HERE}media/18000000000000104-320.webp"
