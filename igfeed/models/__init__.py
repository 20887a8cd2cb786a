"""The nouns: frozen, pure, to and from a JSON text."""

from igfeed.models.failure import Trouble
from igfeed.models.feed import FeedSnapshot, LeftOut, Media, Picture, Post, Profile, Since
from igfeed.models.token import Renewal, Token

__all__ = ["FeedSnapshot", "LeftOut", "Media", "Picture", "Post", "Profile", "Renewal", "Since", "Token", "Trouble"]
