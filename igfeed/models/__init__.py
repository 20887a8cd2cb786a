"""The nouns: frozen, pure, to and from a JSON text."""

from igfeed.models.choices import Choices, PostLink, PostRules
from igfeed.models.failure import Failure
from igfeed.models.feed import DatedId, FeedSnapshot, Media, Post, Profile, SkippedEntry
from igfeed.models.kept_posts import KeptPost, KeptPosts
from igfeed.models.picture import AlbumPicture, Measures, Picture, Portrait
from igfeed.models.renewal import Renewal
from igfeed.models.token import Token

__all__ = [
    "AlbumPicture",
    "Choices",
    "DatedId",
    "Failure",
    "FeedSnapshot",
    "KeptPost",
    "KeptPosts",
    "Measures",
    "Media",
    "Picture",
    "Portrait",
    "Post",
    "PostLink",
    "PostRules",
    "Profile",
    "Renewal",
    "SkippedEntry",
    "Token",
]
