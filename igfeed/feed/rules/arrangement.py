"""The kept posts as the owner wants them: pinned ones first, and the others that no choice keeps from visitors.

A stored snapshot has all kept posts in Instagram's order, so the owner can undo a choice at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from msgspec import Struct

from igfeed.feed.rules.reasons import Reason, reason_for
from igfeed.instagram.reading import MAX_PASSED_OVER, IsShown
from igfeed.models import Choices, FeedSnapshot, Post, PostLink
from igfeed.models.record import LONG_AGO


class ListedPost(Struct, frozen=True):
    """A kept post as the owner sees it. ``reason`` says why visitors do not see it, None if they do.

    ``pin`` is its place among the pinned posts, counted from 1. None if it is not pinned.
    """

    post: Post
    reason: Reason | None
    pin: int | None
    link: PostLink | None

    @property
    def is_shown(self) -> bool:
        return self.reason is None


def is_shown_by(choices: Choices) -> IsShown:
    """Whether visitors see a post, for a fetch that goes on until it has enough of them."""
    return partial(_is_shown, choices)


def arranged(snapshot: FeedSnapshot, posts: int) -> FeedSnapshot:
    """The snapshot as visitors see it, with at most so many posts. The same object if that is all of it."""
    choices = snapshot.choices
    shown = _shown(snapshot.posts, choices)[:posts]
    if not snapshot.trials and shown == list(snapshot.posts):
        return snapshot
    return replace(snapshot, posts=tuple(shown), trials=())


def posts_to_keep(posts: Iterable[Post], wanted: int, choices: Choices) -> tuple[Post, ...]:
    """The posts to keep: ``wanted`` that are shown, those between them that are not, and every pinned one.

    Posts that are not shown are bounded, as the snapshot is one document.
    """
    result: list[Post] = []
    shown = passed_over = 0
    for post in posts:
        if _is_shown(choices, post):
            if shown < wanted or post.id in choices.pinned:
                result.append(post)
            shown += 1
        elif shown < wanted and passed_over < MAX_PASSED_OVER:
            result.append(post)
            passed_over += 1
    return tuple(result)


def listed(snapshot: FeedSnapshot, posts: int) -> list[ListedPost]:
    """All kept posts, trial reels included, newest first. ``posts`` is how many are shown."""
    choices = snapshot.choices
    shown = {post.id for post in _shown(snapshot.posts, choices)[:posts]}
    found = [_listed(post, choices, is_shown=post.id in shown) for post in snapshot.posts]
    for trial in snapshot.trials:
        found.insert(_place_of(trial, found), ListedPost(trial, Reason("trial"), None, choices.link_of(trial.id)))
    return found


def _listed(post: Post, choices: Choices, *, is_shown: bool) -> ListedPost:
    reason = None if is_shown else reason_for(post, choices) or Reason("older")
    pin = choices.pinned.index(post.id) + 1 if post.id in choices.pinned else None
    return ListedPost(post, reason, pin, choices.link_of(post.id))


def _place_of(trial: Post, others: Sequence[ListedPost]) -> int:
    """The index before the first post that is older. The others stay in the order in which Instagram lists them."""
    time = trial.timestamp or LONG_AGO
    return next((place for place, each in enumerate(others) if (each.post.timestamp or LONG_AGO) < time), len(others))


def _is_shown(choices: Choices, post: Post) -> bool:
    return reason_for(post, choices) is None


def _shown(posts: Sequence[Post], choices: Choices) -> list[Post]:
    """The posts that are shown: the pinned ones first, in the order in which they were pinned."""
    shown = [post for post in posts if _is_shown(choices, post)]
    places = {post_id: place for place, post_id in enumerate(choices.pinned)}
    # Sorting is stable, so the others stay in Instagram's order.
    return sorted(shown, key=lambda post: places.get(post.id, len(places)))
