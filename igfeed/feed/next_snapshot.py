"""Makes the next snapshot from a fetch and the snapshot before it."""

from dataclasses import replace
from datetime import datetime, timedelta

from igfeed.cache_lifetimes import PAGE_IS_SHOWN
from igfeed.errors import UnexpectedAnswer
from igfeed.feed.merging import MergedPosts, has_ended, merge
from igfeed.feed.rules.arrangement import posts_to_keep
from igfeed.models import Choices, DatedId, FeedSnapshot, Measures, Media, Post, Profile

MAX_COOLDOWN = timedelta(days=1)
"""Instagram counts its budgets of calls over an hour and over a day, so no cooldown needs to be longer."""

EXTRA_POSTS_TTL = timedelta(days=8)
"""How long the store keeps the extra posts of a process with a higher IGFEED_POSTS, counted from its last fetch. It is
more than a week, because a weekly cron may be all that calls the process. After that the lower number is used."""

MAX_RETIRED_PICTURES = 200
"""Pictures of posts that are gone, about 50 MB. If there are more, those that left first are deleted early."""

MAX_TRIALS = 50
"""Trial reels that are kept for the owner to look at."""


def next_snapshot(
    old: FeedSnapshot | None, profile: Profile, media: Media, wanted: int, now: datetime, *, choices: Choices
) -> FeedSnapshot:
    """The snapshot that follows ``old``, made of a reading at ``now`` that requested ``wanted`` posts.

    Raises UnexpectedAnswer if there are no posts although the profile counts some.
    """
    _check_not_empty(profile, media)
    found = merge(old, profile, media, wanted, now) if old else MergedPosts(media.posts)
    most_requested, most_requested_at = _most_requested(old, wanted, now)
    posts = posts_to_keep(found.posts, most_requested, choices)
    kept = {post.id for post in posts}
    new = FeedSnapshot(
        profile,
        posts,
        fetched_at=now,
        cooldown_until=now + min(media.cooldown, MAX_COOLDOWN) if media.cooldown else None,
        requested=wanted,
        most_requested=most_requested,
        most_requested_at=most_requested_at,
        unconfirmed_removals=tuple(each for each in found.unconfirmed_removals if each.id in kept),
        unreadable_entries=sum(entry.reason == "unreadable" for entry in media.skipped),
        is_complete=media.is_complete,
        revision=old.revision + 1 if old else 1,
        clock_ahead=media.clock_ahead,
        trials=_trials(media),
        is_at_end=has_ended(media, wanted),
        choices=choices,
    )
    return _with_pictures_of(old, new, now) if old else new


def _check_not_empty(profile: Profile, media: Media) -> None:
    has_trials = any(entry.reason == "trial" for entry in media.skipped)
    if not media.posts and profile.media_count != 0 and not has_trials:
        raise UnexpectedAnswer("Instagram sent no posts, though the profile counts some.")


def _trials(media: Media) -> tuple[Post, ...]:
    found = {entry.id: entry.post for entry in media.skipped if entry.reason == "trial" and entry.post}
    return tuple(found.values())[:MAX_TRIALS]


def _most_requested(old: FeedSnapshot | None, wanted: int, now: datetime) -> tuple[int, datetime]:
    """How many posts the store keeps, and when that many were last requested."""
    if old is None:
        return wanted, now
    most, last = old.most_requested or len(old.posts), min(old.most_requested_at or old.fetched_at, now)
    return (wanted, now) if most <= wanted or now >= last + EXTRA_POSTS_TTL else (most, last)


def _with_pictures_of(old: FeedSnapshot, new: FeedSnapshot, now: datetime) -> FeedSnapshot:
    """``new`` with the known measures, and with the ids of pictures that are no longer shown."""
    known = {picture.id: picture.measures for picture in old.pictures()}
    new = new.with_measures(lambda picture: picture.measures.or_else(known.get(picture.id, Measures())))
    staying = new.picture_ids
    left_at = dict.fromkeys(old.picture_ids, now) | {each.id: min(each.at, now) for each in old.retired_pictures}
    gone = [DatedId(each, at) for each, at in left_at.items() if each not in staying]
    gone.sort(key=lambda each: (each.at, each.id), reverse=True)
    retired_pictures = tuple(each for each in gone[:MAX_RETIRED_PICTURES] if now < each.at + PAGE_IS_SHOWN)
    removed_picture_ids = {each.id for each in gone}.difference(each.id for each in retired_pictures)
    return replace(new, retired_pictures=retired_pictures, removed_picture_ids=tuple(sorted(removed_picture_ids)))
