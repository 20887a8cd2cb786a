"""The account, its posts and pictures, and the feed that is made of them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Literal
from urllib.parse import quote, urlsplit

from igfeed.models.choices import NO_CHOICES, Choices
from igfeed.models.kept_posts import KeptPost, KeptPosts
from igfeed.models.picture import AlbumPicture, Measures, Picture, Portrait
from igfeed.models.record import (
    LONG_AGO,
    Address,
    Count,
    MediaId,
    Moment,
    Name,
    Permalink,
    Record,
    clean_texts,
    fingerprint,
    is_from_future,
)


@dataclass(frozen=True)
class Profile:
    """The account. A count or text is None if Instagram did not send it.

    ``ids`` are Instagram's ids of the account: the app's own number for it, and the account's own. They are empty in a
    snapshot of an earlier version. ``account_type`` is BUSINESS or MEDIA_CREATOR, in upper or lower case.
    """

    username: Name
    name: str | None = None
    biography: str | None = None
    website: str | None = None
    picture_url: Address | None = None
    media_count: Count | None = None
    followers_count: Count | None = None
    follows_count: Count | None = None
    ids: frozenset[MediaId] = frozenset()
    account_type: str | None = None

    def __post_init__(self) -> None:
        clean_texts(self, "username", "name", "biography", "website", "account_type")
        if self.username is None:
            raise ValueError("a profile without a user name")

    @property
    def address(self) -> str:
        """Of the account's page on Instagram."""
        return f"https://www.instagram.com/{quote(self.username, safe='')}/"

    @property
    def picture(self) -> Portrait | None:
        """The account's own picture. Instagram gives it no id, so its id is a hash of the path of its address."""
        # Only the path: the query has a signature that expires, so it differs between fetches of the same file.
        try:
            path = urlsplit(self.picture_url or "").path
        except ValueError:
            return None
        # The prefix 0_ keeps it apart from the ids of media.
        number = int(hashlib.sha256(path.encode()).hexdigest()[:12], 16)
        return Portrait(f"0_{number}", self.picture_url) if path else None


