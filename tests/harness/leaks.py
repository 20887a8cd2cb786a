"""Finds leaked secrets: it takes in all that the app lets out and says where a secret is in it.

A secret counts as leaked when twelve characters of it, in a row, are found: plain, or encoded as programs encode texts.
A leak is named by its place and the kind of secret, never by its value.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import traceback
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from igfeed.services import Services

PIECE = 12
"""Characters of a secret that are too many to be there by chance."""

PART = PIECE // 2
"""A piece that stands anywhere in a text fills at least one of the text's parts of this length, side by side."""

LINE_BREAK = r"\n|\\n"
"""As it is, and as programs write it. No secret has one, and most lines come many times: each is looked at once."""


def told_by(error: BaseException | None) -> str:
    """All that a log or a crash reporter could learn from an error and from its causes, suppressed ones included."""
    if error is None:
        return ""
    printed = "".join(traceback.format_exception(error))
    own = f"{error} {error!r} {error.args} {vars(error)} {printed}"
    return own + told_by(error.__cause__) + told_by(error.__context__)


def disguises(secret: str) -> Iterator[str]:
    """The secret as it is, and as programs write it."""
    plain = secret.encode()
    yield from (secret, plain.decode("latin-1"), plain.hex(), quote(secret, safe=""), html.escape(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret)[1:-1].replace("/", "\\/"), repr(secret)[1:-1])
    yield repr(plain)[2:-1]
    for before in range(3):  # Base64 takes three bytes at once, so what stands before the secret shifts it.
        whole = base64.b64encode(bytes(before) + plain)
        own = whole[(before * 8 + 5) // 6 : -1].rstrip(b"=").decode()
        yield from (own, own.replace("+", "-").replace("/", "_"))


class LeakFinder:
    """``secrets`` by their values, each with its kind; what was looked at by its place."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self._seen: dict[str, set[tuple[str, str]]] = defaultdict(set)

    def protect(self, kind: str, *secrets: str) -> None:
        """These must not be found anywhere from the beginning to the end of the finder."""
        self.secrets |= dict.fromkeys(secrets, kind)

    def look_at(self, place: str, what: str, *texts: object) -> None:
        """Take in texts that were let out at this place by something that ``what`` names."""
        self._seen[place].update((what, str(text)) for text in texts)

    def look_at_answer(self, place: str, path: str, answer: TestResponse) -> None:
        self.look_at(place, path, answer.status, answer.get_data().decode("latin-1"))
        self.look_at("headers", path, *answer.headers.items())

    def look_at_error(self, what: str, error: BaseException) -> None:
        self.look_at("exceptions", what, told_by(error))

    def look_into(self, services: Services) -> None:
        """The ``repr`` of every object of ours that can be reached from the services."""
        for each in _ours_within(services):
            self.look_at("reprs", type(each).__name__, repr(each))

    @property
    def places(self) -> set[str]:
        """Where there was really something to look at."""
        return {place for place, seen in self._seen.items() if any(text for _, text in seen)}

    def found(self) -> list[str]:
        """Every place where a secret was found, in words that do not repeat it."""
        texts = [(disguised, kind) for secret, kind in self.secrets.items() for disguised in disguises(secret)]
        pieces = {piece: kind for text, kind in texts for piece in _windows(text, PIECE)}
        parts = {part for text, _ in texts for part in _windows(text, PART)}
        sources: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for place, seen in self._seen.items():
            for what, text in seen:
                for line in re.split(LINE_BREAK, text):
                    sources[line].add((place, what))  # Many lines come from several places; each is searched once.
        return sorted(
            {
                f"{pieces[piece]} in {place} of {what}"
                for line, origins in sources.items()
                if not parts.isdisjoint(_windows(line, PART, step=PART))
                for piece in pieces.keys() & _windows(line, PIECE)
                for place, what in origins
            }
        )

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take in all that is logged by anybody at any level, meanwhile withheld from other ears: tests' too."""
        root = logging.getLogger()
        levels, handlers = {each: each.level for each in _loggers()}, root.handlers[:]
        root.handlers[:] = [_Ear(self)]
        turn_up()
        try:
            yield
        finally:
            root.handlers[:] = handlers
            for each, level in levels.items():
                each.setLevel(level)


def turn_up() -> None:
    """Let every logger say all it can, whatever the app has told it."""
    for each in _loggers():
        each.setLevel(logging.DEBUG)


def _loggers() -> list[logging.Logger]:
    named = logging.Logger.manager.loggerDict.values()
    return [logging.getLogger(), *(each for each in named if isinstance(each, logging.Logger))]


class _Ear(logging.Handler):
    """Takes in the line as it is printed, and the record as a collector of logs would get it."""

    def __init__(self, finder: LeakFinder) -> None:
        super().__init__(logging.DEBUG)
        self._finder = finder

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._finder.look_at("logs", record.name, self.format(record), record.msg, record.args, told_by(error))


def _windows(text: str, length: int, step: int = 1) -> list[str]:
    """Every part of the text that is so long and begins at a multiple of ``step``."""
    return [text[start : start + length] for start in range(0, len(text) - length + 1, step)]


def _ours_within(root: object) -> Iterator[object]:
    """The object and what it consists of, as far as it is made of our own classes."""
    waiting, seen = [root], {id(root)}
    while waiting:
        each = waiting.pop()
        if type(each).__module__.startswith("igfeed"):
            yield each
            fields = (getattr(each, name) for name in getattr(each, "__struct_fields__", ()))
            parts: Collection[object] = [*getattr(each, "__dict__", {}).values(), *fields]
        elif isinstance(each, dict):
            parts = each.values()
        else:
            parts = each if isinstance(each, list | tuple | set | frozenset) else ()
        for part in parts:
            if id(part) not in seen:
                seen.add(id(part))
                waiting.append(part)
