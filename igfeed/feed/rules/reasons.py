"""Why a post is not shown."""

from typing import Literal

from msgspec import Struct

from igfeed.models import Choices, KeptPost, Post, PostRules
from igfeed.models.kept_posts import PostType

ReasonKind = Literal["trial", "hidden", "approval", "type", "lacks_hashtags", "has_hashtags", "older"]


class Reason(Struct, frozen=True):
    """``str(reason)`` says it in English.

    ``hashtags`` are those that the post lacks or has, by the kind. ``type`` is the post's type, for the kind ``type``.
    An ``older`` post is beyond the number of posts that are shown.
    """

    kind: ReasonKind
    hashtags: tuple[str, ...] = ()
    type: PostType | None = None

    def __str__(self) -> str:
        words = f"{', '.join('#' + each for each in self.hashtags)}{self.type or ''}"
        return {
            "trial": "trial reel",
            "hidden": "hidden by you",
            "approval": "not approved yet",
            "type": f"no {words}s",
            "lacks_hashtags": f"no {words}",
            "has_hashtags": f"has {words}",
            "older": "older than those shown",
        }[self.kind]


def reason_for(post: Post, choices: Choices) -> Reason | None:
    """Why visitors do not see the post, None if they see it. No rule applies to a pinned post."""
    if post.id in choices.hidden:
        return Reason("hidden")
    if post.id in choices.pinned:
        return None
    if _waits_for_approval(post, choices):
        return Reason("approval")
    return _reason_by_rules(post, choices.rules)


def _waits_for_approval(post: Post, choices: Choices) -> bool:
    after = choices.rules.approve_after
    if after is None or post.id in choices.approved:
        return False
    # A post without a time may be new, and a wrong guess would show what the owner has not seen.
    return post.timestamp is None or post.timestamp > after


def _reason_by_rules(post: Post, rules: PostRules) -> Reason | None:
    if not (rules.types or rules.with_hashtags or rules.without_hashtags):
        return None  # Before the caption is searched for hashtags, which takes the longest.
    kept = KeptPost.of(post.media_type, post.caption)
    if rules.types and kept.type not in rules.types:
        return Reason("type", type=kept.type)
    if unwanted := tuple(each for each in rules.without_hashtags if each in kept.hashtags):
        return Reason("has_hashtags", unwanted)
    if rules.with_hashtags and not kept.hashtags.intersection(rules.with_hashtags):
        return Reason("lacks_hashtags", rules.with_hashtags)
    return None
