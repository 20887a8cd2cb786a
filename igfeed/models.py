"""The nouns: frozen, pure, to and from JSON.

A ``from_json`` raises one of ``UNREADABLE`` on anything that ``to_json`` could not have written.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from igfeed.texts import clean

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)

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


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)


def _cleaned(data: Mapping[str, Any], *names: str) -> dict[str, str | None]:
    """These texts as an earlier version, which was less strict, may not have stored them."""
    return {name: None if data[name] is None else clean(data[name]) for name in names}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


@dataclass(frozen=True)
class Token:
    """An access token and its life. A time is None where nobody told us: such a token counts as old and due.

    ``predecessor`` is the token that this one has replaced, kept until this one has proved itself (see ``proven``).
    ``origin`` is the fingerprint of the token that a person gave and renewals have made this one of; None: it is that
    one. ``from_environment`` says how it was given. ``refused`` are the fingerprints of tokens and of lines that gave
    way to this one: Instagram rejected them while this one worked, or a changed variable replaced them. ``revision``
    grows each time that one token takes another one's place: of two that have refused each other, the later one counts.
    """

    value: str = field(repr=False)
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    predecessor: "Token | None" = field(default=None, repr=False)
    origin: str | None = None
    from_environment: bool = False
    refused: frozenset[str] = frozenset()
    revision: int = 0

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

    def is_renewable(self, now: datetime) -> bool:
        return self.renewable_at is None or now >= self.renewable_at

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def has_less_than(self, life: timedelta, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at - now < life

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
        return self.line == other.line and self._standing > other._standing

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
            revision=self.revision,
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

    def to_json(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "issued_at": _text(self.issued_at),
            "expires_at": _text(self.expires_at),
            "predecessor": self.predecessor.to_json() if self.predecessor else None,
            "origin": self.origin,
            "from_environment": self.from_environment,
            "refused": sorted(self.refused),
            "revision": self.revision,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Token":
        if not isinstance(data["value"], str) or not data["value"]:
            raise TypeError("a token is a text")
        return cls(
            value=data["value"],
            issued_at=_moment_or_none(data["issued_at"]),
            expires_at=_moment_or_none(data["expires_at"]),
            predecessor=cls.from_json(data["predecessor"]) if data["predecessor"] else None,
            origin=data["origin"],
            from_environment=data["from_environment"],
            refused=frozenset(data["refused"]),
            revision=int(data.get("revision", 0)),  # Version 1.0 wrote none.
        )


@dataclass(frozen=True)
class Trouble:
    """A task's last failure, kept until the task succeeds; no visitor's view tries again before ``until``.

    ``token`` is the fingerprint of the token it happened with (empty: with none), because another token is a reason
    to try at once. ``kind`` is the error's class name.
    """

    kind: str
    message: str
    hint: str
    at: datetime
    until: datetime
    token: str = ""
    failures: int = 1

    def pauses(self, token: str, now: datetime) -> bool:
        return now < self.until and token == self.token

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "at": _text(self.at), "until": _text(self.until)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Trouble":
        moments = {name: _moment(data[name]) for name in ("at", "until")}
        return cls(**{**data, **moments})


@dataclass(frozen=True)
class Renewal:
    """The last finished try to renew a token; ``trouble`` is None when it succeeded.

    ``attempt`` counts them, so that each next one has a claim of its own. ``token`` is the fingerprint of what came
    out of it.
    """

    attempt: int
    at: datetime
    token: str
    trouble: Trouble | None = None

    def to_json(self) -> dict[str, Any]:
        trouble = self.trouble.to_json() if self.trouble else None
        return {"attempt": self.attempt, "at": _text(self.at), "token": self.token, "trouble": trouble}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Renewal":
        return cls(
            attempt=int(data["attempt"]),
            at=_moment(data["at"]),
            token=data["token"],
            trouble=Trouble.from_json(data["trouble"]) if data["trouble"] else None,
        )


@dataclass(frozen=True)
class Profile:
    """Whose feed it is. Counts and texts are None where Instagram did not send them."""

    username: str
    name: str | None = None
    biography: str | None = None
    website: str | None = None
    picture_url: str | None = None
    media_count: int | None = None
    followers_count: int | None = None
    follows_count: int | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Profile":
        username = clean(data["username"])
        if username is None:
            raise ValueError("a profile without a user name")
        return cls(**{**data, **_cleaned(data, "name", "biography", "website"), "username": username})

    @property
    def picture(self) -> "Picture | None":
        """Named after the path of its address, for Instagram gives it no id: another picture has another path."""
        try:
            path = urlsplit(str(self.picture_url or "")).path
        except ValueError:
            return None
        number = int(hashlib.sha256(path.encode()).hexdigest()[:12], 16)
        return Picture(f"0_{number}", self.picture_url) if path else None


COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)


@dataclass(frozen=True)
class Picture:
    """One picture to look at: a post's own, that of one child of an album, or the account's.

    ``id`` is the media id, ``url`` where Instagram has it for some four days, None where it sent no picture.
    ``colour`` is its average such as ``#c9b79c``, None until the picture was kept.
    """

    id: str
    url: str | None = None
    video_url: str | None = None
    colour: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Picture":
        picture = cls(**data)
        if picture.colour is not None and not COLOUR.fullmatch(picture.colour):
            raise ValueError("no colour")  # It goes onto the page as it is.
        return picture


@dataclass(frozen=True)
class Post:
    """One post. ``media_type`` is IMAGE, VIDEO, CAROUSEL_ALBUM or something yet unknown."""

    picture: Picture
    media_type: str
    permalink: str | None = None
    timestamp: datetime | None = None
    caption: str | None = None
    alt_text: str | None = None
    product_type: str | None = None
    like_count: int | None = None
    comments_count: int | None = None
    children: tuple[Picture, ...] = ()

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

    def to_json(self) -> dict[str, Any]:
        return {
            **self.__dict__,
            "picture": vars(self.picture),
            "timestamp": _text(self.timestamp),
            "children": [vars(child) for child in self.children],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Post":
        parsed = {
            "picture": Picture.from_json(data["picture"]),
            "timestamp": _moment_or_none(data["timestamp"]),
            "children": tuple(Picture.from_json(child) for child in data["children"]),
        }
        return cls(**{**data, **_cleaned(data, "caption", "alt_text"), **parsed})


@dataclass(frozen=True)
class LeftOut:
    """An entry of Instagram's list that is no post of ours; ``id`` is None where not even that could be read."""

    id: str | None
    why: Literal["trial", "unreadable"]


