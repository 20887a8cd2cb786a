"""Instagram's own sentence about an error, without secrets.

Only the sentence shows whether a token is mistyped or expired, or whether the password was changed or the token is one
of Facebook's login: the codes do not. But some sentences quote the token or the whole request. So only words that
are harmless are repeated.
"""

import re
from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

MAX_SENTENCE_LENGTH = 240
LONG_WORD = re.compile(r"[!-~]{26}")
"""A word of this length may be a token. A token has about 180 characters; ``instagram_business_basic`` has only 24. The
pattern is for ASCII, because some languages write without spaces."""

PIECE_LENGTH = 6
"""A word is left out if it shares a run of this many letters and digits with one of the secrets."""

ENCODED = re.compile(r"%[0-9a-f]{2}|&#|\\[ux]", re.IGNORECASE)
ADDRESS = re.compile(r"://|www\.|@|=|\":|[{}]", re.IGNORECASE)
"""A URL or mail address, or a name with its value."""
TOKEN = re.compile(r"\b(IG|EA)[A-Z0-9]{2}|(?=[\w-]*\d)[\w-]{12,}")
"""A word that begins as tokens do, or that is long and has a digit in it."""

ELLIPSIS = "…"


def sentence(error: dict[str, Any], secrets: Collection[str]) -> str | None:
    """The error object's sentence: the one meant for users if there is one. None if nothing of it can be repeated.

    ``secrets`` are the secrets that the request was sent with. An ellipsis replaces the words that are left out.
    """
    said = error.get("error_user_msg") or error.get("message")
    if not isinstance(said, str):
        return None
    pieces = frozenset(piece for secret in secrets for piece in _pieces(secret))
    # NFKC turns lookalikes such as full-width letters into ASCII, so that the patterns find them.
    plain = normalize("NFKC", said[: 10 * MAX_SENTENCE_LENGTH])
    printable = "".join(character if character.isprintable() else " " for character in plain)
    words = (word if _is_harmless(word, pieces) else ELLIPSIS for word in printable.split())
    # Several words left out in a row become one ellipsis.
    text = " ".join(word for word, same in groupby(words) for _ in ([1] if word == ELLIPSIS else same))
    if len(text) > MAX_SENTENCE_LENGTH:
        text = text[:MAX_SENTENCE_LENGTH].rpartition(" ")[0] + f" {ELLIPSIS}"
    return text if text.strip(f"{ELLIPSIS} ") else None


def _is_harmless(word: str, pieces: Collection[str]) -> bool:
    if LONG_WORD.search(word) or ENCODED.search(word) or ADDRESS.search(word) or TOKEN.search(word):
        return False
    return not any(piece in pieces for piece in _pieces(word))


def _pieces(text: str) -> Iterator[str]:
    """Every run of PIECE_LENGTH letters and digits. Case and other characters between them are ignored."""
    plain = "".join(filter(str.isalnum, unquote(text))).casefold()
    yield from (plain[start : start + PIECE_LENGTH] for start in range(len(plain) - PIECE_LENGTH + 1))
