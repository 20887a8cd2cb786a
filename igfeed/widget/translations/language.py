"""A language as its file describes it."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

FOLDER = Path(__file__).parent


class Plural(Struct, frozen=True):
    """A noun behind the number one, and behind any other number."""

    one: str
    other: str

    def after(self, number: int) -> str:
        return self.one if number == 1 else self.other


class Numbers(Struct, frozen=True):
    """Groups of three digits, in numbers with at least ``separated_from_digits`` digits (CLDR 48)."""

    thousands_separator: str
    separated_from_digits: int


class Dates(Struct, frozen=True):
    """``format`` has ``{day}``, ``{month}`` and ``{year}`` in it."""

    format: str
    months: list[str]


class Words(Struct, frozen=True):
    """``page_title``, ``photo_by`` and ``video_by`` have ``{name}`` in them, ``last_updated`` has ``{date}``."""

    page_title: str
    posts: Plural
    followers: Plural
    likes: Plural
    comments: Plural
    follow_on_instagram: str
    newer_posts: str
    older_posts: str
    page_navigation: str
    no_posts_yet: str
    last_updated: str
    photo_by: str
    video_by: str
    album_badge: str
    video_badge: str
    reel_badge: str
    learn_more: str
    view_on_instagram: str
    opens_on_instagram: str
    close: str
    previous_post: str
    next_post: str
    previous_slide: str
    next_slide: str
    play_from_instagram: str
    video_unavailable: str
    feed_not_ready: str
    come_back_later: str
    link_for_owner: str
    page_not_found: str
    see_posts: str


class Language(Struct, frozen=True):
    numbers: Numbers
    dates: Dates
    words: Words

    def number(self, number: int) -> str:
        """For example ``12,840`` in English and ``12.840`` in German."""
        if len(str(abs(number))) < self.numbers.separated_from_digits:
            return str(number)
        return f"{number:,}".replace(",", self.numbers.thousands_separator)

    def date(self, moment: datetime) -> str:
        """The day, for example ``3 May 2026``."""
        month = self.dates.months[moment.month - 1]
        return self.dates.format.format(day=moment.day, month=month, year=moment.year)


@cache  # A file is read when the first page in its language is rendered: most processes need one of seven.
def language_of(code: str) -> Language:
    """The language with this code, one of ``config.LANGUAGES``. Raises ValueError if its file is not as it must be."""
    return read_language(FOLDER / f"{code}.toml")


def read_language(path: Path) -> Language:
    """Raises ValueError with the names of the file and of the missing, unknown or wrong key."""
    found: Language = read_words(Language, path)
    return found


def read_words(kind: Any, path: Path) -> Any:
    """A file of words as the struct ``kind``. Raises ValueError as ``read_language`` does."""
    try:
        return _read(kind, tomllib.loads(path.read_text("utf-8")), "")
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def _read(kind: Any, table: Mapping[str, Any], prefix: str) -> Any:
    """The struct ``kind`` from a table with a key for each of its fields. ``prefix`` is where the table stands."""
    kinds = {field.name: field.type for field in fields(kind)}
    for name in [*kinds, *table]:
        if name not in table:
            raise ValueError(f"{prefix}{name} is missing")
        if name not in kinds:
            raise ValueError(f"{prefix}{name} is unknown")
    return kind(**{name: _value(kinds[name], table[name], f"{prefix}{name}") for name in kinds})


def _value(kind: Any, value: Any, name: str) -> Any:
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, Struct):
        return _read(kind, value, f"{name}.")
    if kind == list[str]:
        is_right = isinstance(value, list) and all(isinstance(each, str) for each in value)
    else:
        is_right = type(value) is kind  # `isinstance` would take `true` for a number.
    if not is_right or value == "":
        raise ValueError(f"{name} is {value!r}, which is of another kind or empty")
    return value
