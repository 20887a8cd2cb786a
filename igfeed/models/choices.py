"""What the owner has chosen about the posts and their look."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Self
from urllib.parse import urlsplit

from msgspec import Meta

from igfeed.errors import ChoiceRefused
from igfeed.models.kept_posts import PostType
from igfeed.models.record import Count, MediaId, Moment, Record
from igfeed.texts.cleaning import clean
from igfeed.texts.hashtags import folded

MAX_PINNED = 3
"""As on Instagram."""

MAX_APPROVED = 1000
"""How many approved posts are remembered. Earlier ones have left the feed long ago."""

LINK = r"^https://[^\s/?#\\@]+([/?#]\S*)?\Z"
"""A whole address. A name before the host (``https://shop.example@elsewhere.example``) would mislead visitors."""
MAX_LINK_LENGTH = 2000
MAX_LABEL_LENGTH = 40
"""Characters: a button has one line on a phone."""


MAX_LOOK_LENGTH = 2000
"""Characters: a hashtag of 100 letters, each as four bytes in percent-encoding, and 300 for all else."""


@dataclass(frozen=True)
class PostLink:
    """The owner's link for one post, such as to a shop. ``label`` is None for the page's own words."""

    id: MediaId
    url: Annotated[str, Meta(pattern=LINK, max_length=MAX_LINK_LENGTH)]
    label: Annotated[str, Meta(max_length=MAX_LABEL_LENGTH)] | None = None

    @classmethod
    def checked(cls, post_id: str, url: str, label: str | None) -> Self:
        """The link, after its address and label were checked. Raises ChoiceRefused."""
        url, label = url.strip(), clean(label or "")
        if not re.match(LINK, url) or len(url) > MAX_LINK_LENGTH or not _can_be_followed(url):
            raise ChoiceRefused("This is no address that begins with https://.", "Copy it from the browser.")
        if label and len(label) > MAX_LABEL_LENGTH:
            raise ChoiceRefused(f"The button's text is longer than {MAX_LABEL_LENGTH} characters.", "Shorten it.")
        return cls(post_id, url, label or None)


@dataclass(frozen=True)
class PostRules:
    """Which posts are shown, apart from those that the owner has hidden or pinned. An empty field excludes no post.

    Only posts of ``types`` are shown, with at least one of ``with_hashtags`` and none of ``without_hashtags``. The
    hashtags are folded. Posts published after ``approve_after`` are shown only once they are approved.
    """

    types: tuple[PostType, ...] = ()
    with_hashtags: tuple[str, ...] = ()
    without_hashtags: tuple[str, ...] = ()
    approve_after: Moment | None = None


@dataclass(frozen=True)
class Choices(Record):
    """One document for each account. Each method returns a changed copy. Whoever stores it increases ``revision``.

    ``pinned`` are in the order in which they are shown. A post is never both hidden and pinned.
    ``approved`` are the posts that may be shown although they are new, the latest last. ``look`` is the query string
    that an embed has where its own says nothing.
    """

    revision: Count = 0
    hidden: tuple[MediaId, ...] = ()
    pinned: Annotated[tuple[MediaId, ...], Meta(max_length=MAX_PINNED)] = ()
    approved: tuple[MediaId, ...] = ()
    links: tuple[PostLink, ...] = ()
    rules: PostRules = PostRules()
    look: Annotated[str, Meta(max_length=MAX_LOOK_LENGTH)] = ""

    def hide(self, ids: Iterable[str]) -> Self:
        chosen = _distinct(ids)
        return replace(self, hidden=_added(self.hidden, chosen), pinned=_without(self.pinned, chosen))

    def show(self, ids: Iterable[str]) -> Self:
        """Hide these posts no longer, and approve them. A rule may still exclude them."""
        chosen = _distinct(ids)
        return replace(self.approve(chosen), hidden=_without(self.hidden, chosen))

    def pin(self, ids: Iterable[str]) -> Self:
        """Pin these posts, after those that are pinned already. Raises ChoiceRefused if there are too many."""
        chosen = _distinct(ids)
        pinned = _added(self.pinned, chosen)
        if len(pinned) > MAX_PINNED:
            raise ChoiceRefused(f"Up to {MAX_PINNED} posts can be pinned.", "Unpin another one first.")
        return replace(self, pinned=pinned, hidden=_without(self.hidden, chosen))

    def unpin(self, ids: Iterable[str]) -> Self:
        return replace(self, pinned=_without(self.pinned, _distinct(ids)))

    def approve(self, ids: Iterable[str]) -> Self:
        return replace(self, approved=_added(self.approved, _distinct(ids))[-MAX_APPROVED:])

    def with_link(self, link: PostLink) -> Self:
        """Set this link in place of the post's link before."""
        return replace(self, links=(*self.without_link(link.id).links, link))

    def without_link(self, post_id: str) -> Self:
        return replace(self, links=tuple(each for each in self.links if each.id != post_id))

    def link_of(self, post_id: str) -> PostLink | None:
        return next((each for each in self.links if each.id == post_id), None)


NO_CHOICES = Choices()


def rule_hashtags(texts: Iterable[str]) -> tuple[str, ...]:
    """The hashtags, folded as rules have them. Each text may have its ``#``. Empty texts are left out.

    Raises ChoiceRefused if a text is no hashtag.
    """
    found = []
    for text in filter(None, (each.strip() for each in texts)):
        hashtag = folded(text.removeprefix("#"))
        if hashtag is None:
            raise ChoiceRefused(f"{text[:MAX_LABEL_LENGTH]} is no hashtag.", "A hashtag is one word, such as #bread.")
        found.append(hashtag)
    return tuple(dict.fromkeys(found))


def _can_be_followed(url: str) -> bool:
    """Whether browsers, and the redirect of ``/go``, can read the address: its host, its port, its characters."""
    try:
        parts = urlsplit(url)
        # The number of a port is only checked when it is asked for.
        return bool((parts.hostname or "").encode("idna")) and parts.port != 0 and url.isprintable()
    except ValueError:  # UnicodeError is one too: a label is empty or too long.
        return False


def _distinct(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


def _added(known: tuple[str, ...], ids: tuple[str, ...]) -> tuple[str, ...]:
    return (*known, *(each for each in ids if each not in known))


def _without(known: tuple[str, ...], ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in known if each not in ids)
