"""Finds the hashtags and mentions in a caption, and their addresses on Instagram.

Only what is certain becomes a link: a wrong link leads to somebody else's account, a missing one does no harm.
"""

import re
from collections.abc import Iterator
from unicodedata import category, name
from urllib.parse import quote

from msgspec import Struct

from igfeed.texts.hashtags import word_at

INSTAGRAM = "https://www.instagram.com/"

USERNAME = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
"""Dots are inside only, so the full stop after a mention stays outside."""

MAX_USERNAME_LENGTH = 30

NO_LINK_AFTER = "_&/#@"
"""A sign after one of these begins no hashtag or mention: ``&#39;``, ``example.com/#top``, ``example.com/@name``."""


class Part(Struct, frozen=True):
    """A piece of a caption. ``address`` is the page of the hashtag or account, None for plain text."""

    text: str
    address: str | None = None


def caption_parts(caption: str) -> Iterator[Part]:
    """The caption in pieces. Their texts together are the caption."""
    end = 0
    for sign in re.finditer("[#@]", caption):
        start, begin = sign.span()
        # A tag may directly follow another one: "#one#two".
        if start > end and _is_inside_a_word(caption[start - 1]):
            continue
        word = _hashtag(caption, begin) if sign.group() == "#" else _username(caption, begin)
        if not word:
            continue
        if start > end:
            yield Part(caption[end:start])
        page = f"explore/tags/{quote(word, safe='')}/" if sign.group() == "#" else f"{word}/"
        end = begin + len(word)
        yield Part(caption[start:end], INSTAGRAM + page)
    if end < len(caption):
        yield Part(caption[end:])


def _is_inside_a_word(before: str) -> bool:
    """Whether a sign after this character belongs to a word, a mail address or a web address."""
    # Letters without upper and lower case (Lo) are of scripts that often put no space there: Japanese, Hebrew.
    return before in NO_LINK_AFTER or (before.isalnum() and category(before) != "Lo")


def _hashtag(caption: str, begin: int) -> str:
    """The hashtag that begins here. Empty without a letter: "#1" is a number."""
    word = word_at(caption, begin)
    # A word does not begin with a mark. In the emoji "#️⃣" two of them follow the sign.
    is_word = any(map(str.isalpha, word)) and not category(word[0]).startswith(("M", "C"))
    return word if is_word else ""


def _username(caption: str, begin: int) -> str:
    """The user name that begins here. Empty if it is none of Instagram's, or goes on as none does."""
    found = USERNAME.match(caption, begin)
    if not found or len(found.group()) > MAX_USERNAME_LENGTH or found.group().isdigit():
        return ""
    after = caption[found.end() : found.end() + 1] or " "
    # "@name@server.example" is an account elsewhere, and the name in "@münchen" does not end before its "ü". Japanese
    # or Arabic letters may follow a name without a space.
    goes_on = after == "@" or category(after).startswith("M") or name(after, "").startswith("LATIN")
    return "" if goes_on else found.group()
