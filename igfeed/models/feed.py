"""The account, its posts and pictures, and the feed that is made of them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from igfeed.models.record import (
    LONG_AGO,
    Address,
    Colour,
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
    """Whose feed it is. Counts and texts are None where Instagram did not send them."""

    username: Name
    name: str | None = None
    biography: str | None = None
    website: str | None = None
    picture_url: Address | None = None
    media_count: Count | None = None
    followers_count: Count | None = None
    follows_count: Count | None = None

    def __post_init__(self) -> None:
        clean_texts(self, "username", "name", "biography", "website")
        if self.username is None:
            raise ValueError("a profile without a user name")

    @property
    def picture(self) -> "Picture | None":
        """Named after the path of its address, for Instagram gives it no id: another picture has another path."""
        try:
            path = urlsplit(self.picture_url or "").path
        except ValueError:
            return None
        number = int(hashlib.sha256(path.encode()).hexdigest()[:12], 16)
        return Picture(f"0_{number}", self.picture_url) if path else None


@dataclass(frozen=True)
class Picture:
    """One picture to look at: a post's own, that of one child of an album, or the account's.

    ``id`` is the media id, ``url`` where Instagram has it for some four days, None where it sent no picture.
    ``colour`` is its average such as ``#c9b79c``, None until the picture was kept.
    """

    id: MediaId
    url: Address | None = None
    video_url: Address | None = None
    colour: Colour | None = None

    @property
    def is_absent(self) -> bool:
        """Whether there is none: Instagram names no file, and did not when it was kept."""
        return self.url is None and self.colour is None


@dataclass(frozen=True)
class Post(Record):
    """One post. ``media_type`` is IMAGE, VIDEO, CAROUSEL_ALBUM or something yet unknown."""

    picture: Picture
    media_type: str
    permalink: Permalink | None = None
    timestamp: Moment | None = None
    caption: str | None = None
    alt_text: str | None = None
    product_type: str | None = None
    like_count: Count | None = None
    comments_count: Count | None = None
    children: tuple[Picture, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        clean_texts(self, "caption", "alt_text")

    @property
    def id(self) -> str:
        return self.picture.id

    def pictures(self) -> Iterator[Picture]:
        """Its own picture first, then those of its children."""
        yield self.picture
        yield from self.children

    def with_colours(self, colour_of: Callable[[Picture], str | None]) -> "Post":
        """The same with the colours that are known of its pictures."""
        own, *children = (replace(picture, colour=colour_of(picture)) for picture in self.pictures())
        return replace(self, picture=own, children=tuple(children))


@dataclass(frozen=True)
class LeftOut:
    """An entry of Instagram's list that is no post of ours; ``id`` is None where not even that could be read."""

    id: str | None
    why: Literal["trial", "unreadable"]


@dataclass(frozen=True)
class Media:
    """What one reading of the account's media gave; ``cooldown`` is how long Instagram asks to be left alone.

    ``is_whole`` is False when the reading ended before the list did and before there were enough posts.
    ``clock_ahead`` is how far our clock was found to be ahead of Instagram's, zero while it counts as right.
    """

    posts: tuple[Post, ...]
    cooldown: timedelta = timedelta()
    left_out: tuple[LeftOut, ...] = ()
    is_whole: bool = True
    clock_ahead: timedelta = timedelta()


@dataclass(frozen=True)
class Since(Record):
    """What holds of a post or of a picture since then."""

    id: MediaId
    at: Moment


@dataclass(frozen=True)
class FeedSnapshot(Record):
    """The feed as it was at ``fetched_at``: one document, replaced as a whole.

    ``cooldown_until`` is set when Instagram asked for no more calls until then.

    ``asked`` is how many posts this fetch asked for, ``reach`` how many the process that keeps the most, which did so
    last at ``reached_at``. Both are 0 where an earlier version, which did not say, has fetched.

    ``doubted`` are posts that stay though the fetch lacked them for no known reason. ``unread`` is how many entries of
    Instagram's list could not be read; ``is_whole`` is False where the list broke off.

    ``leaving`` are the pictures of posts that have left, kept for pages that still show them. ``removed_picture_ids``
    are those deleted with this fetch. The next fetch deletes them once more, in case the first time failed.

    ``revision`` grows with each change: it tells which of two is the newer one whatever the clocks were.
    ``clock_ahead``: see ``Media``.
    """

    RENAMED: ClassVar[Mapping[str, str]] = {"rest_until": "cooldown_until", "departed": "removed_picture_ids"}

    profile: Profile
    posts: tuple[Post, ...]
    fetched_at: Moment
    cooldown_until: Moment | None = None
    removed_picture_ids: tuple[MediaId, ...] = ()
    revision: Count = 0
    clock_ahead: timedelta = timedelta()
    asked: Count = 0
    reach: Count = 0
    reached_at: Moment | None = None
    doubted: tuple[Since, ...] = ()
    unread: Count = 0
    is_whole: bool = True
    leaving: tuple[Since, ...] = ()

    def is_newer_than(self, other: "FeedSnapshot", now: datetime) -> bool:
        """By the revision; by the time where one of them is from an earlier version, which counted none."""
        if self.revision and other.revision:
            return (self.revision, self.fetched_at) > (other.revision, other.fetched_at)
        ours, theirs = (LONG_AGO if is_from_future(each.fetched_at, now) else each.fetched_at for each in (self, other))
        return (ours, self.revision) > (theirs, other.revision)

    def pictures(self) -> Iterator[Picture]:
        if self.profile.picture:
            yield self.profile.picture
        for post in self.posts:
            yield from post.pictures()

    def picture(self, picture_id: str) -> Picture | None:
        """One of its pictures, or one that is leaving: that has no address any more."""
        return self._pictures_by_id.get(picture_id)

    @cached_property
    def _pictures_by_id(self) -> dict[str, Picture]:
        left = {each.id: Picture(each.id) for each in self.leaving}
        return left | {picture.id: picture for picture in self.pictures()}

    def with_colours(self, colour_of: Callable[[Picture], str | None]) -> "FeedSnapshot":
        """The same with the colours that are known of its pictures."""
        return replace(self, posts=tuple(post.with_colours(colour_of) for post in self.posts))

    @property
    def picture_ids(self) -> frozenset[str]:
        return frozenset(picture.id for picture in self.pictures())

    @cached_property
    def version(self) -> str:
        """A short name that differs whenever anything in the snapshot does."""
        return fingerprint(self.to_text())
