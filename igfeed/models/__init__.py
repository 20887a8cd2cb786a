"""The nouns: frozen, pure, to and from a JSON text."""

from igfeed.models.failure import Failure
from igfeed.models.feed import FeedSnapshot, LeftOut, Media, Picture, Post, Profile, Since
from igfeed.models.renewal import Renewal
from igfeed.models.token import Token

__all__ = ["Failure", "FeedSnapshot", "LeftOut", "Media", "Picture", "Post", "Profile", "Renewal", "Since", "Token"]
