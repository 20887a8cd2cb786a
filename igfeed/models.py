"""The nouns: frozen, pure, to and from a JSON text.

What is read is checked leaf by leaf, by ``msgspec`` and from the fields' own types: ``from_text`` raises one of
``UNREADABLE`` on anything that ``to_text`` could not have written. A missing field has its default, and an unknown one
is passed over, so that two versions of igfeed can share a store.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from igfeed.clock import CLOCKS_DIFFER
from igfeed.texts import clean

UNREADABLE = (ValueError, OverflowError, RecursionError)
"""``msgspec``'s errors are ValueErrors."""

LONG_AGO = datetime.fromtimestamp(0, UTC)

SHORTEST_AGE = timedelta(hours=24)
"""Instagram renews no token that is younger (Meta's documentation of refresh_access_token)."""

MOST_PREDECESSORS = 4
"""How many a token goes back to at most: more set-ups in a row without any that works are not to be expected."""

USUAL_LIFE = timedelta(days=60)
"""What a long-lived token has, as Meta documents it. Replies have said a little less, never more."""


def fingerprint(secret: str) -> str:
    """A name for a secret that can be written down and compared, and that leads nowhere back."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


MEDIA_ID = r"^[0-9]{1,32}(_[0-9]{1,32})?\Z"
ADDRESS = r"^((?ai:https?)://[^\s/]|sketch:)\S*\Z"
"""Of a file on the web, or of a drawing of the sample account."""
PERMALINK = r"^(?ai:https://([a-z0-9-]+\.)*instagram\.com)([/?#]\S*)?\Z"
"""It goes onto the page. Browsers take a backslash for the end of the host, so a host has whole names only."""
COLOUR = r"^#[0-9a-f]{6}\Z"
"""It goes onto the page as it is."""
MOST_COUNTED = 10**12

Moment = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0, le=MOST_COUNTED)]
Name = Annotated[str, Meta(min_length=1)]
MediaId = Annotated[str, Meta(pattern=MEDIA_ID)]
Address = Annotated[str, Meta(pattern=ADDRESS)]
Permalink = Annotated[str, Meta(pattern=PERMALINK)]
Colour = Annotated[str, Meta(pattern=COLOUR)]

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Times beyond are mistakes, and near the ends of the calendar to add an hour is an error."""


def is_from_future(moment: datetime | None, now: datetime) -> bool:
    """Whether a clock that was wrong has told this moment: then it counts as unknown."""
    return moment is not None and moment > now + CLOCKS_DIFFER


