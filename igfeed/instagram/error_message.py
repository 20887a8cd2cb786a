"""What Instagram says about an error, in its own words and without secrets.

Its sentences tell a typo from an expired token and a changed password from a token of Facebook's, which codes do not.
But some quote the token or the whole request. So each word must prove harmless before it goes on.
"""

import re
from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

LONGEST_SENTENCE = 240
LONG = re.compile(r"[!-~]{26}")
"""``instagram_business_basic`` has 24 characters, a token about 180. Some languages write without spaces."""

PIECE = 6
"""Characters in a row that a word may not share with a secret."""

CODED = re.compile(r"%[0-9a-f]{2}|&#|\\[ux]", re.IGNORECASE)
ADDRESS = re.compile(r"://|www\.|@|=|\":|[{}]", re.IGNORECASE)
"""An address, or a name with its value."""
TOKEN = re.compile(r"\b(IG|EA)[A-Z0-9]{2}|(?=[\w-]*\d)[\w-]{12,}")
"""What begins as tokens do, and what no word looks like: long, with a digit in it."""

LEFT_OUT = "…"


def sentence(error: dict[str, Any], secrets: Collection[str]) -> str | None:
    """What the error object says, for people if it has a text for them; None if nothing of it can be repeated."""
    said = error.get("error_user_msg") or error.get("message")
    if not isinstance(said, str):
        return None
    pieces = frozenset(piece for secret in secrets for piece in _pieces(secret))
    plain = normalize("NFKC", said[: 10 * LONGEST_SENTENCE])
    printable = "".join(character if character.isprintable() else " " for character in plain)
    words = (word if _is_harmless(word, pieces) else LEFT_OUT for word in printable.split())
    text = " ".join(word for word, same in groupby(words) for _ in ([1] if word == LEFT_OUT else same))
    if len(text) > LONGEST_SENTENCE:
        text = text[:LONGEST_SENTENCE].rpartition(" ")[0] + f" {LEFT_OUT}"
    return text if text.strip(f"{LEFT_OUT} ") else None


def _is_harmless(word: str, pieces: Collection[str]) -> bool:
    if LONG.search(word) or CODED.search(word) or ADDRESS.search(word) or TOKEN.search(word):
        return False
    return not any(piece in pieces for piece in _pieces(word))


def _pieces(text: str) -> Iterator[str]:
    """Every few letters and digits in a row, whatever case they are in and whatever stands between them."""
    plain = "".join(filter(str.isalnum, unquote(text))).casefold()
    yield from (plain[start : start + PIECE] for start in range(len(plain) - PIECE + 1))
