"""Which posts are new: those that igfeed has never seen, and that were published lately."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from igfeed.feed.rules.arrangement import arranged
from igfeed.feed.rules.reasons import reason_for
from igfeed.models import FeedSnapshot, Post
from igfeed.models.record import MediaId, Moment, Name, Record

LATE_ARRIVAL = timedelta(days=7)
"""How much older than the newest known post a new one may be. Instagram lists some reels an hour late, and a trial reel
only when it is shared with everybody, days later."""

MAX_KNOWN = 500
"""How many ids are remembered. A feed has some 300 posts at most, and an older post is not new because of its date."""

MAX_WAITING = 200


@dataclass(frozen=True)
class KnownPosts(Record):
    """``ids`` are the posts that were seen, the newest first.

    ``waiting`` are new posts that wait for the owner's approval. They are told when they are approved. Posts that were
    published at ``since`` or before are not new, whether they were seen or not.
    """

    username: Name
    ids: tuple[MediaId, ...] = ()
    waiting: tuple[MediaId, ...] = ()
    since: Moment | None = None


class Look(NamedTuple):
    """``new`` are the posts that visitors see and the site has to be told of, the newest first."""

    known: KnownPosts
    new: tuple[str, ...]
    is_first: bool


def look(before: KnownPosts | None, snapshot: FeedSnapshot, posts: int, now: datetime) -> Look:
    """Look at the snapshot. ``before`` is what was known, ``posts`` is how many posts visitors see.

    The first look at an account finds nothing new.
    """
    is_first = before is None or _is_of_another_account(before, snapshot)
    known = KnownPosts(snapshot.profile.username) if before is None or is_first else before
    candidates = [post for post in snapshot.posts if _may_be_new(known, post)]
    shown = {post.id for post in arranged(snapshot, posts).posts}
    waiting = {post.id for post in candidates if post.id not in shown and _waits(post, snapshot)}
    return Look(
        KnownPosts(
            snapshot.profile.username,
            ids=_first_of(MAX_KNOWN, *(post.id for post in snapshot.posts if post.id not in waiting), *known.ids),
            waiting=_first_of(MAX_WAITING, *_waiting(known, snapshot, waiting)),
            since=_since(known, snapshot, now),
        ),
        () if is_first else tuple(post.id for post in candidates if post.id in shown),
        is_first,
    )


def _is_of_another_account(known: KnownPosts, snapshot: FeedSnapshot) -> bool:
    """A renamed account still has some of its posts."""
    ids = {*known.ids, *known.waiting}
    return known.username != snapshot.profile.username and not any(post.id in ids for post in snapshot.posts)


def _may_be_new(known: KnownPosts, post: Post) -> bool:
    if post.id in known.ids or post.id in known.waiting:
        return post.id in known.waiting
    return known.since is None or post.timestamp is None or post.timestamp > known.since


def _waits(post: Post, snapshot: FeedSnapshot) -> bool:
    reason = reason_for(post, snapshot.choices)
    return reason is not None and reason.kind == "approval"


def _waiting(known: KnownPosts, snapshot: FeedSnapshot, waiting: set[str]) -> list[str]:
    """The posts that wait now. One that waited and is not in this snapshot stays: the snapshot may be an old one."""
    listed = [post.id for post in snapshot.posts]
    return [*(each for each in listed if each in waiting), *(each for each in known.waiting if each not in listed)]


def _since(known: KnownPosts, snapshot: FeedSnapshot, now: datetime) -> datetime | None:
    """It never goes back: posts that appear because newer ones were deleted are not new."""
    times = [post.timestamp for post in snapshot.posts if post.timestamp]
    if not times:
        return known.since
    # If Instagram has older posts than the snapshot, they may move up into it later. They are not new then.
    end = None if snapshot.is_at_end else min(times)
    return max(filter(None, (known.since, end, min(max(times), now) - LATE_ARRIVAL)))


def _first_of(most: int, *ids: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))[:most]
