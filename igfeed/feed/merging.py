"""Which posts the feed has after a reading of Instagram's list. A post that could not be read stays in the feed.

A post may be missing in a reading because it was deleted, or for another reason. Three things decide: where the reading
ended, which entries could not be read, and the number of posts in the profile. If none of them explains why a post is
missing, it stays until a second reading lacks it too.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from igfeed.models import DatedId, FeedSnapshot, Media, Post, Profile

SECOND_READING_WAIT = timedelta(minutes=1)
"""The least time between the two readings. Two readings at the same moment may have the same fault."""


class MergedPosts(Struct, frozen=True):
    """``unconfirmed_removals`` are posts that the reading lacks for no known reason, and since when. They stay."""

    posts: tuple[Post, ...]
    unconfirmed_removals: tuple[DatedId, ...] = ()


def merge(old: FeedSnapshot, profile: Profile, media: Media, wanted: int, now: datetime) -> MergedPosts:
    """The posts to keep after a reading that requested ``wanted`` posts."""
    if _is_another_account(old, profile, media):
        return MergedPosts(media.posts)
    missing = _missing(old.posts, media)
    ended = has_ended(media, wanted)
    beyond = set() if ended else _after_the_last(old.posts, media)
    unreadable = _unreadable(missing, media, beyond)
    vanished = [post.id for post in missing if post.id not in beyond | unreadable]
    is_explained = not ended or _is_explained(old, profile, media, len(vanished))
    unconfirmed = () if is_explained else _unconfirmed(old, vanished, now)
    staying = beyond | unreadable | {each.id for each in unconfirmed}
    return MergedPosts(tuple(_in_order(old.posts, media.posts, staying)), unconfirmed)


def has_ended(media: Media, wanted: int) -> bool:
    """Whether the reading came to the end of Instagram's list, so that it has everything that is there."""
    return media.is_complete and (media.is_at_end or len(media.posts) < wanted)


def _is_another_account(old: FeedSnapshot, profile: Profile, media: Media) -> bool:
    """A person may have set up another account's token. A renamed account still has some of its posts."""
    known = {post.id for post in old.posts}
    return old.profile.username != profile.username and not any(post.id in known for post in media.posts)


def _missing(old: Iterable[Post], media: Media) -> list[Post]:
    listed = {post.id for post in media.posts} | {entry.id for entry in media.skipped if entry.reason == "trial"}
    return [post for post in old if post.id not in listed]


def _after_the_last(old: Sequence[Post], media: Media) -> set[str]:
    """The old posts after the reading's last post. The reading ended before it came to them."""
    if not media.posts:
        return set()
    last, ids = media.posts[-1], [post.id for post in old]
    if last.id in ids:
        return set(ids[ids.index(last.id) + 1 :])
    return {post.id for post in old if post.timestamp and last.timestamp and post.timestamp < last.timestamp}


def _unreadable(missing: Iterable[Post], media: Media, beyond: set[str]) -> set[str]:
    """The old posts that exist but cannot be read now. An entry without an id counts as the next missing post."""
    ids = [entry.id for entry in media.skipped if entry.reason == "unreadable"]
    others = [post.id for post in missing if post.id not in beyond and post.id not in ids]
    return {*filter(None, ids), *others[: ids.count(None)]}


def _is_explained(old: FeedSnapshot, profile: Profile, media: Media, vanished: int) -> bool:
    """Whether the count in the profile explains why a reading of the whole list lacks so many posts.

    The count may include posts that are never listed. So its decrease is compared, unless all posts were listed.
    """
    if not vanished:
        return True
    before, after = old.profile.media_count, profile.media_count
    if after is None:
        return False
    known = {post.id for post in old.posts}
    new = sum(post.id not in known for post in media.posts)
    is_complete = len(media.posts) + len(media.skipped) >= after
    return is_complete or (before is not None and before + new - after >= vanished)


def _unconfirmed(old: FeedSnapshot, vanished: Iterable[str], now: datetime) -> tuple[DatedId, ...]:
    """The posts that vanished without an explanation, except those that an earlier reading lacked too."""
    first_missed = {each.id: min(each.at, now) for each in old.unconfirmed_removals}
    unconfirmed_removals = (DatedId(post_id, first_missed.get(post_id, now)) for post_id in vanished)
    return tuple(each for each in unconfirmed_removals if now < each.at + SECOND_READING_WAIT)


def _in_order(old: Sequence[Post], read: Sequence[Post], staying: set[str]) -> list[Post]:
    """The posts that were read. Each staying post is inserted after the post that preceded it in the old list."""
    result = list(read)
    places = {post.id for post in read}
    previous: str | None = None
    for number, post in enumerate(old):
        if post.id not in places and post.id in staying:
            result.insert(_place(result, previous, old[number + 1 :]), post)
            places.add(post.id)
        if post.id in places:
            previous = post.id
    return result


def _place(result: Sequence[Post], previous: str | None, following: Iterable[Post]) -> int:
    """The index after the previous post. Without one, the index of the first following post, or the end."""
    places = {post.id: place for place, post in enumerate(result)}
    if previous is not None:
        return places[previous] + 1
    return next((places[post.id] for post in following if post.id in places), len(result))
