"""What a picture says to somebody who does not see it.

Instagram's own alternative text where the owner wrote one; else the beginning of the caption; else who made it, when.
"""

import re

from igfeed.models import Post
from igfeed.wording import WORDINGS, date

LONGEST = 125
"""Characters: about what screen readers read in one go."""

TAGS = re.compile(r"[#@][\w.]+")
SENTENCE = re.compile(r".+?[.!?…](?=\s|$)", re.DOTALL)
SPACES = re.compile(r"\s+")


def alt_text(post: Post, username: str, language: str) -> str:
    """Never empty."""
    return _line(post.alt_text or "") or _beginning(post.caption or "") or _who_and_when(post, username, language)


def excerpt(caption: str | None) -> str:
    """The caption on one line."""
    return _line(caption or "")


def _beginning(caption: str) -> str:
    """The caption's first sentence without hashtags and mentions, unless that leaves no word."""
    text = _line(TAGS.sub("", caption))
    first = SENTENCE.match(text)
    sentence = first.group() if first else text
    if not re.search(r"\w", sentence):
        return ""
    if len(sentence) <= LONGEST:
        return sentence
    return sentence[:LONGEST].rsplit(" ", 1)[0].rstrip(",;:-–— ") + "…"


def _who_and_when(post: Post, username: str, language: str) -> str:
    words = WORDINGS[language]
    text = (words.video if post.media_type == "VIDEO" else words.photo).format(name=username)
    if post.timestamp is None:
        return text
    return f"{text}, {date(post.timestamp, language)}"


def _line(text: str) -> str:
    return SPACES.sub(" ", text).strip()
