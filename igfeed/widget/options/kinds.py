"""The kinds of values that an option takes. Each reads a text, and says in Markdown what it accepts."""

import re
from typing import Any, Protocol

from msgspec import Struct

from igfeed.texts.hashtags import folded

INTEGER = re.compile(r"[+-]?\d{1,4000}", re.ASCII)
"""Python refuses to convert more than 4300 digits, so a longer text is no number."""

COLOUR = re.compile(r"[0-9a-f]{3}|[0-9a-f]{6}", re.ASCII | re.IGNORECASE)


class Kind(Protocol):
    def parse(self, text: str) -> Any | None:
        """The value, or None if the text is none of this kind."""

    @property
    def values(self) -> str:
        """What an option of this kind takes, in Markdown."""


class Number(Struct, frozen=True):
    """A whole number. One that is out of range becomes the nearest in range."""

    least: int
    most: int

    def parse(self, text: str) -> int | None:
        return min(max(int(text), self.least), self.most) if INTEGER.fullmatch(text) else None

    @property
    def values(self) -> str:
        return f"{self.least} to {self.most}"


class Choice(Struct, frozen=True):
    choices: tuple[str, ...]

    def parse(self, text: str) -> str | None:
        return text if text in self.choices else None

    @property
    def values(self) -> str:
        return ", ".join(f"`{choice}`" for choice in self.choices)


class Switch(Struct, frozen=True):
    """``1`` for on, ``0`` for off."""

    def parse(self, text: str) -> bool | None:
        return {"0": False, "1": True}.get(text)

    @property
    def values(self) -> str:
        return "`0`, `1`"


class Colour(Struct, frozen=True):
    """A CSS hex colour of 3 or 6 digits without ``#``, or one of ``words``.

    The value has 6 digits in small letters, so that the two ways to write a colour share one cache key.
    """

    words: tuple[str, ...] = ()

    def parse(self, text: str) -> str | None:
        if text in self.words:
            return text
        if not COLOUR.fullmatch(text):
            return None
        digits = text.lower()
        return digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)  # noqa: PLR2004  as above

    @property
    def values(self) -> str:
        return ", ".join(["3 or 6 hex digits", *(f"`{word}`" for word in self.words)])


class Hashtag(Struct, frozen=True):
    """One hashtag without ``#``. The value is folded, because hashtags are compared without case."""

    def parse(self, text: str) -> str | None:
        return folded(text)

    @property
    def values(self) -> str:
        return "a hashtag without `#`"
