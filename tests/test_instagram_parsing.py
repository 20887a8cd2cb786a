"""Instagram's JSON turned into our nouns: what is absent, odd, new or broken."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from igfeed.errors import UnexpectedAnswer
from igfeed.instagram import parsing
from igfeed.models import AlbumPicture, Picture, Post, Profile, SkippedEntry

IMAGE: dict[str, Any] = {
    "id": "17990000000000001",
    "caption": "Morning light",
    "media_type": "IMAGE",
    "media_product_type": "FEED",
    "media_url": "https://scontent.cdninstagram.com/1.jpg",
    "permalink": "https://www.instagram.com/p/Cabc/",
    "timestamp": "2026-06-22T10:45:00+0000",
    "alt_text": "A chair",
    "like_count": 12,
    "comments_count": 0,
}


def entries(*items: Any) -> list[Post | SkippedEntry]:
    return list(parsing.posts({"data": list(items)}))


def read(*items: Any) -> list[Post]:
    return [entry for entry in entries(*items) if isinstance(entry, Post)]


def one(**changes: Any) -> Post:
    """The post of IMAGE with these changes; a field changed to None is absent."""
    (post,) = read({name: value for name, value in {**IMAGE, **changes}.items() if value is not None})
    return post


# Profiles


def test_a_profile_comes_flat_or_in_a_list() -> None:
    record = {"username": "studio.nord", "name": "Studio Nord", "media_count": 3, "profile_picture_url": "https://p"}
    expected = Profile("studio.nord", "Studio Nord", picture_url="https://p", media_count=3)
    assert parsing.profile(record) == expected
    assert parsing.profile({"data": [record]}) == expected


def test_every_field_of_a_profile_finds_its_place() -> None:
    names = ("username", "name", "biography", "website")
    counts = {"media_count": 1, "followers_count": 2, "follows_count": 3}
    profile = parsing.profile({**{name: name for name in names}, "profile_picture_url": "https://p/1.jpg", **counts})
    assert profile == Profile("username", "name", "biography", "website", "https://p/1.jpg", 1, 2, 3)


def test_what_a_profile_lacks_is_none() -> None:
    assert parsing.profile({"username": "studio.nord"}) == Profile("studio.nord")


@pytest.mark.parametrize("odd", [None, [], {}, True, 1.5, float("nan"), -(10**30)])
def test_odd_fields_of_a_profile_cost_only_themselves(odd: Any) -> None:
    names = ("name", "biography", "website", "profile_picture_url", "media_count", "followers_count", "follows_count")
    assert parsing.profile({"username": "studio.nord", **dict.fromkeys(names, odd)}) == Profile("studio.nord")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"data": []},
        {"data": {}},
        {"data": ["text"]},
        {"data": [None]},
        {"username": ""},
        {"username": 5},
        {"username": "\0"},
        {"id": "1"},
    ],
)
def test_a_profile_without_a_user_name_is_unexpected(data: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        parsing.profile(data)


# Posts


def test_every_field_of_a_post_finds_its_place() -> None:
    assert one() == Post(
        picture=Picture("17990000000000001", "https://scontent.cdninstagram.com/1.jpg"),
        media_type="IMAGE",
        permalink="https://www.instagram.com/p/Cabc/",
        timestamp=datetime(2026, 6, 22, 10, 45, tzinfo=UTC),
        caption="Morning light",
        alt_text="A chair",
        product_type="FEED",
        like_count=12,
        comments_count=0,
    )


def test_what_a_post_lacks_is_none() -> None:
    permalink = "https://www.instagram.com/p/Cabc/"
    assert read({"id": "1", "media_type": "IMAGE", "permalink": permalink}) == [
        Post(Picture("1"), "IMAGE", permalink=permalink)
    ]


@pytest.mark.parametrize("name", sorted(set(IMAGE) - {"id", "media_type"}))
def test_null_is_taken_for_absent(name: str) -> None:
    assert read({**IMAGE, name: None}) == [one(**{name: None})]


def test_an_unknown_media_type_is_kept_with_its_picture() -> None:
    post = one(media_type="HOLOGRAM")
    assert (post.media_type, post.picture.url) == ("HOLOGRAM", IMAGE["media_url"])


QUARTER_TO_NINE = datetime(2026, 6, 22, 8, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    "sent", ["2026-06-22T10:45:00+0200", "2026-06-22T08:45:00", "2026-06-22T08:45:00Z", 1782117900, "1782117900"]
)
def test_times_are_utc_in_whatever_form_they_come(sent: Any) -> None:
    assert one(timestamp=sent).timestamp == QUARTER_TO_NINE


@pytest.mark.parametrize("media_id", ["1", "17990000000000001", "17990000000000001_178414", "9" * 32])
def test_media_ids_are_digits(media_id: str) -> None:
    assert one(id=media_id).id == media_id


def test_ids_as_numbers_are_ids() -> None:
    child = {"id": 18000000000000001, "media_url": "https://a/2.jpg"}
    post = one(id=17990000000000001, children={"data": [child]})
    assert [picture.id for picture in post.pictures()] == ["17990000000000001", "18000000000000001"]


@pytest.mark.parametrize(
    ("fields", "media_type"),
    [
        ({}, "IMAGE"),
        ({"thumbnail_url": "https://v/1.jpg"}, "VIDEO"),
        ({"media_url": "https://v/1.mp4?oe=1"}, "VIDEO"),
        ({"children": {"data": [{"id": "2", "media_url": "https://a/2.jpg"}]}}, "CAROUSEL_ALBUM"),
    ],
)
@pytest.mark.parametrize("sent", [None, 5, ["VIDEO"], ""])
def test_a_media_type_that_is_missing_or_odd_is_told_by_the_other_fields(
    fields: dict[str, Any], media_type: str, sent: Any
) -> None:
    assert one(**fields, media_type=sent).media_type == media_type


# Videos and albums


def test_a_video_shows_its_thumbnail() -> None:
    post = one(media_type="VIDEO", media_url="https://v/1.mp4", thumbnail_url="https://v/1.jpg")
    assert post.picture == Picture(post.id, "https://v/1.jpg", "https://v/1.mp4")


def test_a_video_without_a_thumbnail_has_no_picture_rather_than_a_film_for_one() -> None:
    assert one(media_type="VIDEO", media_url="https://v/1.mp4").picture == Picture(IMAGE["id"], None, "https://v/1.mp4")


def test_a_copyrighted_video_has_its_thumbnail_alone() -> None:
    post = one(media_type="VIDEO", media_url=None, thumbnail_url="https://v/1.jpg")
    assert post.picture == Picture(post.id, "https://v/1.jpg")


def test_a_thumbnail_goes_before_the_media_of_what_is_no_video() -> None:
    assert one(media_type="HOLOGRAM", thumbnail_url="https://v/1.jpg").picture.url == "https://v/1.jpg"


def album(*children: dict[str, Any], **changes: Any) -> Post:
    return one(media_type="CAROUSEL_ALBUM", children={"data": list(children)}, **changes)


def test_an_album_has_its_own_picture_and_its_childrens() -> None:
    post = album(
        {"id": "2", "media_type": "IMAGE", "media_url": "https://a/2.jpg"},
        {"id": "3", "media_type": "VIDEO", "media_url": "https://a/3.mp4", "thumbnail_url": "https://a/3.jpg"},
    )
    assert post.picture.url == IMAGE["media_url"]
    assert post.children == (
        AlbumPicture("2", "https://a/2.jpg"),
        AlbumPicture("3", "https://a/3.jpg", "https://a/3.mp4"),
    )


def test_a_child_without_media_is_no_slide() -> None:
    assert album({"id": "2", "media_type": "IMAGE"}).children == ()


def test_a_child_that_is_a_film_without_a_thumbnail_can_still_be_played() -> None:
    film = {"id": "2", "media_type": "VIDEO", "media_url": "https://a/2.mp4"}
    assert album(film).children == (AlbumPicture("2", None, "https://a/2.mp4"),)


def test_an_album_with_a_film_for_cover_shows_the_first_picture_among_its_children() -> None:
    films = [{"id": str(n), "media_type": "VIDEO", "media_url": f"https://a/{n}.mp4"} for n in (2, 3)]
    films[1]["thumbnail_url"] = "https://a/3.jpg"
    assert album(*films, media_url="https://a/2.mp4").picture == Picture(IMAGE["id"], "https://a/3.jpg")


@pytest.mark.parametrize("media_type", ["REELS", "BROADCAST", "IMAGE", "HOLOGRAM"])
@pytest.mark.parametrize("film", ["https://v/1.mp4", "https://v/o1/v/t16/1.MP4?efg=1&oe=2", "https://v/1.mov#t=1"])
def test_a_film_is_no_picture_whatever_it_is_called(media_type: str, film: str) -> None:
    assert one(media_type=media_type, media_url=film).picture == Picture(IMAGE["id"], None, film)


@pytest.mark.parametrize("picture", ["https://v/1.jpg?name=1.mp4", "https://v/1.mp4.jpg", "https://v/mp4"])
def test_what_only_mentions_a_film_is_a_picture(picture: str) -> None:
    assert one(media_url=picture).picture == Picture(IMAGE["id"], picture)


def test_an_album_without_media_shows_its_first_child_that_has_some() -> None:
    children = ({"id": "2", "media_type": "IMAGE"}, {"id": "3", "media_type": "IMAGE", "media_url": "https://a/3.jpg"})
    assert album(*children, media_url=None).picture.url == "https://a/3.jpg"


@pytest.mark.parametrize(
    "children", [{}, {"data": []}, [], {"data": None}, {"data": {}}, "text", 5, [None], [[]], [{}]]
)
def test_an_album_may_have_no_children(children: Any) -> None:
    assert one(media_type="CAROUSEL_ALBUM", children=children).children == ()


@pytest.mark.parametrize(
    "odd", [None, {}, {"media_url": "https://a/x.jpg"}, {"id": "x", "media_url": "https://a/x.jpg"}]
)
@pytest.mark.parametrize("is_bare", [False, True])
def test_an_odd_child_costs_only_itself(odd: Any, is_bare: bool) -> None:
    children = [{"id": "2", "media_url": "https://a/2.jpg"}, odd, {"id": "3", "media_url": "https://a/3.jpg"}]
    post = one(media_type="CAROUSEL_ALBUM", children=children if is_bare else {"data": children})
    assert [child.id for child in post.children] == ["2", "3"]


# Trial reels


def test_a_trial_reel_is_left_out_and_named() -> None:
    assert entries({**IMAGE, "is_shared_to_feed": False}) == [SkippedEntry(IMAGE["id"], "trial")]


@pytest.mark.parametrize("said", [True, None, "false", 0, [], {}])
def test_only_a_plain_false_makes_a_trial_reel(said: Any) -> None:
    assert one(is_shared_to_feed=said) == one()


# What is broken


BROKEN: list[Any] = [
    None,
    5,
    "text",
    [],
    {},
    {"media_type": "IMAGE"},
    {**IMAGE, "id": None},
    {**IMAGE, "id": True},
    {**IMAGE, "id": -1},
    {**IMAGE, "id": 1.5},
    {**IMAGE, "id": 10**40},
    {**IMAGE, "id": ["1"]},
    {**IMAGE, "id": ""},
    {**IMAGE, "id": "../../etc"},
    {**IMAGE, "id": "1\n"},
    {**IMAGE, "id": "٣"},
    {**IMAGE, "id": "9" * 33},
]
NOTHING_TO_SHOW: list[dict[str, Any]] = [
    {"id": "2"},
    {"id": 2, "media_type": "IMAGE", "caption": "Words alone"},
    {"id": "2", "media_type": "VIDEO", "media_url": None, "permalink": "https://evil.example/"},
]


@pytest.mark.parametrize("broken", [*BROKEN, *NOTHING_TO_SHOW])
def test_a_broken_post_is_left_out_with_a_warning_and_the_others_stay(
    caplog: pytest.LogCaptureFixture, broken: Any
) -> None:
    before, after = {**IMAGE, "id": "1"}, {**IMAGE, "id": "3"}
    first, left_out, last = entries(before, broken, after)
    assert [getattr(post, "id", None) for post in (first, last)] == ["1", "3"]
    assert left_out == SkippedEntry("2" if broken in NOTHING_TO_SHOW else None, "unreadable")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "scontent" not in caplog.text


@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": {}}, {"data": "text"}])
def test_a_media_list_without_a_list_is_unexpected(data: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer):
        list(parsing.posts(data))


def test_an_empty_media_list_is_no_posts() -> None:
    assert read() == []


# Addresses of posts


@pytest.mark.parametrize(
    "permalink",
    [
        "https://www.instagram.com/p/Cabc/",
        "https://www.instagram.com/reel/Cabc/?hl=de",
        "https://instagram.com/p/Cabc/",
        "https://WWW.Instagram.com/p/Cabc/",
    ],
)
def test_an_address_at_instagram_is_kept(permalink: str) -> None:
    assert one(permalink=permalink).permalink == permalink


@pytest.mark.parametrize(
    "permalink",
    [
        "",
        "http://www.instagram.com/p/Cabc/",
        "javascript:alert(1)",
        "javascript://www.instagram.com/%0aalert(1)",
        "//www.instagram.com/p/Cabc/",
        "/p/Cabc/",
        "https://evil.example/www.instagram.com/",
        "https://www.instagram.com.evil.example/p/",
        "https://evilinstagram.com/p/",
        "https://evil.example#.instagram.com",
        "https://evil.example?.instagram.com",
        "https://www.instagram.com@evil.example/p/",
        "https://evil.example@www.instagram.com/p/",
        "https://evil.example\\.instagram.com/p/",
        "https://evil.example\\@www.instagram.com/p/",
        "https://evil.example%2f.instagram.com/p/",
    ],
)
def test_an_address_that_leads_elsewhere_is_dropped_and_the_post_stays(permalink: str) -> None:
    assert one(permalink=permalink) == one(permalink=None)


# Texts


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (r'"\ud83e\ude91"', "🪑"),
        (r'"half \ud83e"', "half "),
        (r'"\ude91\ud83e"', None),
        (r'"a\u0000\u0007\u001b\u007f\u0085b\t"', "ab\t"),
        (r'"a\/b <i>\r\n\u202e"', "a/b <i>\n"),
        ('""', None),
        (json.dumps("é" * 2200), "é" * 2200),
    ],
)
@pytest.mark.parametrize("name", ["caption", "alt_text"])
def test_a_text_holds_what_a_page_can_show(name: str, sent: str, kept: str | None) -> None:
    post = one(**{name: json.loads(sent)})
    assert getattr(post, name) == kept
    assert kept is None or kept.encode()


# Paging


@pytest.mark.parametrize(
    ("data", "cursor"),
    [
        ({"paging": {"cursors": {"after": "QVF"}, "next": "https://g/?access_token=IGAA"}}, "QVF"),
        ({"paging": {"cursors": {"after": "QVF"}}}, None),
        ({"paging": {"cursors": {"after": "QVF"}, "next": ""}}, None),
        ({"paging": {"next": "https://g/?access_token=IGAA"}}, None),
        ({"paging": {"cursors": {}, "next": "https://g/"}}, None),
        ({"paging": {"cursors": None, "next": "https://g/"}}, None),
        ({"paging": None}, None),
        ({"paging": []}, None),
        ({"paging": "text"}, None),
        ({}, None),
    ],
)
def test_there_is_a_next_page_where_there_is_an_address_of_one_and_a_cursor(
    data: dict[str, Any], cursor: str | None
) -> None:
    assert parsing.next_cursor(data) == cursor


ODD: list[Any] = [True, 5, -1, 1.5, float("nan"), float("inf"), 10**400, "\0", [], ["text"], {}, {"text": "x"}, "12"]
TEXTS = {"caption", "alt_text", "media_product_type"}
ODD_TIMES: list[Any] = [
    *("yesterday", "", "0000-00-00T00:00:00+0000", "0001-01-01T00:00:00+0100", "9999-12-31T23:59:59-0100"),
    *(0, -1, 10**12, "999999999999", "9" * 5000, 4_102_444_800, "1999-01-01T00:00:00+0000"),
]


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        *((name, odd) for name in sorted(set(IMAGE) - {"id", "media_type", "media_url"} - TEXTS) for odd in ODD),
        *((name, odd) for name in sorted(TEXTS) for odd in ODD if not isinstance(odd, str)),
        *(("timestamp", odd) for odd in ODD_TIMES),
        ("permalink", "https://[www.instagram.com/p/"),
    ],
)
def test_an_odd_field_is_dropped_and_the_post_stays(name: str, odd: Any) -> None:
    if name.endswith("_count") and odd == 5:
        return
    assert one(**{name: odd}) == one(**{name: None})


@pytest.mark.parametrize(
    "odd", [*ODD, "ftp://a/1.jpg", "javascript:alert(1)", "//a/1.jpg", "https://a/1 2.jpg", "https:///"]
)
@pytest.mark.parametrize("name", ["media_url", "thumbnail_url"])
def test_an_address_that_is_none_is_no_picture(name: str, odd: Any) -> None:
    assert one(**{"media_url": None, name: odd}).picture == Picture(IMAGE["id"])


@pytest.mark.parametrize("after", [None, 5, ["QVFI"]])
def test_a_cursor_that_is_no_text_ends_the_paging(after: Any) -> None:
    assert parsing.next_cursor({"paging": {"cursors": {"after": after}, "next": "https://example.com"}}) is None
