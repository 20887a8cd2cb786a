"""Makes the next snapshot from a fetch and the snapshot before it."""

from dataclasses import replace
from datetime import datetime, timedelta

from igfeed.cache_lifetimes import PAGE_IS_SHOWN
from igfeed.errors import UnexpectedAnswer
from igfeed.feed.merging import Merged, merged
from igfeed.models import FeedSnapshot, Media, Profile, Since

LONGEST_COOLDOWN = timedelta(days=1)
"""Instagram counts its budgets of calls over an hour and over a day, so no cooldown needs to be longer."""

REACH_LASTS = timedelta(days=8)
"""How long the store keeps the extra posts of a process with a higher IGFEED_POSTS, counted from its last fetch. It is
more than a week, because a weekly cron may be the only one who calls it. After that the lower number is used."""

MOST_LEAVING = 200
"""Pictures of posts that are gone, about 50 MB. If there are more, those that left first are deleted early."""


def successor(old: FeedSnapshot | None, profile: Profile, media: Media, wanted: int, now: datetime) -> FeedSnapshot:
    """The snapshot that follows ``old``, made of a reading at ``now`` that requested ``wanted`` posts.

    Raises UnexpectedAnswer if there are no posts although the profile counts some.
    """
    has_trials = any(entry.why == "trial" for entry in media.left_out)
    if not media.posts and profile.media_count != 0 and not has_trials:
        raise UnexpectedAnswer("Instagram sent no posts, though the profile counts some.")
    found = merged(old, profile, media, wanted, now) if old else Merged(media.posts)
    reach, reached_at = _reach(old, wanted, now)
    posts = found.posts[:reach]
    new = FeedSnapshot(
        profile,
        posts,
        fetched_at=now,
        cooldown_until=now + min(media.cooldown, LONGEST_COOLDOWN) if media.cooldown else None,
        asked=wanted,
        reach=reach,
        reached_at=reached_at,
        doubted=tuple(each for each in found.doubted if any(each.id == post.id for post in posts)),
        unread=sum(entry.why == "unreadable" for entry in media.left_out),
        is_whole=media.is_whole,
        revision=old.revision + 1 if old else 1,
        clock_ahead=media.clock_ahead,
    )
    return _with_pictures_of(old, new, now) if old else new


def _reach(old: FeedSnapshot | None, wanted: int, now: datetime) -> tuple[int, datetime]:
    """How many posts the store keeps, and when that many were last requested."""
    if old is None:
        return wanted, now
    reach, reached_at = old.reach or len(old.posts), min(old.reached_at or old.fetched_at, now)
    is_ours = reach <= wanted or now >= reached_at + REACH_LASTS
    return (wanted, now) if is_ours else (reach, reached_at)


def _with_pictures_of(old: FeedSnapshot, new: FeedSnapshot, now: datetime) -> FeedSnapshot:
    """``new`` with the known colours, and with the ids of pictures that are no longer shown."""
    known = {picture.id: picture.colour for picture in old.pictures()}
    new = new.with_colours(lambda picture: picture.colour or known.get(picture.id))
    staying = new.picture_ids
    left_at = dict.fromkeys(old.picture_ids, now) | {each.id: min(each.at, now) for each in old.leaving}
    gone = [Since(each, at) for each, at in left_at.items() if each not in staying]
    gone.sort(key=lambda each: (each.at, each.id), reverse=True)
    leaving = tuple(each for each in gone[:MOST_LEAVING] if now < each.at + PAGE_IS_SHOWN)
    removed_picture_ids = {each.id for each in gone}.difference(each.id for each in leaving)
    return replace(new, leaving=leaving, removed_picture_ids=tuple(sorted(removed_picture_ids)))
