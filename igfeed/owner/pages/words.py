"""The words of the owner's pages: one file for each language, as a tree of tables."""

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
        # A KeyError, as Jinja prints nothing in place of what raises AttributeError. Other names belong to Python.
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def get(self, name: str | None) -> Any | None:
        return self[name] if name is not None and name in self._table else None


@cache  # A file is read with the first page of the owner's in a process.
def words_of(code: str) -> Words:
    """The words of the language with this code, one of ``config.LANGUAGES``."""
    path = FOLDER / f"{code}.toml"
    return Words(tomllib.loads((path if path.exists() else FOLDER / "en.toml").read_text("utf-8")))
