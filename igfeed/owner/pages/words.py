"""The words of the owner's pages, in one file for each language."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "translations"


class Words:
    """A table of words: ``words.token.title`` and ``words["token"]``. An unknown name raises KeyError."""

    __slots__ = ("_table",)

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table

    def __getitem__(self, name: str) -> Any:
        found = self._table[name]
        return Words(found) if isinstance(found, dict) else found

    def __getattr__(self, name: str) -> Any:
        # A KeyError and no AttributeError, because Jinja would print nothing instead of raising it. Python itself looks
        # for names with an underscore, and expects an AttributeError.
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def get(self, name: str | None) -> Any | None:
        return self[name] if name is not None and name in self._table else None


@cache  # A process reads a file when it shows the owner the first page.
def words_of(code: str) -> Words:
    """The words of the language with this code, one of ``config.LANGUAGES``."""
    own, english = (tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8")) for name in (code, "en"))
    # English where a translation lacks a text: a page with one English sentence is better than no page.
    return Words(_filled(own, english))


def _filled(own: Mapping[str, Any], english: Mapping[str, Any]) -> dict[str, Any]:
    """The tables with the texts that only ``english`` has."""
    both = {name: own.get(name, text) for name, text in english.items()}
    return {name: _filled(both[name], text) if isinstance(text, dict) else both[name] for name, text in english.items()}
