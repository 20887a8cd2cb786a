"""Which of the kept posts are shown by the owner's choices, why the others are not, and what is kept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igfeed.errors import ChoiceRefused
from igfeed.feed.rules.arrangement import arranged, is_shown_by, listed, posts_to_keep
from igfeed.feed.rules.reasons import reason_for
from igfeed.instagram.reading import MAX_PASSED_OVER, beginning
from igfeed.models import Choices, FeedSnapshot, Picture, Post, PostLink, PostRules, Profile
from igfeed.models.choices import MAX_LABEL_LENGTH, MAX_PINNED, NO_CHOICES, rule_hashtags
from igfeed.models.record import UNREADABLE

NOW = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
BREAD, CAKE = "Fresh #Bread today", "A #cake, for once"
SHOP = PostLink("1", "https://shop.example/bread?loaf=1", "Buy a loaf")


def post(number: int, caption: str | None = None, media_type: str = "IMAGE") -> Post:
    """The greater the number, the older."""
    return Post(Picture(str(number)), media_type, timestamp=NOW - timedelta(hours=number), caption=caption)


def feed(*posts: Post, choices: Choices = NO_CHOICES, trials: tuple[Post, ...] = ()) -> FeedSnapshot:
    return FeedSnapshot(Profile("nord"), posts, NOW, choices=choices, trials=trials)


def numbers(posts: Sequence[Post]) -> list[int]:
    return [int(each.id) for each in posts]


FIVE = tuple(post(number) for number in range(1, 6))


# The document


def test_choices_come_back_from_their_text_as_they_were() -> None:
    rules = PostRules(("photo", "album"), ("bread",), ("ad",), approve_after=NOW)
    choices = Choices(7, ("4", "17_2"), ("1",), ("5",), (SHOP,), rules)

    assert Choices.from_text(choices.to_text()) == choices


def test_an_earlier_document_with_fewer_fields_is_read() -> None:
    assert Choices.from_text('{"revision":2,"hidden":["3"]}') == Choices(2, ("3",))


@pytest.mark.parametrize(
    "text",
    [
        '{"pinned":["1","2","3","4"]}',
        '{"hidden":["<b>"]}',
        '{"links":[{"id":"1","url":"http://shop.example/"}]}',
        '{"links":[{"id":"1","url":"javascript:alert(1)"}]}',
        '{"rules":{"types":["story"]}}',
        "[]",
    ],
)
def test_what_no_version_could_have_written_is_not_read(text: str) -> None:
    with pytest.raises(UNREADABLE):
        Choices.from_text(text)


def test_a_snapshot_whose_choices_cannot_be_read_shows_its_posts_all_the_same() -> None:
    whole = feed(*FIVE, choices=Choices(3, ("2",)))
    broken = whole.to_text().replace('"hidden":["2"]', '"hidden":"everything"')

    assert FeedSnapshot.from_text(broken) == replace(whole, choices=NO_CHOICES)


def test_a_snapshot_that_cannot_be_read_otherwise_is_not_read() -> None:
    with pytest.raises(UNREADABLE):
        FeedSnapshot.from_text(feed(*FIVE).to_text().replace('"username":"nord"', '"username":7'))


# Choosing


def test_a_hidden_post_is_no_longer_pinned_and_a_pinned_one_no_longer_hidden() -> None:
    pinned = NO_CHOICES.hide(["1", "2"]).pin(["2"])

    assert (pinned.hidden, pinned.pinned) == (("1",), ("2",))
    assert pinned.hide(["2"]) == NO_CHOICES.hide(["1", "2"])
    assert pinned.show(["1"]).hidden == pinned.unpin(["2"]).pinned == ()


def test_no_more_than_three_posts_are_pinned_and_a_pin_twice_is_one() -> None:
    three = NO_CHOICES.pin(["1", "2"]).pin(["2", "3", "3"])

    assert three.pinned == ("1", "2", "3")
    with pytest.raises(ChoiceRefused, match=f"Up to {MAX_PINNED}"):
        three.pin(["4"])


def test_a_post_has_one_link() -> None:
    other = replace(SHOP, label=None)
    linked = NO_CHOICES.with_link(SHOP).with_link(other)

    assert linked.links == (other,)
    assert linked.link_of("1") == other
    assert linked.link_of("2") is None
    assert linked.without_link("1") == NO_CHOICES


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "shop.example",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://shop.example@evil.example/",
        "https://evil.example\\@shop.example/",
        "https://shop.example/a b",
        f"https://shop.example/{'a' * 2000}",
        "https://[::1/",
        "https://[shop]/",
        "https://shop.example:99999/",
        "https://shop.example:x/",
        "https://shop..example/",
        f"https://{'ä' * 64}.example/",
        "https://shop.example/\x00",
        "",
    ],
)
def test_a_link_that_is_no_plain_https_address_is_refused(url: str) -> None:
    with pytest.raises(ChoiceRefused, match="https://"):
        PostLink.checked("1", url, None)


def test_a_link_is_cleaned_of_what_pasting_leaves_around_it() -> None:
    assert PostLink.checked("1", " https://shop.example/x \n", "\u200b  ") == PostLink("1", "https://shop.example/x")
    with pytest.raises(ChoiceRefused, match="longer than"):
        PostLink.checked("1", "https://shop.example/", "a" * (MAX_LABEL_LENGTH + 1))


def test_hashtags_of_rules_may_have_their_sign_and_are_compared_without_case() -> None:
    assert rule_hashtags(["#Bread", " bread ", "", "KÄSE"]) == ("bread", "käse")
    with pytest.raises(ChoiceRefused, match="no hashtag"):
        rule_hashtags(["two words"])


# Why a post is not shown


@pytest.mark.parametrize(
    ("choices", "shown", "reason"),
    [
        (NO_CHOICES, post(1), None),
        (Choices(hidden=("1",)), post(1), "hidden by you"),
        (Choices(hidden=("2",)), post(1), None),
        (Choices(rules=PostRules(types=("photo",))), post(1), None),
        (Choices(rules=PostRules(types=("photo", "album"))), post(1, media_type="VIDEO"), "no videos"),
        (Choices(rules=PostRules(with_hashtags=("bread",))), post(1, BREAD), None),
        (Choices(rules=PostRules(with_hashtags=("bread",))), post(1, CAKE), "no #bread"),
        (Choices(rules=PostRules(with_hashtags=("bread", "cake"))), post(1, CAKE), None),
        (Choices(rules=PostRules(with_hashtags=("bread", "cake"))), post(1), "no #bread, #cake"),
        (Choices(rules=PostRules(without_hashtags=("bread", "ad"))), post(1, BREAD), "has #bread"),
        (Choices(rules=PostRules(without_hashtags=("bread",))), post(1, CAKE), None),
        (Choices(rules=PostRules(without_hashtags=("bread",), with_hashtags=("bread",))), post(1, BREAD), "has #bread"),
        (Choices(rules=PostRules(approve_after=NOW - timedelta(hours=1))), post(1), None),
        (Choices(rules=PostRules(approve_after=NOW - timedelta(hours=2))), post(1), "not approved yet"),
        (Choices(approved=("1",), rules=PostRules(approve_after=NOW - timedelta(hours=2))), post(1), None),
        (Choices(rules=PostRules(approve_after=NOW)), replace(post(1), timestamp=None), "not approved yet"),
        (Choices(hidden=("1",), rules=PostRules(types=("photo",))), post(1, media_type="VIDEO"), "hidden by you"),
        (
            Choices(pinned=("1",), rules=PostRules(types=("album",), approve_after=NOW - 9 * timedelta(hours=1))),
            post(1),
            None,
        ),
    ],
)
def test_the_reason_why_a_post_is_not_shown(choices: Choices, shown: Post, reason: str | None) -> None:
    found = reason_for(shown, choices)

    assert (str(found) if found else None) == reason
    assert is_shown_by(choices)(shown) == (reason is None)


# Arranging


def test_pinned_posts_come_first_in_the_order_of_the_pins_and_hidden_ones_are_out() -> None:
    choices = NO_CHOICES.pin(["4", "2"]).hide(["1"])

    assert numbers(arranged(feed(*FIVE, choices=choices), 24).posts) == [4, 2, 3, 5]
    assert numbers(arranged(feed(*FIVE, choices=choices), 2).posts) == [4, 2]


def test_without_choices_the_arranged_snapshot_is_the_same_object() -> None:
    whole = feed(*FIVE)

    assert arranged(whole, 5) is whole


def test_visitors_snapshot_has_no_trial_reel() -> None:
    whole = feed(*FIVE, trials=(post(9),))

    assert arranged(whole, 24) == replace(whole, trials=())


def test_all_kept_posts_are_listed_newest_first_with_their_reasons_pins_and_links() -> None:
    choices = NO_CHOICES.hide(["2"]).pin(["4"]).with_link(SHOP)
    trial = replace(post(8), timestamp=NOW - timedelta(hours=3, minutes=30))

    found = listed(feed(*FIVE, choices=choices, trials=(trial,)), 3)

    assert [(each.post.id, str(each.reason or ""), each.pin) for each in found] == [
        ("1", "", None),
        ("2", "hidden by you", None),
        ("3", "", None),
        ("8", "trial reel", None),
        ("4", "", 1),
        ("5", "older than those shown", None),
    ]
    assert found[0].link == SHOP
    assert [each.is_shown for each in found] == [True, False, True, False, True, False]


# What is kept


def test_posts_are_kept_until_enough_are_shown_and_pinned_ones_stay_behind_them() -> None:
    choices = NO_CHOICES.hide(["1"]).pin(["5"])

    assert numbers(posts_to_keep(FIVE, 2, choices)) == [1, 2, 3, 5]
    assert numbers(posts_to_keep(FIVE, 24, choices)) == [1, 2, 3, 4, 5]


def test_posts_that_are_not_shown_are_kept_within_bounds() -> None:
    others = [post(number) for number in range(MAX_PASSED_OVER + 50)]
    bread = post(1000, BREAD)

    found = posts_to_keep([*others, bread], 24, Choices(rules=PostRules(with_hashtags=("bread",))))

    assert found == (*others[:MAX_PASSED_OVER], bread)


ids = st.lists(st.integers(1, 12).map(str), max_size=12)


@given(hidden=ids, pinned=ids, wanted=st.integers(1, 14))
def test_whatever_is_chosen_no_post_is_lost_or_shown_twice(hidden: list[str], pinned: list[str], wanted: int) -> None:
    posts = [post(number) for number in range(1, 13)]
    choices = NO_CHOICES.pin(pinned[:MAX_PINNED]).hide(hidden)

    shown = arranged(feed(*posts, choices=choices), wanted).posts
    found = listed(feed(*posts, choices=choices), wanted)

    assert [each.post for each in found] == posts
    assert {each.post.id for each in found if each.is_shown} == {each.id for each in shown}
    assert len(shown) == len({each.id for each in shown}) == min(wanted, 12 - len(set(hidden)))
    assert not {each.id for each in shown} & set(hidden)
    assert [each.id for each in shown][: len(choices.pinned)] == list(choices.pinned)[:wanted]


@given(hidden=ids, wanted=st.integers(1, 14))
def test_what_a_fetch_reads_is_the_shortest_beginning_that_fills_the_row(hidden: list[str], wanted: int) -> None:
    posts, choices = [post(number) for number in range(1, 13)], NO_CHOICES.hide(hidden)

    read = beginning(posts, wanted, is_shown_by(choices))

    assert posts_to_keep(read, wanted, choices) == read == tuple(posts[: len(read)])
    shown = arranged(feed(*read, choices=choices), wanted).posts
    assert shown == arranged(feed(*posts, choices=choices), wanted).posts
    assert read == tuple(posts) or read[-1].id not in hidden
