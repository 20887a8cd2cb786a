"""The client against an Instagram that answers over HTTP: profile, media, tokens, pictures, and all that fails."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from igfeed.clock import CheckedClock
from igfeed.errors import (
    IgfeedError,
    InstagramError,
    InstagramUnreachable,
    NoPicture,
    PermissionRefused,
    PictureRefused,
    PictureUnavailable,
    RateLimited,
    TokenRejected,
    TooMuchAsked,
    UnexpectedAnswer,
    WrongAppSecret,
)
from igfeed.http import deadlines
from igfeed.http.transport import Transport
from igfeed.instagram.client import MAX_JSON_BYTES, MAX_MEDIA_PAGES, MAX_PICTURE_BYTES, InstagramClient
from igfeed.models import Picture, SkippedEntry
from igfeed.origins import Origins
from tests.conftest import to_the_moment
from tests.harness.clock import MovingClock, about
from tests.harness.leaks import told_by
from tests.servers.faults import Exchange
from tests.servers.instagram import (
    APP_LIMIT,
    ERRORS,
    NOT_FOUND,
    TEMPORARY,
    TOO_MUCH_DATA,
    FakeInstagram,
    Fault,
    PictureReply,
    album,
    answer,
    api_error,
    beyond,
    child_image,
    child_video,
    close_after,
    hang,
    html_error,
    huge,
    image,
    invalid_json,
    jpeg,
    reel,
    reply,
    reset,
    reset_after,
    sample_posts,
    truncate,
    video,
)

DAY = timedelta(days=1)
OPTIONAL = {"media_product_type", "alt_text", "like_count", "comments_count"}
TRIAL = "is_shared_to_feed"


@pytest.fixture
def pauses() -> list[float]:
    """How long the client has slept before each new try."""
    return []


@pytest.fixture
def client(instagram: FakeInstagram, clock: MovingClock, pauses: list[float]) -> InstagramClient:
    return InstagramClient(
        url=instagram.url,
        version="v25.0",
        media_origins=Origins(instagram.url),
        transport=Transport("igfeed/tests"),
        clock=CheckedClock(clock),
        sleep=pauses.append,
    )


@pytest.fixture
def token(instagram: FakeInstagram) -> str:
    return instagram.issue()


def limits(instagram: FakeInstagram) -> list[int]:
    """How many posts each call so far has asked for."""
    return [int(call.params["limit"]) for call in instagram.calls]


def fields(instagram: FakeInstagram) -> list[set[str]]:
    """The fields each call so far has asked for."""
    return [set(call.params["fields"].split(",")) for call in instagram.calls]


# Profile


@pytest.mark.parametrize("in_list", [False, True])
def test_a_profile_is_read_flat_and_in_a_list(
    client: InstagramClient, instagram: FakeInstagram, token: str, in_list: bool
) -> None:
    instagram.profile_in_list = in_list
    profile = client.profile(token)
    assert (profile.username, profile.name, profile.media_count) == ("studio.nord", "Studio Nord", 30)
    assert profile.biography == "Furniture from Malmö 🪑\nOpen Tue to Sat"
    assert (profile.followers_count, profile.follows_count) == (4821, 312)
    assert profile.website == "https://studio-nord.example/"
    assert profile.picture_url
    assert profile.picture_url.startswith(instagram.url)


def test_the_profile_is_that_of_the_token_in_the_pinned_version(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    client.profile(token)
    (call,) = instagram.calls
    assert (call.path, call.params["access_token"]) == ("/v25.0/me", token)


def test_a_profile_without_biography_and_website_is_read_at_the_third_call(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.unknown_fields = {"biography"}
    assert client.profile(token).username == "studio.nord"
    assert fields(instagram)[1] - fields(instagram)[2] == {"biography", "website"}


def test_an_account_whose_user_id_is_refused_keeps_its_biography(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.unknown_fields = {"user_id"}
    profile = client.profile(token)
    assert set(profile.ids) == {"24500000000000001"}
    assert profile.biography


def test_a_profile_has_both_ids_that_it_came_with(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    assert set(client.profile(token).ids) == {"24500000000000001", "17841400000000001"}


# Media


def test_the_newest_posts_come_first(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    media = client.media(token, 24)
    assert [post.id for post in media.posts] == [post["id"] for post in instagram.posts[:24]]
    assert media.cooldown == timedelta()
    assert instagram.count("media") == 1


def test_paging_goes_on_until_there_are_enough(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    instagram.short_pages = True
    assert [post.id for post in client.media(token, 25).posts] == [post["id"] for post in instagram.posts[:25]]
    assert instagram.count("media") == 2
    assert all(call.path == "/v25.0/me/media" for call in instagram.calls)


def test_paging_ends_where_there_is_no_next_page(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    instagram.short_pages = True
    assert len(client.media(token, 40).posts) == 30
    assert instagram.count("media") == 2


def test_no_page_is_asked_for_more_than_instagram_gives(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.posts = sample_posts(130)
    assert len(client.media(token, 120).posts) == 120
    assert [call.params["limit"] for call in instagram.calls] == ["100", "100"]


def test_an_empty_account_has_no_posts(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    instagram.posts.clear()
    assert client.media(token, 24).posts == ()
    assert instagram.count("media") == 1


def test_an_empty_page_in_between_does_not_end_the_paging(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    paging = {"cursors": {"after": ""}, "next": "https://g/"}
    instagram.fail("media", reply({"data": [], "paging": paging}), times=1)
    assert len(client.media(token, 24).posts) == 24


def test_a_cursor_that_does_not_move_ends_the_paging(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    page = {"data": [image(id="1")], "paging": {"cursors": {"after": "same"}, "next": "https://g/"}}
    instagram.fail("media", reply(page))
    assert len(client.media(token, 24).posts) == 1
    assert instagram.count("media") == 2


def test_paging_ends_after_so_many_pages(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    for number in range(MAX_MEDIA_PAGES + 1):
        page = {"data": [], "paging": {"cursors": {"after": str(number)}, "next": "https://g/"}}
        instagram.fail("media", reply(page), times=1)
    with pytest.raises(InstagramUnreachable):
        client.media(token, 24)
    assert instagram.count("media") == MAX_MEDIA_PAGES


def test_a_post_that_comes_twice_is_shown_once(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    cursors = {"cursors": {"after": ""}, "next": "https://g/"}
    top = instagram.posts[:2]
    instagram.fail("media", reply({"data": top, "paging": cursors}), times=1)
    ids = [post.id for post in client.media(token, 5).posts]
    assert ids == [post["id"] for post in instagram.posts[:5]]


def test_a_post_published_between_two_pages_does_not_double_another(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    first = [post["id"] for post in instagram.posts]

    def publish_then_answer(exchange: Exchange) -> None:
        instagram.publish(image())
        exchange.send(exchange.execute())

    instagram.short_pages = True
    instagram.fail("media", publish_then_answer, times=1, after=1)
    assert [post.id for post in client.media(token, 20).posts] == first[:20]


def test_posts_of_all_kinds_are_read(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    children = [child_image(id="21"), child_video(id="22"), child_image(id="23", media_url=None)]
    instagram.posts = [
        album(children, id="20"),
        video(id="30"),
        video(id="31", thumbnail_url=None),
        image(id="40", caption=None, like_count=None, media_url=None),
        image(id="50", media_type="HOLOGRAM"),
    ]
    whole, film, bare, absent, unknown = client.media(token, 24).posts
    assert [child.id for child in whole.children] == ["21", "22"]
    assert [bool(child.url) for child in whole.children] == [True, True]
    assert (whole.picture.url or "").startswith(f"{instagram.url}/pictures/21.jpg")
    assert (film.picture.url or "").startswith(f"{instagram.url}/pictures/30.jpg")
    assert (film.picture.video_url or "").startswith(f"{instagram.url}/videos/30.mp4")
    assert (bare.picture.url, bool(bare.picture.video_url)) == (None, True)
    assert (absent.caption, absent.like_count, absent.picture) == (None, None, Picture("40"))
    assert (unknown.media_type, bool(unknown.picture.url)) == ("HOLOGRAM", True)


def test_a_broken_post_costs_only_itself(
    client: InstagramClient, instagram: FakeInstagram, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    instagram.publish({**image(), "id": "one"})
    assert [post.id for post in client.media(token, 24).posts] == [post["id"] for post in instagram.posts[1:25]]
    assert "left out" in caplog.text
    assert token not in caplog.text


def test_captions_arrive_as_they_were_written(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    texts = ['<b>no</b> & "so" 👩‍🎨', "مرحبا", "line\nbreak / slash \\", "half \ud83e", "nul \0 inside"]
    instagram.posts = [image(caption=text) for text in texts]
    captions = [post.caption for post in client.media(token, 24).posts]
    assert captions == [*texts[:3], "half ", "nul  inside"]


def test_an_address_that_leads_elsewhere_is_dropped(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.posts = [image(permalink="http://www.instagram.com/p/1/"), image(permalink="https://evil.example/p/1/")]
    assert [post.permalink for post in client.media(token, 24).posts] == [None, None]


def test_a_reply_without_a_list_is_unexpected(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    instagram.fail("media", reply({"data": {}}))
    with pytest.raises(UnexpectedAnswer):
        client.media(token, 24)


# Trial reels


def test_a_trial_reel_is_left_out_and_the_row_filled_up(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    shown = [post["id"] for post in instagram.posts]
    trials = [instagram.publish(reel(is_shared_to_feed=False))["id"] for _ in range(3)]
    media = client.media(token, 24)
    assert [post.id for post in media.posts] == shown[:24]
    assert media.skipped == tuple(SkippedEntry(media_id, "trial") for media_id in reversed(trials))
    assert media.is_complete


@pytest.mark.parametrize("unknown", sorted(OPTIONAL))
def test_a_trial_reel_stays_hidden_where_another_field_is_unknown(
    client: InstagramClient, instagram: FakeInstagram, token: str, unknown: str
) -> None:
    instagram.unknown_fields = {unknown}
    trial = instagram.publish(reel(is_shared_to_feed=False))
    for _ in range(2):
        assert trial["id"] not in [post.id for post in client.media(token, 24).posts]
    assert instagram.count("media") == 5, "two pages each, and one that was refused"


def test_where_nobody_knows_of_trial_reels_everything_is_shown(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.unknown_fields = {TRIAL}
    assert len(client.media(token, 24).posts) == 24


# Pages that are too large


TOO_MUCH: dict[str, Fault] = {"code 1": TOO_MUCH_DATA, "too large": huge(MAX_JSON_BYTES), "too slow": hang()}


@pytest.mark.parametrize("fault", TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_page_that_is_too_much_is_asked_for_in_smaller_ones(
    client: InstagramClient, instagram: FakeInstagram, token: str, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igfeed.instagram.client.MEDIA_PAGE_TIME_LIMIT", 0.5)
    instagram.fail("media", beyond(5, fault))
    for _ in range(2):
        media = client.media(token, 11)
        assert [post.id for post in media.posts] == [post["id"] for post in instagram.posts[:11]]
        assert media.is_complete
    assert limits(instagram) == [11, 5, 5, 5, 5, 5, 5], "the second reading begins with what worked"


@pytest.mark.parametrize(("working", "asked"), [(50, [100, 50, 50]), (6, [100, 50, 25, 12, *[6] * 17])])
def test_a_hundred_posts_come_in_pages_of_any_size(
    client: InstagramClient, instagram: FakeInstagram, token: str, working: int, asked: list[int]
) -> None:
    instagram.posts = sample_posts(130)
    instagram.fail("media", beyond(working, TOO_MUCH_DATA))
    assert [post.id for post in client.media(token, 100).posts] == [post["id"] for post in instagram.posts[:100]]
    assert limits(instagram) == asked


def test_a_page_in_the_middle_that_is_too_much_goes_on_from_there(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.short_pages = True
    instagram.fail("media", TOO_MUCH_DATA, times=1, after=1)
    assert [post.id for post in client.media(token, 24).posts] == [post["id"] for post in instagram.posts[:24]]
    assert limits(instagram) == [24, 24, 12, 12]


@pytest.mark.parametrize(("hours", "asked"), [(23, 12), (24, 24)])
def test_small_pages_are_kept_to_for_a_day(
    client: InstagramClient, instagram: FakeInstagram, token: str, clock: MovingClock, hours: int, asked: int
) -> None:
    instagram.fail("media", TOO_MUCH_DATA, times=1)
    client.media(token, 24)
    instagram.forget_calls()
    clock.forward(hours=hours, seconds=1)
    client.media(token, 24)
    assert limits(instagram)[0] == asked


def test_what_no_page_is_small_enough_for_is_forgotten_and_begun_anew(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.fail("media", TOO_MUCH_DATA)
    for _ in range(2):
        with pytest.raises(TooMuchAsked):
            client.media(token, 24)
    assert limits(instagram) == [24, 12, 6] * 2


def test_a_reading_that_breaks_off_after_some_pages_gives_what_it_has(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.short_pages = True
    instagram.fail("media", reset(), after=1)
    media = client.media(token, 8)
    assert [post.id for post in media.posts] == [post["id"] for post in instagram.posts[:4]]
    assert not media.is_complete


def test_a_reading_that_breaks_off_at_its_first_page_is_none(
    client: InstagramClient, instagram: FakeInstagram, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igfeed.instagram.client.MEDIA_TIME_LIMIT", 0.5)
    instagram.fail("media", hang())
    with pytest.raises(InstagramUnreachable):
        client.media(token, 24)


# Optional fields


@pytest.mark.parametrize("unknown", sorted(OPTIONAL))
def test_optional_fields_are_dropped_together_where_one_is_unknown(
    client: InstagramClient, instagram: FakeInstagram, token: str, unknown: str
) -> None:
    instagram.unknown_fields = {unknown}
    posts = client.media(token, 24).posts
    assert len(posts) == 24
    assert {post.like_count for post in posts} == {None}
    first, second = fields(instagram)
    assert first - second == OPTIONAL


@to_the_moment
def test_dropped_fields_are_remembered_for_a_day_and_then_asked_for_again(
    client: InstagramClient, instagram: FakeInstagram, token: str, clock: MovingClock
) -> None:
    instagram.unknown_fields = {"alt_text"}
    client.media(token, 24)
    instagram.forget_calls()
    clock.now += DAY - timedelta(microseconds=1)
    client.media(token, 24)
    assert [OPTIONAL & asked for asked in fields(instagram)] == [set()]
    instagram.forget_calls()
    instagram.unknown_fields = set()
    clock.forward(microseconds=1)
    assert client.media(token, 24).posts[0].like_count is not None
    assert [OPTIONAL & asked for asked in fields(instagram)] == [OPTIONAL]


def test_every_page_after_the_drop_goes_without_the_fields(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.unknown_fields, instagram.short_pages = {"alt_text"}, True
    assert len(client.media(token, 24).posts) == 24
    assert [bool(OPTIONAL & asked) for asked in fields(instagram)] == [True, False, False]


def test_dropping_the_fields_of_posts_keeps_those_of_the_profile(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.unknown_fields = {"alt_text"}
    client.media(token, 24)
    assert client.profile(token).biography


def test_a_refusal_that_has_nothing_to_do_with_fields_is_tried_with_fewer_fields_and_not_remembered(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.fail("media", ERRORS["unsupported_request"])
    with pytest.raises(UnexpectedAnswer):
        client.media(token, 24)
    assert instagram.count("media") == 3
    instagram.heal()
    assert client.media(token, 24).posts[0].like_count is not None


def test_other_refusals_are_not_taken_for_unknown_fields(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.fail("media", api_error(2500))
    with pytest.raises(UnexpectedAnswer):
        client.media(token, 24)
    assert instagram.count("media") == 1


# Errors


CLASSES: dict[str, type[InstagramError]] = {
    "expired": TokenRejected,
    "expired_463": TokenRejected,
    "password_changed": TokenRejected,
    "app_removed": TokenRejected,
    "checkpoint": TokenRejected,
    "cannot_parse": TokenRejected,
    "session_invalid": TokenRejected,
    "unsupported_request": UnexpectedAnswer,
    "permission": PermissionRefused,
    "app_limit": RateLimited,
    "user_limit": RateLimited,
    "business_limit": RateLimited,
    "temporary": InstagramUnreachable,
    "too_much_data": TooMuchAsked,
}

CALLS: dict[str, Callable[[InstagramClient, str], Any]] = {
    "profile": lambda client, token: client.profile(token),
    "media": lambda client, token: client.media(token, 24),
    "renew": lambda client, token: client.renew(token),
    "exchange": lambda client, token: client.exchange(token, "app-secret"),
}


def test_every_error_of_the_fake_has_its_class_here() -> None:
    assert set(CLASSES) == set(ERRORS)


@pytest.mark.parametrize("name", sorted(ERRORS))
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_error_has_its_class_in_every_call(
    client: InstagramClient,
    instagram: FakeInstagram,
    token: str,
    name: str,
    call: Callable[[InstagramClient, str], Any],
) -> None:
    instagram.fail("*", ERRORS[name])
    with pytest.raises(InstagramError) as caught:
        call(client, token)
    assert type(caught.value) is CLASSES[name]


def quoting(code: int, **options: Any) -> Callable[[Exchange], None]:
    """An error whose message quotes the token, as some of Meta's do."""

    def play(exchange: Exchange) -> None:
        quote = f"Malformed access token {exchange.request.query}"
        exchange.send(api_error(code, message=quote, error_user_msg=quote, fbtrace_id=quote, **options))

    return play


