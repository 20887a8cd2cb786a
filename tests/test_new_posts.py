"""Which posts the site is told of: those that were never there before and that visitors see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from igfeed.models import Choices, FeedSnapshot, Picture, Post, PostRules, Profile
from igfeed.models.choices import NO_CHOICES
from igfeed.owner.hooks.deliveries import MAX_DELIVERIES, MAX_SENDING, MAX_TRIES, Delivery, Hooks
from igfeed.owner.hooks.known_posts import LATE_ARRIVAL, MAX_KNOWN, KnownPosts, Look, look

NOW = datetime(2026, 5, 3, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
APPROVE = Choices(rules=PostRules(approve_after=NOW - 30 * DAY))
PHOTOS = Choices(rules=PostRules(types=("photo",)))
KEPT = 24


def post(number: int, age: timedelta | None = None, kind: str = "IMAGE") -> Post:
    """Published so many days before ``NOW`` as its number is below 100, if no other age is given."""
    age = age if age is not None else (100 - number) * DAY
    return Post(Picture(str(number)), kind, timestamp=NOW - age)


def snapshot(
    *posts: Post, choices: Choices = NO_CHOICES, username: str = "studio.nord", at_end: bool = False
) -> FeedSnapshot:
    return FeedSnapshot(Profile(username), posts, NOW, choices=choices, is_at_end=at_end)


class Site:
    """Looks at one snapshot after the other, and knows what it was told by each."""

    def __init__(self, *first: FeedSnapshot) -> None:
        self.known: KnownPosts | None = None
        self.told = [self.look(each) for each in first]

    def look(self, seen: FeedSnapshot, posts: int = KEPT) -> list[str]:
        found = look(self.known, seen, posts, NOW)
        self.known = found.known
        return [*found.new]


FIRST = snapshot(post(98), post(97), post(96))


def test_the_first_look_tells_nothing_and_the_next_only_what_was_not_there() -> None:
    site = Site(FIRST)

    assert site.told == [[]]
    assert site.look(FIRST) == []
    assert site.look(snapshot(post(100), post(99), post(98), post(97), post(96))) == ["100", "99"]
    assert site.look(snapshot(post(100), post(99), post(98))) == []


def test_the_first_post_of_an_empty_account_is_new() -> None:
    site = Site(snapshot(at_end=True))

    assert site.look(snapshot(post(99), at_end=True)) == ["99"]


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(snapshot(post(98), post(97), post(95)), id="a newer one was deleted"),
        pytest.param(snapshot(post(98), post(97), post(96), post(95), post(94)), id="IGFEED_POSTS was raised"),
        pytest.param(snapshot(post(98), post(97), post(80), post(96), at_end=True), id="taken out of the archive"),
        pytest.param(snapshot(post(97), post(96), post(95), post(94)), id="the newest was deleted"),
    ],
)
def test_an_older_post_that_appears_is_not_new(after: FeedSnapshot) -> None:
    site = Site(FIRST)

    assert site.look(after) == []
    assert site.look(snapshot(post(99), *after.posts)) == ["99"]


def test_the_time_after_which_posts_are_new_never_goes_back() -> None:
    pinned = post(10)
    site = Site(FIRST, snapshot(post(98), pinned, choices=Choices().pin([pinned.id])))

    assert site.look(snapshot(post(98), post(95), pinned)) == []


def test_a_post_that_left_the_feed_and_comes_back_is_not_new() -> None:
    site = Site(FIRST)
    site.look(snapshot(post(99), post(98), post(97)))

    assert site.look(snapshot(post(98), post(97), post(96))) == []
    assert site.look(snapshot(post(99), post(98), post(97))) == []


def test_a_reel_that_instagram_lists_late_is_new() -> None:
    site = Site(FIRST)
    site.look(snapshot(post(99, HOUR), *FIRST.posts))

    assert site.look(snapshot(post(99, HOUR), post(50, 2 * HOUR), *FIRST.posts)) == ["50"]


@pytest.mark.parametrize(("age", "is_new"), [(LATE_ARRIVAL - HOUR, True), (LATE_ARRIVAL + HOUR, False)])
def test_it_is_new_if_it_is_at_most_a_week_older_than_the_newest(age: timedelta, is_new: bool) -> None:
    site = Site(snapshot(post(99, timedelta()), at_end=True))

    assert site.look(snapshot(post(99, timedelta()), post(50, age), at_end=True)) == (["50"] if is_new else [])


def test_a_post_without_a_time_is_new_once() -> None:
    site, undated = Site(FIRST), replace(post(99), timestamp=None)

    assert site.look(snapshot(undated, *FIRST.posts)) == ["99"]
    assert site.look(snapshot(undated, *FIRST.posts)) == []


def test_a_time_in_the_future_hides_no_later_post() -> None:
    site = Site(snapshot(post(99, -400 * DAY), post(98), at_end=True))

    assert site.look(snapshot(post(99, -400 * DAY), post(100, HOUR), post(98), at_end=True)) == ["100"]


# The owner's choices


def test_a_post_that_waits_for_approval_is_told_when_it_is_approved_however_late() -> None:
    site = Site(FIRST)
    waiting, later = snapshot(post(99), *FIRST.posts, choices=APPROVE), snapshot(post(150), post(99), choices=APPROVE)
    old = tuple(each.id for each in FIRST.posts)

    assert site.look(replace(waiting, choices=APPROVE.approve(old))) == []
    assert site.look(replace(later, choices=APPROVE.approve([*old, "150"]))) == ["150"]
    assert site.look(replace(later, choices=APPROVE.approve([*old, "150", "99"]))) == ["99"]
    assert site.look(replace(later, choices=APPROVE.approve([*old, "150", "99"]))) == []


def test_a_post_that_waited_before_the_first_look_is_told_when_it_is_approved() -> None:
    site = Site(snapshot(post(99), choices=APPROVE))

    assert site.look(snapshot(post(99), choices=APPROVE.approve(["99"]))) == ["99"]


def test_a_waiting_post_that_another_process_does_not_know_of_is_not_forgotten() -> None:
    site = Site(snapshot(post(98)), snapshot(post(99), post(98), choices=APPROVE.approve(["98"])), snapshot(post(100)))

    assert site.look(snapshot(post(100), post(99), choices=APPROVE.approve(["99", "100"]))) == ["99"]


@pytest.mark.parametrize("choices", [Choices().hide(["99"]), APPROVE.hide(["99"])], ids=["at once", "while it waits"])
def test_a_post_that_the_owner_has_hidden_is_not_told_when_it_is_shown_again(choices: Choices) -> None:
    site = Site(FIRST)

    assert site.look(snapshot(post(99), *FIRST.posts, choices=choices)) == []
    assert site.look(snapshot(post(99), *FIRST.posts)) == []


def test_posts_that_a_rule_has_kept_from_visitors_are_not_told_when_it_is_loosened() -> None:
    site, posts = Site(FIRST), (post(100, kind="VIDEO"), post(99), *FIRST.posts)

    assert site.look(snapshot(*posts, choices=PHOTOS)) == ["99"]
    assert site.look(snapshot(*posts)) == []


def test_an_old_post_that_is_pinned_is_not_new() -> None:
    site = Site(FIRST)

    assert site.look(snapshot(*FIRST.posts, post(10), choices=Choices().pin(["10"]))) == []


# The account


def test_the_first_look_at_another_account_tells_nothing() -> None:
    site, other = Site(FIRST), snapshot(post(205), post(204), username="atelier.sol")

    assert site.look(other) == []
    assert site.look(replace(other, posts=(post(206), *other.posts))) == ["206"]
    assert site.look(FIRST) == []


def test_a_renamed_account_is_the_same() -> None:
    site = Site(FIRST)

    assert site.look(snapshot(post(99), *FIRST.posts, username="nord.studio")) == ["99"]


def test_what_is_remembered_has_an_end() -> None:
    site = Site(FIRST, snapshot(post(99), *FIRST.posts))
    for number in range(100, 100 + 2 * MAX_KNOWN):
        assert site.look(snapshot(post(number), post(number - 1))) == [str(number)]

    assert site.known is not None
    assert len(site.known.ids) == MAX_KNOWN
    assert site.look(FIRST) == []


# Deliveries

NEW = Look(KnownPosts("studio.nord", ("99",)), ("99",), is_first=False)
NOTHING_NEW = NEW._replace(new=())


def begun(found: Look = NEW, addresses: tuple[str, ...] = ("a", "b")) -> Hooks:
    hooks = Hooks().after_look(found, addresses, NOW)
    return hooks.trying(hooks.deliveries, NOW)


def test_each_address_is_tried_until_it_has_accepted_and_three_times_at_most() -> None:
    hooks, now = begun(), NOW
    for tries in range(1, MAX_TRIES + 1):
        assert hooks.deliveries[0].tries == tries
        hooks = hooks.tried(hooks.deliveries[0], dict.fromkeys(hooks.deliveries[0].addresses, "No.") | {"b": None}, now)
        assert [each.address for each in hooks.failures] == ["a"]
        if tries < MAX_TRIES:
            assert hooks.deliveries[0].addresses == ("a",)
            assert hooks.deliveries[0].is_due(now, retries=True), "at once"
            hooks = hooks.trying(hooks.deliveries, now)

    assert hooks.deliveries == ()
    assert hooks.told_at == now


def test_only_who_retries_takes_up_a_delivery_that_was_tried_and_nobody_while_it_is_being_sent() -> None:
    (delivery,) = begun().deliveries

    assert [delivery.is_due(NOW + MAX_SENDING, retries=each) for each in (True, False)] == [True, False]
    assert not delivery.is_due(NOW + MAX_SENDING - timedelta(seconds=1), retries=True)
    assert delivery.is_due(NOW - DAY, retries=True), "a wrong clock has written until when it is sent"


def test_a_process_that_was_killed_at_the_last_try_leaves_nothing_behind() -> None:
    killed = Hooks(deliveries=(Delivery(("99",), ("a",), MAX_TRIES, NOW + MAX_SENDING),))

    assert killed.after_look(NOTHING_NEW, ("a",), NOW).deliveries == killed.deliveries
    assert killed.after_look(NOTHING_NEW, ("a",), NOW + MAX_SENDING).deliveries == ()


def test_an_address_that_the_owner_has_removed_is_forgotten_with_its_failure() -> None:
    failed = begun()
    failed = failed.tried(failed.deliveries[0], {"a": "No.", "b": "No."}, NOW)

    left = failed.after_look(NOTHING_NEW, ("b", "c"), NOW)

    assert [each.addresses for each in left.deliveries] == [("b",)]
    assert [each.address for each in left.failures] == ["b"]


def test_what_another_account_had_to_tell_is_not_told() -> None:
    assert begun().after_look(Look(KnownPosts("atelier.sol"), (), is_first=True), ("a",), NOW).deliveries == ()


def test_the_number_of_deliveries_has_an_end_and_the_latest_stay() -> None:
    hooks = Hooks()
    for number in range(MAX_DELIVERIES + 5):
        hooks = hooks.after_look(NEW._replace(new=(str(number),)), ("a",), NOW)

    assert len(hooks.deliveries) == MAX_DELIVERIES
    assert hooks.deliveries[-1].posts == (str(MAX_DELIVERIES + 4),)


def test_the_document_survives_the_store() -> None:
    hooks = begun()
    hooks = hooks.tried(hooks.deliveries[0], {"a": "No.", "b": None}, NOW)

    assert Hooks.from_text(hooks.to_text()) == hooks
