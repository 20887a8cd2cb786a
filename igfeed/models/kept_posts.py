"""What visitors can choose posts by: the type of each kept post and its hashtags."""

from typing import Literal, NamedTuple, Self

from igfeed.texts.hashtags import hashtags

PostType = Literal["photo", "video", "album"]

POST_TYPES: dict[str, PostType] = {"VIDEO": "video", "CAROUSEL_ALBUM": "album"}
"""By Instagram's name. Every other one is a photo."""


class KeptPost(NamedTuple):
    """The hashtags are folded: see ``igfeed.texts.hashtags``."""

    type: PostType
    hashtags: frozenset[str]

    @classmethod
    def of(cls, media_type: str, caption: str | None) -> Self:
        return cls(POST_TYPES.get(media_type, "photo"), hashtags(caption or ""))


KeptPosts = tuple[KeptPost, ...]
"""In the order of the snapshot's posts, newest first."""