FAULTS: dict[str, Fault] = {
    **ERRORS,
    "not found": NOT_FOUND,
    "reset": reset(),
    "reset after": reset_after(),
    "closed after": close_after(),
    "truncated": truncate(),
    "invalid json": invalid_json(),
    "huge": huge(MAX_JSON_BYTES),
    "html": html_error(502),
    "html 200": html_error(200),
    "redirect": answer(302, headers={"Location": "https://evil.example/"}),
    "empty": answer(),
    "quoted in 190": quoting(190),
    "quoted in 10": quoting(10),
    "quoted in 4": quoting(4, http=403),
    "quoted in 2": quoting(2, http=500),
    "quoted in 100": quoting(100),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_error_holds_the_token_a_secret_or_an_address(
    client: InstagramClient,
    instagram: FakeInstagram,
    token: str,
    fault: Fault,
    call: Callable[[InstagramClient, str], Any],
) -> None:
    secret = f"{instagram.app_secret}"
    instagram.fail("*", fault)
    with pytest.raises(InstagramError) as caught:
        client.exchange(token, secret) if call is CALLS["exchange"] else call(client, token)
    told = told_by(caught.value) + caught.value.hint
    for hidden in (token, secret, instagram.url.removeprefix("http://")):
        assert hidden not in told


def test_an_instagram_that_is_not_there_is_unreachable_and_tells_nothing(
    client: InstagramClient, instagram: FakeInstagram, token: str, pauses: list[float]
) -> None:
    instagram.stop()
    with pytest.raises(InstagramUnreachable) as caught:
        client.media(token, 24)
    assert token not in told_by(caught.value)
    assert len(pauses) == 2


# Retries


TEMPORARY_FAULTS: dict[str, Fault] = {
    "code 2": TEMPORARY,
    "code 1": api_error(1, http=500),
    "transient": api_error(100, is_transient=True),
    "html 502": html_error(502),
    "html 503": html_error(503),
    "reset": reset(),
    "truncated": truncate(),
    "closed": close_after(),
}

LASTING_FAULTS = {
    **{
        name: fault
        for name, fault in ERRORS.items()
        if name not in ("temporary", "unsupported_request", "too_much_data")
    },
    "429": answer(429),
    "html 404": html_error(404),
    "invalid json": invalid_json(),
}


@pytest.mark.parametrize("fault", TEMPORARY_FAULTS.values(), ids=TEMPORARY_FAULTS)
def test_temporary_trouble_is_tried_three_times_and_no_more(
    client: InstagramClient, instagram: FakeInstagram, token: str, pauses: list[float], fault: Fault
) -> None:
    instagram.fail("media", fault)
    with pytest.raises(InstagramUnreachable):
        client.media(token, 24)
    assert instagram.count("media") == 3
    assert len(pauses) == 2


@pytest.mark.parametrize("fault", TEMPORARY_FAULTS.values(), ids=TEMPORARY_FAULTS)
@pytest.mark.parametrize("times", [1, 2])
def test_what_works_at_a_later_try_has_worked(
    client: InstagramClient, instagram: FakeInstagram, token: str, fault: Fault, times: int
) -> None:
    instagram.fail("profile", fault, times=times)
    assert client.profile(token).username
    assert instagram.count("profile") == times + 1


@pytest.mark.parametrize("fault", TEMPORARY_FAULTS.values(), ids=TEMPORARY_FAULTS)
def test_a_renewal_is_asked_for_once_and_its_error_says_that_it_may_have_taken_effect(
    client: InstagramClient, instagram: FakeInstagram, token: str, pauses: list[float], fault: Fault
) -> None:
    instagram.fail("renew", fault)
    with pytest.raises(InstagramUnreachable) as caught:
        client.renew(token)
    assert caught.value.may_have_taken_effect
    assert instagram.count("renew") == 1
    assert pauses == []


def test_a_renewal_that_was_never_sent_is_tried_again_and_says_that_it_is_not_done(
    client: InstagramClient, instagram: FakeInstagram, token: str, pauses: list[float]
) -> None:
    instagram.stop()
    with pytest.raises(InstagramUnreachable) as caught:
        client.renew(token)
    assert not caught.value.may_have_taken_effect
    assert len(pauses) == 2


def test_a_renewal_is_waited_for_when_any_other_call_has_long_been_given_up(
    client: InstagramClient, instagram: FakeInstagram, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "SILENCE_LIMIT", 0.1)
    with ThreadPoolExecutor() as threads, instagram.hold("renew") as gate, instagram.hold("profile"):
        renewing = threads.submit(client.renew, token)
        assert gate.wait()
        with pytest.raises(InstagramUnreachable):
            client.profile(token)
        assert not renewing.done()
        gate.release()
        assert instagram.alive(renewing.result().value)


def test_a_renewal_that_takes_longer_than_it_may_is_given_up(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    with instagram.hold("renew"), pytest.raises(InstagramUnreachable) as caught:
        client.renew(token, 0.2)
    assert caught.value.may_have_taken_effect


@pytest.mark.parametrize("fault", LASTING_FAULTS.values(), ids=LASTING_FAULTS)
def test_what_will_not_pass_is_not_tried_again(
    client: InstagramClient, instagram: FakeInstagram, token: str, pauses: list[float], fault: Fault
) -> None:
    instagram.fail("media", fault)
    with pytest.raises(InstagramError):
        client.media(token, 24)
    assert instagram.count("media") == 1
    assert pauses == []


def test_the_pauses_grow_and_are_spread(
    client: InstagramClient, instagram: FakeInstagram, token: str, pauses: list[float]
) -> None:
    random.seed(7)
    instagram.fail("media", TEMPORARY)
    for _ in range(10):
        with pytest.raises(InstagramUnreachable):
            client.media(token, 24)
    first, second = pauses[::2], pauses[1::2]
    assert all(0.2 <= pause <= 0.6 for pause in first)
    assert all(0.6 <= pause <= 1.8 for pause in second)
    assert len(set(pauses)) == 20


# Limits


def test_a_reached_limit_says_how_long_it_lasts(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    instagram.business_usage = {"17841": [{"type": "instagram", "estimated_time_to_regain_access": 23}]}
    instagram.fail("media", APP_LIMIT)
    with pytest.raises(RateLimited) as caught:
        client.media(token, 24)
    assert caught.value.retry_after == timedelta(minutes=23)
    assert caught.value.code == 4


def test_a_reached_limit_without_headers_does_not_say(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    instagram.fail("media", APP_LIMIT)
    with pytest.raises(RateLimited) as caught:
        client.media(token, 24)
    assert caught.value.retry_after is None


@pytest.mark.parametrize(("percent", "cooldown"), [(90, timedelta()), (91, timedelta(hours=1))])
def test_a_nearly_spent_budget_asks_for_a_rest(
    client: InstagramClient, instagram: FakeInstagram, token: str, percent: int, cooldown: timedelta
) -> None:
    instagram.app_usage = {"call_count": percent, "total_cputime": 0, "total_time": 0}
    media = client.media(token, 24)
    assert (len(media.posts), media.cooldown) == (24, cooldown)


def test_of_several_pages_the_longest_rest_counts(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    usage = '{"17841": [{"estimated_time_to_regain_access": 5}]}'
    first = {"data": [image(id="1")], "paging": {"cursors": {"after": ""}, "next": "https://g/"}}
    answered = reply(first)
    headers = {"X-Business-Use-Case-Usage": usage}
    instagram.fail("media", answer(200, answered.body, answered.content_type, headers), times=1)
    assert client.media(token, 24).cooldown == timedelta(minutes=5)


# Tokens


def test_a_renewed_token_has_a_new_life(
    client: InstagramClient, instagram: FakeInstagram, token: str, clock: MovingClock
) -> None:
    renewed = client.renew(token)
    assert renewed.value != token
    assert instagram.alive(renewed.value)
    assert (renewed.issued_at, renewed.expires_at) == (about(clock.now), about(clock.now + timedelta(seconds=5183944)))
    (call,) = instagram.calls
    assert (call.path, call.params) == (
        "/refresh_access_token",
        {"grant_type": "ig_refresh_token", "access_token": token},
    )


def test_a_renewed_token_may_keep_its_string(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    instagram.renewal_changes_string = False
    assert client.renew(token).value == token


def test_a_short_lived_token_is_exchanged_for_a_long_lived_one(
    client: InstagramClient, instagram: FakeInstagram, clock: MovingClock
) -> None:
    short = instagram.issue_short()
    token = client.exchange(short, instagram.app_secret)
    assert token.value != short
    assert token.expires_at == about(clock.now + timedelta(seconds=5183944))
    assert [call.path for call in instagram.calls] == ["/access_token"]


def test_a_wrong_app_secret_is_no_temporary_fault_though_its_code_is_that_of_one(
    client: InstagramClient, instagram: FakeInstagram, pauses: list[float]
) -> None:
    with pytest.raises(WrongAppSecret):
        client.exchange(instagram.issue_short(), f"{instagram.app_secret}0")
    assert (instagram.count("exchange"), pauses) == (1, [])


@pytest.mark.parametrize("name", ["renew", "exchange"])
def test_a_life_begins_before_the_call_however_long_that_takes(
    client: InstagramClient, instagram: FakeInstagram, clock: MovingClock, name: str
) -> None:
    begun = clock.now

    def take_long(exchange: Exchange) -> None:
        clock.forward(minutes=5)
        exchange.send(exchange.execute())

    instagram.fail(name, take_long)
    if name == "renew":
        token = client.renew(instagram.issue())
    else:
        token = client.exchange(instagram.issue_short(), instagram.app_secret)
    assert (token.issued_at, token.expires_at) == (about(begun), about(begun + timedelta(seconds=5183944)))


@pytest.mark.parametrize(
    "value", ["", " ", None, 5, ["IGAAfresh"], "IGAA fresh", "IGAA\u00e4", "IGAA\nfresh", "IGAA\x00fresh"], ids=repr
)
def test_a_reply_without_a_readable_token_is_refused(
    client: InstagramClient, instagram: FakeInstagram, token: str, value: object
) -> None:
    instagram.fail("renew", reply({"access_token": value, "token_type": "bearer", "expires_in": 5183944}))
    with pytest.raises(UnexpectedAnswer) as caught:
        client.renew(token)
    assert "fresh" not in told_by(caught.value)


def test_a_reply_without_a_token_is_refused(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    instagram.fail("renew", reply({"expires_in": 5183944}))
    with pytest.raises(UnexpectedAnswer):
        client.renew(token)


LIVES: dict[str, tuple[dict[str, Any], int | None]] = {
    "a number": ({"expires_in": 5183944}, 5183944),
    "a text": ({"expires_in": "5183944"}, 5183944),
    "a text with a line end": ({"expires_in": "5183944\n"}, 5183944),
    "a float": ({"expires_in": 5183944.0}, 5183944),
    "the older name": ({"expires": 5183944}, 5183944),
    "null beside the older name": ({"expires_in": None, "expires": "5183944"}, 5183944),
    "a second": ({"expires_in": 1}, 1),
    "more than any token has": ({"expires_in": 90 * 86400}, 60 * 86400),
    "none": ({}, None),
    "null": ({"expires_in": None}, None),
    "zero": ({"expires_in": 0}, None),
    "less than none": ({"expires_in": -1}, None),
    "yes": ({"expires_in": True}, None),
    "words": ({"expires_in": "60 days"}, None),
    "a list": ({"expires_in": [5183944]}, None),
    "a date": ({"expires": 1_798_761_600}, None),
    "milliseconds": ({"expires_in": 5183944000}, None),
    "more than a float holds": ({"expires_in": 10**400}, None),
    "infinite": ({"expires_in": float("inf")}, None),
    "not a number": ({"expires_in": "nan"}, None),
}


@pytest.mark.parametrize("is_in_list", [False, True], ids=["flat", "in a list"])
@pytest.mark.parametrize(("life", "seconds"), LIVES.values(), ids=LIVES)
def test_a_token_is_kept_whatever_the_reply_says_of_its_life(
    client: InstagramClient,
    instagram: FakeInstagram,
    token: str,
    life: dict[str, Any],
    seconds: int | None,
    is_in_list: bool,
) -> None:
    data = {"access_token": "IGAAnew\n", "token_type": "bearer", **life}
    instagram.fail("renew", reply({"data": [data]} if is_in_list else data))
    renewed = client.renew(token)
    assert renewed.value == "IGAAnew"
    assert renewed.issued_at is not None
    assert renewed.expires_at == (None if seconds is None else renewed.issued_at + timedelta(seconds=seconds))


def test_one_second_of_life_is_a_life(client: InstagramClient, instagram: FakeInstagram, token: str) -> None:
    instagram.lifetime = 1
    renewed = client.renew(token)
    assert renewed.issued_at is not None
    assert renewed.expires_at == renewed.issued_at + timedelta(seconds=1)


@pytest.mark.parametrize("age", [timedelta(hours=23), timedelta(days=61)])
def test_a_token_too_young_or_too_old_is_not_renewed(
    client: InstagramClient, instagram: FakeInstagram, age: timedelta
) -> None:
    with pytest.raises((UnexpectedAnswer, TokenRejected)):
        client.renew(instagram.issue(age=age))


# Pictures


@pytest.fixture
def url(instagram: FakeInstagram) -> str:
    """The address of a picture."""
    instagram.picture_size = (40, 50)
    return instagram.sign("/pictures/1.jpg")


def test_a_picture_is_its_bytes(client: InstagramClient, url: str) -> None:
    assert client.picture(url) == jpeg("1", (40, 50))


KINDS = ["image/jpeg", "image/jpg", "image/heic", "application/octet-stream", "text/html", "video/mp4", ""]


@pytest.mark.parametrize("kind", KINDS)
def test_the_bytes_say_what_is_a_picture(
    client: InstagramClient, instagram: FakeInstagram, url: str, kind: str
) -> None:
    instagram.pictures["1"] = PictureReply(content_type=kind)
    assert client.picture(url) == jpeg("1", (40, 50))


@pytest.mark.parametrize("body", [b"<html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"GIF", b"%PDF-1.7"])
@pytest.mark.parametrize("kind", ["image/jpeg", *KINDS])
def test_what_is_no_picture_is_refused(
    client: InstagramClient, instagram: FakeInstagram, url: str, kind: str, body: bytes
) -> None:
    instagram.pictures["1"] = PictureReply(content_type=kind, body=body)
    with pytest.raises(PictureRefused):
        client.picture(url)


@pytest.mark.parametrize("brand", [b"mp42", b"isom", b"qt  ", b"M4V "])
@pytest.mark.parametrize("kind", ["image/jpeg", *KINDS])
def test_a_film_is_told_from_a_failure(
    client: InstagramClient, instagram: FakeInstagram, url: str, kind: str, brand: bytes
) -> None:
    instagram.pictures["1"] = PictureReply(content_type=kind, body=b"\0\0\0\x18ftyp" + brand + bytes(12))
    with pytest.raises(NoPicture):
        client.picture(url)


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.1/1.jpg",
        "file:///etc/passwd",
        "https://evil.example/1.jpg",
        "",
        "{url}@evil.example/1.jpg",
        "http://me@{host}/1.jpg",
    ],
)
def test_an_address_on_no_allowed_origin_is_not_asked(
    client: InstagramClient, instagram: FakeInstagram, address: str
) -> None:
    host = instagram.url.removeprefix("http://")
    with pytest.raises(PictureUnavailable) as caught:
        client.picture(address.format(url=instagram.url, host=host))
    assert "INSTAGRAM_MEDIA_ORIGINS" in caught.value.hint
    assert instagram.count("*") == 0


def test_a_redirect_within_the_allowed_origins_is_followed(
    client: InstagramClient, instagram: FakeInstagram, url: str
) -> None:
    instagram.pictures["1"] = PictureReply(302, location=instagram.sign("/pictures/2.jpg"))
    assert client.picture(url) == jpeg("2", (40, 50))


@pytest.mark.parametrize("target", ["http://10.0.0.1/1.jpg", "//evil.example/", "file:///etc/passwd", "http://[bad"])
def test_a_redirect_out_of_the_allowed_origins_is_not_followed(
    client: InstagramClient, instagram: FakeInstagram, url: str, target: str
) -> None:
    instagram.pictures["1"] = PictureReply(302, location=target)
    with pytest.raises(PictureUnavailable, match="not allowed") as caught:
        client.picture(url)
    assert target not in told_by(caught.value)


def test_a_redirect_to_the_second_server_is_not_followed_even_if_it_runs_beside(
    client: InstagramClient, instagram: FakeInstagram, url: str, clock: MovingClock
) -> None:
    with FakeInstagram(clock) as other:
        instagram.pictures["1"] = PictureReply(302, location=other.sign("/pictures/1.jpg"))
        with pytest.raises(PictureUnavailable):
            client.picture(url)
        assert other.count("*") == 0


def test_a_picture_that_redirects_to_itself_is_unavailable(
    client: InstagramClient, instagram: FakeInstagram, url: str
) -> None:
    instagram.pictures["1"] = PictureReply(302, location=url)
    with pytest.raises(PictureUnavailable, match="too often"):
        client.picture(url)


def test_an_expired_address_is_unavailable_and_the_next_fetch_mends_it(
    client: InstagramClient, url: str, clock: MovingClock
) -> None:
    clock.forward(days=5)
    with pytest.raises(PictureUnavailable, match="HTTP 403") as caught:
        client.picture(url)
    assert "next fetch" in caught.value.hint


@pytest.mark.parametrize("chunked", [False, True])
def test_a_picture_of_the_largest_size_is_taken_and_one_byte_more_is_not(
    client: InstagramClient, instagram: FakeInstagram, url: str, chunked: bool
) -> None:
    largest = jpeg("1", (40, 50)).ljust(MAX_PICTURE_BYTES, b"\0")
    instagram.pictures["1"] = PictureReply(body=largest, chunked=chunked)
    assert client.picture(url) == largest
    instagram.pictures["1"] = PictureReply(body=largest + b"\0", chunked=chunked)
    with pytest.raises(PictureUnavailable, match="larger"):
        client.picture(url)


PICTURE_FAULTS: dict[str, Fault] = {
    "reset": reset(),
    "closed": close_after(),
    "truncated": truncate(),
    "404": answer(404, content_type="image/jpeg"),
    "500": html_error(500),
    "206": answer(206, b"half", "image/jpeg"),
}


@pytest.mark.parametrize("fault", PICTURE_FAULTS.values(), ids=PICTURE_FAULTS)
def test_a_picture_that_does_not_come_whole_is_unavailable_at_the_first_try(
    client: InstagramClient, instagram: FakeInstagram, url: str, fault: Fault
) -> None:
    instagram.fail("picture", fault)
    with pytest.raises(PictureUnavailable) as caught:
        client.picture(url)
    assert isinstance(caught.value, IgfeedError)
    assert instagram.url not in told_by(caught.value)
    assert instagram.count("picture") == 1


def test_the_token_does_not_go_to_the_hosts_of_the_pictures(
    client: InstagramClient, instagram: FakeInstagram, token: str
) -> None:
    picture = client.media(token, 1).posts[0].picture
    client.picture(picture.url or "")
    call = instagram.calls[-1]
    assert call.endpoint == "picture"
    assert token not in f"{call.params} {call.headers}"