class Document:
    """What is kept in the store as one JSON text."""

    def __post_init__(self) -> None:
        times = (value for value in vars(self).values() if isinstance(value, datetime))
        if not all(EARLIEST <= time <= LATEST for time in times):
            raise ValueError("a time that no clock shows")

    def to_text(self) -> str:
        return msgspec.json.encode(self, order="deterministic").decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Raises one of UNREADABLE."""
        return msgspec.json.decode(text, type=cls)


def _clean_texts(noun: object, *names: str) -> None:
    """Here and not only where Instagram is read: an earlier version, which was less strict, may have stored them."""
    for name in names:
        text = getattr(noun, name)
        object.__setattr__(noun, name, None if text is None else clean(text))


OTHER_KINDS = {
    "EAA": "a token of Facebook's login (EAA…)",
    "IGQV": "a token of the Basic Display API (IGQV…), which ended in December 2024",
    "IGQW": "a token of the Basic Display API (IGQW…), which ended in December 2024",
}
"""Tokens that Instagram does not take here, by how they begin (Meta's documentation, recorded tokens)."""


AROUND = " \t\r\n\"'`“”„\ufeff\u200b\u200c\u200d\u2060\xa0,;"
"""What stands around a token where people copy it from: quotes, the end of a line, blanks that nobody sees."""

NAMES_BEFORE = ("Bearer ", "access_token=", "INSTAGRAM_ACCESS_TOKEN=")


def pasted(text: str) -> str:
    """The token in what a person has pasted."""
    text = text.strip(AROUND)
    for name in NAMES_BEFORE:
        text = text.removeprefix(name).strip(AROUND)
    return text


def other_kind(value: str) -> str | None:
    """What the token is if it is for another of Meta's interfaces; it is not worth a call then."""
    return next((kind for start, kind in OTHER_KINDS.items() if value.startswith(start)), None)


@dataclass(frozen=True)
class Token(Document):
    """An access token and its life. A time is None where nobody told us: such a token counts as old and due.

    ``predecessor`` is the token that this one has replaced, kept until this one has proved itself (see ``proven``).
    ``origin`` is the fingerprint of the token that a person gave and renewals have made this one of; None: it is that
    one. ``from_environment`` says how it was given. ``refused`` are the fingerprints of tokens and of lines that gave
    way to this one: Instagram rejected them while this one worked, or a changed variable replaced them. ``revision``
    grows each time that one token takes another one's place, by a renewal too: where times do not tell which of two is
    the later one, it does.
    """

    value: Name = field(repr=False)
    issued_at: Moment | None = None
    expires_at: Moment | None = None
    predecessor: "Token | None" = field(default=None, repr=False)
    origin: str | None = None
    from_environment: bool = False
    refused: frozenset[str] = frozenset()
    revision: Count = 0

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.value)

    @property
    def line(self) -> str:
        """A name for all that renewals make of one token that a person gave."""
        return self.origin or self.fingerprint

    @property
    def renewable_at(self) -> datetime | None:
        return None if self.issued_at is None else self.issued_at + SHORTEST_AGE

    def is_misdated(self, now: datetime) -> bool:
        """Whether its times were written by a process whose clock was ahead, so that nobody knows them."""
        if self.issued_at is None:
            return is_from_future(self.expires_at, now + USUAL_LIFE)
        return is_from_future(self.issued_at, now)

    def as_known(self, now: datetime) -> "Token":
        """The same without the times that nobody knows."""
        return replace(self, issued_at=None, expires_at=None) if self.is_misdated(now) else self

    def is_renewable(self, now: datetime) -> bool:
        return self.renewable_at is None or now >= self.renewable_at or self.is_misdated(now)

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def has_less_than(self, life: timedelta, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at - now < life or self.is_misdated(now)

    def is_due(self, within: timedelta, now: datetime) -> bool:
        """Whether to renew it before its next use, with less than so much left.

        Where nobody knows how old it is, its life is only supposed: it is due as soon as it is surely old enough.
        """
        is_supposed = self.issued_at is None and self.expires_at is not None
        return self.has_less_than(USUAL_LIFE - SHORTEST_AGE if is_supposed else within, now)

    def supersedes(self, other: "Token", now: datetime) -> bool:
        """Whether this is the one to go on with, of two that were come by apart.

        A living one before an expired one, and before one that Instagram has rejected beside it. What a person has set
        up since stays. Of one line the one that lives longest, then the one that knows more about the others.
        """
        if self.is_expired(now) != other.is_expired(now):
            return other.is_expired(now)
        has_refused, was_refused = self._has_refused(other), other._has_refused(self)
        if has_refused or was_refused:
            return has_refused and (not was_refused or self.revision > other.revision)
        if self.line != other.line:
            return False
        if self.is_misdated(now) or other.is_misdated(now):
            return self.revision > other.revision
        return self._standing > other._standing

    def _has_refused(self, other: "Token") -> bool:
        is_of_refused_line = other.line != self.line and other.line in self.refused
        return other.fingerprint in self.refused or is_of_refused_line

    @property
    def _standing(self) -> tuple[datetime, bool, int]:
        """A renewal whose reply named no lifetime counts like any other: it is newer than what it was made of."""
        supposed_end = self.issued_at + USUAL_LIFE if self.issued_at else LONG_AGO
        return self.expires_at or supposed_end, self.predecessor is None, len(self.refused)

    def differs_from(self, other: "Token") -> bool:
        """Whether one of them is what became of the other: its string or its life is another."""
        return (self.value, self.expires_at) != (other.value, other.expires_at)

    def succeeded_by(self, fresh: "Token") -> "Token":
        """``fresh`` as the successor of this one, which it remembers only if the string has changed."""
        return replace(
            fresh,
            predecessor=None if fresh.value == self.value else replace(self, predecessor=None),
            origin=self.line,
            from_environment=self.from_environment,
            refused=self.refused - {fresh.fingerprint},
            revision=self.revision + 1,
        )

    @property
    def predecessors(self) -> "Iterator[Token]":
        """Its predecessor, that one's predecessor and so on."""
        each = self.predecessor
        while each:
            yield each
            each = each.predecessor

    def after(self, earlier: "Sequence[Token]") -> "Token":
        """The same with these to go back to, the likeliest first. The last one is the one that has worked."""
        if len(earlier) > MOST_PREDECESSORS:
            earlier = [*earlier[: MOST_PREDECESSORS - 1], earlier[-1]]
        chain = None
        for each in reversed(earlier):
            chain = replace(each, predecessor=chain)
        return replace(self, predecessor=chain)

    def instead_of(self, rejected: "Token") -> "Token":
        """The same, now that it works where the other one does not."""
        line = {rejected.line} if rejected.line != self.line else set()
        refused = self.refused | rejected.refused | {rejected.fingerprint} | line
        revision = max(self.revision, rejected.revision) + 1
        return replace(self, predecessor=None, refused=refused - {self.fingerprint}, revision=revision)

    def in_place_of(self, other: "Token") -> "Token":
        """The same, now that it works and a person wants it rather than the other one, which may work too."""
        return replace(self.instead_of(other), predecessor=replace(other, predecessor=None))

    @property
    def proven(self) -> "Token":
        """The same after a read has succeeded with it: the predecessor goes.

        A changed variable may hold a token that dies tomorrow. So what it has replaced stays until its first renewal.
        """
        replaced = self.predecessor
        if replaced and replaced.line != self.line and self.from_environment and self.issued_at is None:
            return self
        return replace(self, predecessor=None)


@dataclass(frozen=True)
class Trouble(Document):
    """A task's last failure, kept until the task succeeds; no visitor's view tries again before ``until``.

    ``token`` is the fingerprint of the token it happened with (empty: with none), because another token is a reason
    to try at once. ``kind`` is the error's class name.
    """

    kind: str
    message: str
    hint: str
    at: Moment
    until: Moment
    token: str = ""
    failures: Count = 1

    def pauses(self, token: str, now: datetime) -> bool:
        return now < self.until and token == self.token and not is_from_future(self.at, now)


@dataclass(frozen=True)
class Renewal(Document):
    """The last finished try to renew a token; ``trouble`` is None when it succeeded.

    ``attempt`` counts them, so that each next one has a claim of its own. ``token`` is the fingerprint of what came
    out of it. ``may_be_done``: it was asked for with that token, no answer came, and Instagram may have ended it.
    """

    attempt: Count
    at: Moment
    token: str
    trouble: Trouble | None = None
    may_be_done: bool = False


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
        _clean_texts(self, "username", "name", "biography", "website")
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
class Post(Document):
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
        _clean_texts(self, "caption", "alt_text")

    @property
    def id(self) -> str:
        return self.picture.id

    def pictures(self) -> Iterator[Picture]:
        """Its own picture first, then those of its children."""
        yield self.picture
        yield from self.children

    def painted(self, colour_of: Callable[[Picture], str | None]) -> "Post":
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
    """What one reading of the account's media gave; ``rest`` is how long Instagram asks to be left alone.

    ``is_whole`` is False when the reading ended before the list did and before there were enough posts.
    ``clock_ahead`` is how far our clock was found to be ahead of Instagram's, zero while it counts as right.
    """

    posts: tuple[Post, ...]
    rest: timedelta = timedelta()
    left_out: tuple[LeftOut, ...] = ()
    is_whole: bool = True
    clock_ahead: timedelta = timedelta()


@dataclass(frozen=True)
class Since(Document):
    """What holds of a post or of a picture since then."""

    id: MediaId
    at: Moment


@dataclass(frozen=True)
class FeedSnapshot(Document):
    """The feed as it was at ``fetched_at``: one document, replaced as a whole.

    ``rest_until`` is set when Instagram asked for a rest.

    ``asked`` is how many posts this fetch asked for, ``reach`` how many the process that keeps the most, which did so
    last at ``reached_at``. Both are 0 where an earlier version, which did not say, has fetched.

    ``doubted`` are posts that stay though the fetch lacked them for no known reason. ``unread`` is how many entries of
    Instagram's list could not be read; ``is_whole`` is False where the list broke off.

    ``leaving`` are the pictures of posts that have left, kept for pages that still show them. ``departed`` names those
    deleted with this fetch: whoever fetches next deletes them once more, in case the first time failed.

    ``revision`` grows with each change: it tells which of two is the newer one whatever the clocks were.
    ``clock_ahead``: see ``Media``.
    """

    profile: Profile
    posts: tuple[Post, ...]
    fetched_at: Moment
    rest_until: Moment | None = None
    departed: tuple[MediaId, ...] = ()
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

    def painted(self, colour_of: Callable[[Picture], str | None]) -> "FeedSnapshot":
        """The same with the colours that are known of its pictures."""
        return replace(self, posts=tuple(post.painted(colour_of) for post in self.posts))

    @property
    def picture_ids(self) -> frozenset[str]:
        return frozenset(picture.id for picture in self.pictures())

    @cached_property
    def version(self) -> str:
        """A short name that differs whenever anything in the snapshot does."""
        return fingerprint(self.to_text())