@dataclass(frozen=True)
class Media:
    """What one reading of the account's media gave; ``rest`` is how long Instagram asks to be left alone.

    ``is_whole`` is False when the reading ended before the list did and before there were enough posts.
    """

    posts: tuple[Post, ...]
    rest: timedelta = timedelta()
    left_out: tuple[LeftOut, ...] = ()
    is_whole: bool = True


@dataclass(frozen=True)
class FeedSnapshot:
    """The feed as it was at ``fetched_at``: one document, replaced as a whole.

    ``rest_until`` is set when Instagram asked for a rest. ``departed`` names the pictures that left with this fetch:
    whoever fetches next deletes them once more, in case the first time failed.
    """

    profile: Profile
    posts: tuple[Post, ...]
    fetched_at: datetime
    rest_until: datetime | None = None
    departed: tuple[str, ...] = ()

    def pictures(self) -> Iterator[Picture]:
        if self.profile.picture:
            yield self.profile.picture
        for post in self.posts:
            yield from post.pictures()

    def picture(self, picture_id: str) -> Picture | None:
        return self._pictures_by_id.get(picture_id)

    @cached_property
    def _pictures_by_id(self) -> dict[str, Picture]:
        return {picture.id: picture for picture in self.pictures()}

    def painted(self, colour_of: Callable[[Picture], str | None]) -> "FeedSnapshot":
        """The same with the colours that are known of its pictures."""
        return replace(self, posts=tuple(post.painted(colour_of) for post in self.posts))

    @property
    def picture_ids(self) -> frozenset[str]:
        return frozenset(self._pictures_by_id)

    @cached_property
    def version(self) -> str:
        """A short name that differs whenever anything in the snapshot does."""
        return fingerprint(json.dumps(self.to_json()))

    def to_json(self) -> dict[str, Any]:
        return {
            "profile": vars(self.profile),
            "posts": [post.to_json() for post in self.posts],
            "fetched_at": _text(self.fetched_at),
            "rest_until": _text(self.rest_until),
            "departed": list(self.departed),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "FeedSnapshot":
        return cls(
            profile=Profile.from_json(data["profile"]),
            posts=tuple(Post.from_json(post) for post in data["posts"]),
            fetched_at=_moment(data["fetched_at"]),
            rest_until=_moment_or_none(data["rest_until"]),
            departed=tuple(data["departed"]),
        )
