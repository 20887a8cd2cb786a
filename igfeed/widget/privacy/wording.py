"""The words of the privacy page and of the page about a deletion: one file for each language."""

from functools import cache
from pathlib import Path

from msgspec import Struct

from igfeed.widget.translations.language import read_words

FOLDER = Path(__file__).parent / "translations"


class Section(Struct, frozen=True):
    heading: str
    paragraphs: list[str]


class PrivacyWords(Struct, frozen=True):
    """``{name}`` in the paragraphs stands for the account's name."""

    title: str
    somebody: str
    """In place of a name that is not known."""
    about: str
    visitors: Section
    stored: Section
    removal: Section
    contact: str


class DeletionWords(Struct, frozen=True):
    """``deleted`` has ``{date}`` in it."""

    deleted_heading: str
    deleted: str
    caches: str
    nothing_heading: str
    nothing: str
    unknown_heading: str
    unknown: str
    not_readable_heading: str
    not_readable: str
    code: str


class Wording(Struct, frozen=True):
    privacy: PrivacyWords
    deletion: DeletionWords


@cache  # A file is read when one of the two pages is asked for.
def wording_of(language: str) -> Wording:
    """The words in the language with this code, one of ``config.LANGUAGES``."""
    found: Wording = read_words(Wording, FOLDER / f"{language}.toml")
    return found