@dataclass(frozen=True)
class Post(Record):
    """One post. ``media_type`` is IMAGE, VIDEO, CAROUSEL_ALBUM or a type that is new."""

    picture: Picture
    media_type: str
    permalink: Permalink | None = None
    timestamp: Moment | None = None
    caption: str | None = None
    alt_text: str | None = None
    product_type: str | None = None
    like_count: Count | None = None
    comments_count: Count | None = None
    children: tuple[AlbumPicture, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        clean_texts(self, "caption", "alt_text")

    @property
    def id(self) -> str:
        return self.picture.id

    def pictures(self) -> Iterator[Picture]:
        """The post's own picture first, then those of its children."""
        yield self.picture
        yield from self.children

    def with_measures(self, measures_of: Callable[[Picture], Measures]) -> "Post":
        """A copy in which each picture has the measures that ``measures_of`` gives."""
        own = self.picture.with_measures(measures_of(self.picture))
        children = tuple(child.with_measures(measures_of(child)) for child in self.children)
        return replace(self, picture=own, children=children)


@dataclass(frozen=True)
class SkippedEntry:
    """An entry of Instagram's list that is not shown. ``id`` is None if it could not be read.

    ``post`` is the trial reel, for the owner. None if the entry could not be read.
    """

    id: str | None
    reason: Literal["trial", "unreadable"]
    post: Post | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Media:
    """The account's newest posts, as one fetch has read them.

    ``cooldown`` is how long no more calls should be made, because Instagram asks for a pause. ``is_complete`` is False
    if the fetch failed before it had enough posts or the end of the list. ``clock_ahead`` is how far our clock is ahead
    of Instagram's, zero while our clock counts as right. ``is_at_end`` is True if the list is known to have no further
    posts.
    """

    posts: tuple[Post, ...]
    cooldown: timedelta = timedelta()
    skipped: tuple[SkippedEntry, ...] = ()
    is_complete: bool = True
    clock_ahead: timedelta = timedelta()
    is_at_end: bool = False


@dataclass(frozen=True)
class DatedId(Record):
    """The id of a post that a fetch lacked, or of a picture that has left the feed, and since when."""

    id: MediaId
    at: Moment


@dataclass(frozen=True)
class FeedSnapshot(Record):
    """The feed as it was at ``fetched_at``. It is one document, and always replaced as a whole.

    ``cooldown_until`` is set if Instagram asked for no more calls until then.

    ``requested`` is how many posts this fetch asked for. Processes may be set to different numbers of posts:
    ``most_requested`` is the largest of them, and ``most_requested_at`` is when a fetch last asked for that many. Both
    numbers are 0 in a snapshot of an earlier version.

    ``unconfirmed_removals`` are posts that the fetch lacked for no known reason. They stay in the feed for now.
    ``unreadable_entries`` is how many entries of Instagram's list could not be read. ``is_complete`` is False if the
    list ended early.

    ``retired_pictures`` are pictures of removed posts. They are kept for pages in caches that still show them.
    ``removed_picture_ids`` are those deleted with this fetch. The next fetch deletes them once more, in case the first
    time failed.

    ``posts`` are in Instagram's order. A stored snapshot has all kept posts, also those that visitors do not see
    because of the owner's ``choices``. ``igfeed.feed.rules`` makes of it the snapshot that pages show. ``trials`` are
    trial reels, for the owner only. ``is_at_end``: see ``Media``.

    ``revision`` grows with each change. So it shows which of two snapshots is newer, even if the clocks were wrong.
    ``clock_ahead``: see ``Media``.
    """

    RENAMED: ClassVar[Mapping[str, str]] = {
        "rest_until": "cooldown_until",
        "departed": "removed_picture_ids",
        "asked": "requested",
        "reach": "most_requested",
        "reached_at": "most_requested_at",
        "doubted": "unconfirmed_removals",
        "unread": "unreadable_entries",
        "is_whole": "is_complete",
        "leaving": "retired_pictures",
    }

    DISPENSABLE: ClassVar[tuple[str, ...]] = ("choices", "trials")

    profile: Profile
    posts: tuple[Post, ...]
    fetched_at: Moment
    cooldown_until: Moment | None = None
    removed_picture_ids: tuple[MediaId, ...] = ()
    revision: Count = 0
    clock_ahead: timedelta = timedelta()
    requested: Count = 0
    most_requested: Count = 0
    most_requested_at: Moment | None = None
    unconfirmed_removals: tuple[DatedId, ...] = ()
    unreadable_entries: Count = 0
    is_complete: bool = True
    retired_pictures: tuple[DatedId, ...] = ()
    trials: tuple[Post, ...] = ()
    is_at_end: bool = False
    choices: Choices = NO_CHOICES

    def is_newer_than(self, other: "FeedSnapshot", now: datetime) -> bool:
        """Compares the revisions, or the times if one of the two is from an earlier version, which had no revision."""
        if self.revision and other.revision:
            return (self.revision, self.fetched_at) > (other.revision, other.fetched_at)
        # A time in the future comes from a wrong clock. Without this rule that snapshot would win for years.
        ours, theirs = (LONG_AGO if is_from_future(each.fetched_at, now) else each.fetched_at for each in (self, other))
        return (ours, self.revision) > (theirs, other.revision)

    def pictures(self) -> Iterator[Picture]:
        if self.profile.picture:
            yield self.profile.picture
        for post in (*self.posts, *self.trials):
            yield from post.pictures()

    def picture(self, picture_id: str) -> Picture | None:
        """The picture with this id, None if there is none. A retired one has no address any more."""
        return self._pictures_by_id.get(picture_id)

    @cached_property
    def _pictures_by_id(self) -> dict[str, Picture]:
        retired = {each.id: Picture(each.id) for each in self.retired_pictures}
        return retired | {picture.id: picture for picture in self.pictures()}

    def with_measures(self, measures_of: Callable[[Picture], Measures]) -> "FeedSnapshot":
        """A copy in which each picture of a post has the measures that ``measures_of`` gives."""
        return replace(self, posts=tuple(post.with_measures(measures_of) for post in self.posts))

    @cached_property
    def kept_posts(self) -> KeptPosts:
        return tuple(KeptPost.of(post.media_type, post.caption) for post in self.posts)

    @property
    def picture_ids(self) -> frozenset[str]:
        return frozenset(picture.id for picture in self.pictures())

    @cached_property
    def version(self) -> str:
        """A hash of the snapshot: it changes if anything in the snapshot changes."""
        return fingerprint(self.to_text())
