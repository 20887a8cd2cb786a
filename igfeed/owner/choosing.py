"""Changes the owner's choices, for the studio and the command line.

A post is named by its media id, its shortcode or its address on Instagram. Each change returns the new choices, and
this process shows the feed by them at once. Call ``fill`` afterwards, after the answer if there is one: it fetches if
the feed has become too short.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from igfeed.errors import UnknownPost
from igfeed.feed.rules.arrangement import ListedPost
from igfeed.history import asked_by
from igfeed.models import Choices, FeedSnapshot, Post, PostLink, PostRules
from igfeed.models.choices import rule_hashtags
from igfeed.models.kept_posts import PostType
from igfeed.services import Services

Posts = Sequence[Post]
ChangeOfPosts = Callable[[Choices, Sequence[str], Posts], Choices]
"""Makes the next choices from those before, the ids of the posts that were named, and all kept posts."""

SHORTCODE = re.compile(r"/(?:p|reel|reels|tv)/([\w-]+)", re.ASCII)
"""In a post's address. The user name may come before it."""


def listed(services: Services) -> list[ListedPost]:
    """All kept posts, newest first, trial reels included, with the reasons why visitors do not see some.

    Raises StoreError. Empty if nothing was ever fetched.
    """
    services.check_startup()
    return services.feed.listed()


def hide(services: Services, names: Sequence[str]) -> Choices:
    """Hide these posts. Raises ChoiceRefused if one is unknown; then none of them is hidden. Raises StoreError."""
    return _change(services, lambda choices, ids, _: choices.hide(ids), names)


def show(services: Services, names: Sequence[str]) -> Choices:
    """Hide these posts no longer, and approve them. A rule may still exclude them. Raises as ``hide`` does."""
    return _change(services, lambda choices, ids, _: choices.show(ids), names)


def pin(services: Services, names: Sequence[str]) -> Choices:
    """Show these posts first. Raises as ``hide`` does, and ChoiceRefused if there would be more than three."""

    def pinned(choices: Choices, ids: Sequence[str], posts: Posts) -> Choices:
        # A pin of a post that is gone would take up one of the three places for ever.
        gone = set(choices.pinned).difference(post.id for post in posts)
        return choices.unpin(gone).pin(ids)

    return _change(services, pinned, names)


def unpin(services: Services, names: Sequence[str]) -> Choices:
    """Pin these posts no longer. Raises as ``hide`` does."""
    return _change(services, lambda choices, ids, _: choices.unpin(ids), names)


def approve(services: Services, names: Sequence[str]) -> Choices:
    """Show these posts although new posts need approval. Raises as ``hide`` does."""
    return _change(services, lambda choices, ids, _: choices.approve(ids), names)


def set_link(services: Services, name: str, url: str, label: str = "") -> Choices:
    """Give the post a button to ``url``. An empty ``url`` removes it. An empty ``label`` means the page's own words.

    Raises ChoiceRefused if the post is unknown, the address does not begin with https:// or the label is too long.
    """

    def linked(choices: Choices, ids: Sequence[str], _: Posts) -> Choices:
        if not url.strip():
            return choices.without_link(ids[0])
        return choices.with_link(PostLink.checked(ids[0], url, label))

    return _change(services, linked, [name])


def set_look(services: Services, look: str) -> Choices:
    """Let embeds have these options where their own query names none. An empty ``look`` restores the defaults.

    Raises StoreError.
    """
    services.check_startup()
    return services.feed.choose(lambda choices, _: replace(choices, look=look))


def set_rules(
    services: Services,
    *,
    types: Sequence[PostType] = (),
    with_hashtags: Sequence[str] = (),
    without_hashtags: Sequence[str] = (),
    approve_new: bool = False,
) -> Choices:
    """Put these rules in place of the rules before. Hashtags may have their ``#``.

    With ``approve_new``, posts that are published from now on are shown only after ``approve``. The posts that are
    kept already count as approved. Raises ChoiceRefused if a text is no hashtag. Raises StoreError.
    """
    services.check_startup()
    rules = PostRules(tuple(types), rule_hashtags(with_hashtags), rule_hashtags(without_hashtags))
    now = services.clock()

    def ruled(choices: Choices, snapshot: FeedSnapshot | None) -> Choices:
        if not approve_new:
            return replace(choices, rules=rules)
        if choices.rules.approve_after:
            return replace(choices, rules=replace(rules, approve_after=choices.rules.approve_after))
        known = choices.approve(post.id for post in snapshot.posts) if snapshot else choices
        return replace(known, rules=replace(rules, approve_after=now))

    return services.feed.choose(ruled)


def fill(services: Services) -> None:
    """Fetch if the feed shows fewer posts than it may and Instagram may have more. Never raises."""
    with asked_by("owner"):
        services.feed.fill()


def _change(services: Services, change: ChangeOfPosts, names: Sequence[str]) -> Choices:
    def changed(choices: Choices, snapshot: FeedSnapshot | None) -> Choices:
        posts = (*snapshot.posts, *snapshot.trials) if snapshot else ()
        return change(choices, [_id(name, posts, choices) for name in names], posts)

    services.check_startup()
    return services.feed.choose(changed)


def _id(name: str, posts: Posts, choices: Choices) -> str:
    found = next((post.id for post in posts if is_named(post, name)), None)
    if found is None and name.strip() in (*choices.hidden, *choices.pinned):
        return name.strip()  # The post has left the feed, but the choice can still be taken back.
    if found is None:
        raise UnknownPost("The feed has no such post.")
    return found


def is_named(post: Post, name: str) -> bool:
    """Whether this is the post's media id, its shortcode or its address on Instagram."""
    name = name.strip()
    return name == post.id or (shortcode(name) or name) == shortcode(post.permalink or "")


def shortcode(address: str) -> str | None:
    """The shortcode in a post's address on Instagram, None if it has none."""
    match = SHORTCODE.search(address)
    return match[1] if match else None
