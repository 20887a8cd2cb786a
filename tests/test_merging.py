"""What a feed has after a reading: no post goes because it could not be read, and none stays that was deleted."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igfeed.feed.merging import SECOND_READING_WAIT, merge
from igfeed.models import DatedId, FeedSnapshot, Media, Picture, Post, Profile, SkippedEntry

NOW = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
TRIAL: Literal["trial"] = "trial"
UNREADABLE: Literal["unreadable"] = "unreadable"


def post(number: int, caption: str = "as it was") -> Post:
    """The greater the number, the older."""
    return Post(Picture(str(number)), "IMAGE", timestamp=NOW - timedelta(hours=number), caption=caption)


def feed(
    *numbers: int, count: int | None = None, unconfirmed_removals: tuple[DatedId, ...] = (), name: str = "nord"
) -> FeedSnapshot:
    return FeedSnapshot(
        Profile(name, media_count=count), tuple(map(post, numbers)), NOW, unconfirmed_removals=unconfirmed_removals
    )


def read(*numbers: int, skipped: tuple[SkippedEntry, ...] = (), is_complete: bool = True) -> Media:
    return Media(tuple(post(number, "as it is") for number in numbers), skipped=skipped, is_complete=is_complete)


def after(old: FeedSnapshot, media: Media, count: int | None, wanted: int = 24, **more: Any) -> list[int]:
    result = merge(old, Profile(more.get("name", "nord"), media_count=count), media, wanted, more.get("now", NOW))
    return [int(each.id) for each in result.posts]


def doubts(old: FeedSnapshot, media: Media, count: int | None, now: datetime = NOW) -> list[DatedId]:
    return list(merge(old, Profile("nord", media_count=count), media, 24, now).unconfirmed_removals)


def since(*numbers: int, at: datetime = NOW) -> tuple[DatedId, ...]:
    return tuple(DatedId(str(number), at) for number in numbers)


FIVE = range(1, 6)


# What could not be read


def test_what_was_read_is_as_it_is_now_and_new_posts_come_first() -> None:
    result = merge(feed(*FIVE), Profile("nord", media_count=6), read(0, *FIVE), 24, NOW)

    assert [each.caption for each in result.posts] == ["as it is"] * 6
    assert [each.id for each in result.posts] == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("unreadable", [(1,), (3,), (5,), (1, 2), (2, 4), (1, 2, 3, 4)])
@pytest.mark.parametrize("is_named", [True, False])
def test_a_post_that_cannot_be_read_stays_as_it_was_in_its_place(unreadable: tuple[int, ...], is_named: bool) -> None:
    skipped = tuple(SkippedEntry(str(number) if is_named else None, UNREADABLE) for number in unreadable)
    media = read(0, *(number for number in FIVE if number not in unreadable), skipped=skipped)

    result = merge(feed(*FIVE, count=5), Profile("nord", media_count=6), media, 24, NOW)

    assert [(int(each.id), each.caption == "as it was") for each in result.posts] == [
        (number, number in unreadable) for number in range(6)
    ]
    assert result.unconfirmed_removals == ()


def test_where_the_row_was_filled_up_with_older_posts_the_unreadable_ones_come_before_them() -> None:
    media = read(1, 6, 7, 8, 9, skipped=(SkippedEntry(None, UNREADABLE),) * 4)

    assert after(feed(*FIVE), media, 99, wanted=5)[:5] == [1, 2, 3, 4, 5]


def test_an_unreadable_post_that_never_was_in_the_feed_is_not_invented() -> None:
    assert after(feed(*FIVE), read(*FIVE, skipped=(SkippedEntry("77", UNREADABLE),)), 6) == [1, 2, 3, 4, 5]


def test_a_reading_that_broke_off_costs_nothing_behind_its_end() -> None:
    assert after(feed(*FIVE), read(0, 1, 2, is_complete=False), 6) == [0, 1, 2, 3, 4, 5]


def test_a_post_that_was_deleted_before_the_reading_broke_off_goes() -> None:
    assert after(feed(*FIVE), read(1, 3, is_complete=False), 4) == [1, 3, 4, 5]


# What was deleted


def test_the_posts_whose_end_the_profile_counts_go_at_once() -> None:
    assert after(feed(*FIVE, count=5), read(2, 4), 2) == [2, 4]


def test_a_post_that_was_published_meanwhile_is_reckoned_with() -> None:
    assert after(feed(*FIVE, count=205), read(0, 2, 3, 4, 5), 205) == [0, 2, 3, 4, 5]


def test_posts_that_are_counted_but_never_listed_do_not_matter() -> None:
    assert after(feed(*FIVE, count=50), read(1, 2, 3, 4), 49) == [1, 2, 3, 4]


def test_everything_the_profile_counts_being_there_nothing_is_missed() -> None:
    assert after(feed(*FIVE), read(1, 2), 2) == [1, 2]


def test_a_post_that_was_deleted_from_a_long_list_goes_though_an_older_one_moves_up() -> None:
    assert after(feed(*FIVE, count=None), read(1, 2, 4, 5, 6), None, wanted=5)[:5] == [1, 2, 4, 5, 6]
    assert after(feed(*FIVE, count=None), read(1, 2, 3, 4, 6), None, wanted=5)[:5] == [1, 2, 3, 4, 6]


def test_a_post_that_has_become_a_trial_reel_goes_at_once() -> None:
    assert after(feed(*FIVE, count=5), read(1, 2, 4, 5, skipped=(SkippedEntry("3", TRIAL),)), 5) == [1, 2, 4, 5]


def test_an_account_that_says_it_is_empty_is_empty() -> None:
    assert after(feed(*FIVE), read(), 0) == []


def test_nothing_of_another_account_stays() -> None:
    assert after(feed(*FIVE, count=5), read(11, 12), 214, name="sud") == [11, 12]
    assert after(feed(*FIVE, count=5), read(1, 2), 214, name="nord.studio") == [1, 2, 3, 4, 5], "it was renamed"


# What nothing explains


@pytest.mark.parametrize(("before", "count"), [(214, 214), (214, None), (None, None), (5, 4), (None, 5)])
def test_posts_that_vanish_without_a_reason_stay_and_are_doubted(before: int | None, count: int | None) -> None:
    old = feed(*FIVE, count=before)

    assert after(old, read(2), count) == [1, 2, 3, 4, 5]
    assert doubts(old, read(2), count) == list(since(1, 3, 4, 5))


@pytest.mark.parametrize(
    ("later", "stay"),
    [
        (timedelta(), True),
        (SECOND_READING_WAIT - MOMENT, True),
        (SECOND_READING_WAIT, False),
        (SECOND_READING_WAIT * 99, False),
    ],
)
def test_a_second_reading_that_says_the_same_is_believed_if_it_comes_later(later: timedelta, stay: bool) -> None:
    old = feed(*FIVE, count=214, unconfirmed_removals=since(1, 3, 4, 5))

    assert after(old, read(2), 214, now=NOW + later) == ([1, 2, 3, 4, 5] if stay else [2])
    assert doubts(old, read(2), 214, NOW + later) == (list(old.unconfirmed_removals) if stay else [])


def test_what_a_second_reading_misses_besides_has_a_second_reading_of_its_own() -> None:
    old, later = feed(*FIVE, count=214, unconfirmed_removals=since(3)), NOW + SECOND_READING_WAIT

    assert after(old, read(1, 2, 5), 214, now=later) == [1, 2, 4, 5]
    assert doubts(old, read(1, 2, 5), 214, later) == list(since(4, at=later))


def test_what_a_second_reading_has_is_doubted_no_more() -> None:
    old = feed(*FIVE, count=214, unconfirmed_removals=since(1, 3, 4, 5))

    assert after(old, read(*FIVE), 214, now=NOW + SECOND_READING_WAIT) == [1, 2, 3, 4, 5]
    assert doubts(old, read(*FIVE), 214, NOW + SECOND_READING_WAIT) == []


def test_a_doubt_from_the_future_is_taken_for_one_of_now() -> None:
    old = feed(*FIVE, count=214, unconfirmed_removals=since(5, at=NOW + timedelta(days=9)))

    assert doubts(old, read(1, 2, 3, 4), 214) == list(since(5))


# Processes that keep different numbers


def test_a_process_that_asks_for_fewer_leaves_the_others_where_they_are() -> None:
    assert after(feed(*FIVE), read(0, 1), 6, wanted=2) == [0, 1, 2, 3, 4, 5]
    assert after(feed(*FIVE), read(-1, 0), 7, wanted=2) == [-1, 0, 1, 2, 3, 4, 5]


def test_an_account_with_fewer_posts_than_were_asked_for_keeps_no_more() -> None:
    assert after(feed(*FIVE, count=5), read(1), 1, wanted=2) == [1]


# In general


numbers = st.lists(st.integers(0, 30), unique=True, max_size=12).map(sorted)


@given(numbers, numbers, st.booleans(), st.integers(1, 12), st.none() | st.integers(0, 30))
def test_all_that_was_read_is_there_once_and_in_order(
    old: list[int], found: list[int], is_complete: bool, wanted: int, count: int | None
) -> None:
    result = after(feed(*old, count=20), read(*found[:wanted], is_complete=is_complete), count, wanted)

    assert len(set(result)) == len(result)
    assert [number for number in result if number in found[:wanted]] == found[:wanted]
    assert set(result) <= {*old, *found}
    assert [number for number in result if number in old] == [number for number in old if number in result]
