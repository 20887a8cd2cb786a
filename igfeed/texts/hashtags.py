"""The hashtags of a caption, as one compares them: without case."""

import re
from unicodedata import category, normalize

MAX_HASHTAG_LENGTH = 100
"""Characters. Instagram's own limit is not documented; longer ones are not seen."""

JOINERS = "\u200c\u200d"
"""The zero-width joiners. They stand inside of words in Persian and in many languages of India."""


def folded(hashtag: str) -> str | None:
    """The hashtag (without ``#``) in the form that is compared. None if the text is no hashtag."""
    # Twice, because `casefold` may take apart a letter that the first normalization has put together.
    same = normalize("NFC", normalize("NFC", hashtag).casefold())
    is_hashtag = all(map(_is_of_a_hashtag, same)) and any(map(str.isalpha, same))
    return same if is_hashtag and len(same) <= MAX_HASHTAG_LENGTH else None


def hashtags(caption: str) -> frozenset[str]:
    """The hashtags of a caption, folded."""
    found = (folded(word_at(caption, sign.end())) for sign in re.finditer("#", caption))
    return frozenset(filter(None, found))


def word_at(caption: str, begin: int) -> str:
    """The letters, marks, digits and underscores from ``begin`` on. May be empty."""
    end = next((place for place in range(begin, len(caption)) if not _is_of_a_hashtag(caption[place])), len(caption))
    return caption[begin:end].rstrip(JOINERS)


def _is_of_a_hashtag(letter: str) -> bool:
    # `\w` of regular expressions lacks the marks, without which a Hindi word would end at its first vowel sign.
    return letter.isalnum() or letter == "_" or letter in JOINERS or category(letter).startswith("M")
