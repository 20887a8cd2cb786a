"""What a visitor may ask of the grid, in a query string.

Unknown names and bad values are ignored, numbers are clamped: a link that somebody wrote years ago still shows the
feed, and only what has a meaning reaches a cache key.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, astuple, dataclass, replace
from functools import cache, cached_property, lru_cache
from math import ceil
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from igfeed.widget.views import View

RATIOS = {"square": (1, 1), "portrait": (4, 5), "tall": (3, 4)}
THEMES = ("auto", "light", "dark")
LAYOUTS = ("grid", "carousel")
OPENINGS = ("lightbox", "instagram")
DEFAULT_LIMIT = 12

PEEK = 0.3
"""How much of one more tile a carousel shows, as a hint that there are more."""


@dataclass(frozen=True)
class Options:
    """The contract's options. ``columns`` None means as many as fit; ``gap`` and ``radius`` are in pixels."""

    limit: int = DEFAULT_LIMIT
    page: int = 1
    columns: int | None = None
    gap: int = 4
    radius: int = 0
    ratio: str = "square"
    theme: str = "auto"
    layout: str = "grid"
    header: bool = False
    captions: bool = False
    open: str = "lightbox"

    MOST_PAGES: ClassVar[int] = 1000

    @classmethod
    def from_query(cls, query: Mapping[str, str], defaults: "Options", most_posts: int) -> "Options":
        """``defaults`` with what the query asks for."""
        asked = {
            "limit": _number(query.get("limit"), 1, most_posts),
            "page": _number(query.get("page"), 1, cls.MOST_PAGES),
            "columns": _number(query.get("columns"), 1, 8),
            "gap": _number(query.get("gap"), 0, 48),
            "radius": _number(query.get("radius"), 0, 48),
            "ratio": _choice(query.get("ratio"), RATIOS),
            "theme": _choice(query.get("theme"), THEMES),
            "layout": _choice(query.get("layout"), LAYOUTS),
            "header": _switch(query.get("header")),
            "captions": _switch(query.get("captions")),
            "open": _choice(query.get("open"), OPENINGS),
        }
        given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        return replace(defaults, **given)

    def within(self, posts: int) -> "Options":
        """What shows the same of a feed of so many posts: no more of them on a page, and no page beyond the last."""
        limit = min(self.limit, max(1, posts))
        page = min(self.page, max(1, ceil(posts / limit)))
        return self if (limit, page) == (self.limit, self.page) else replace(self, limit=limit, page=page)

    def query(self, defaults: "Options", page: int) -> str:
        """The query string that asks for another page of the same; empty when that is the default."""
        usual, asked = asdict(defaults), asdict(replace(self, page=page))
        different = {name: value for name, value in asked.items() if value != usual[name]}
        return urlencode({name: int(value) if isinstance(value, bool) else value for name, value in different.items()})

    @cached_property
    def key(self) -> str:
        """Equal for equal options, and short."""
        return "-".join(str(value) for value in astuple(self))

    @property
    def width(self) -> int:
        """Of a tile, in the units of ``height``."""
        return RATIOS[self.ratio][0]

    @property
    def height(self) -> int:
        return RATIOS[self.ratio][1]


@cache
def usual(view: View, most_posts: int) -> Options:
    """What that view shows unless the query says otherwise."""
    return Options(limit=min(DEFAULT_LIMIT, most_posts), header=view.has_header)


@lru_cache(maxsize=200)
def asked_for(query_string: str, view: View, most_posts: int) -> Options:
    """What a query string asks for, the first of each name; as WSGI has it, whatever bytes it was made of."""
    pairs = parse_qsl(query_string.encode("latin-1").decode("utf-8", "replace"))
    return Options.from_query(dict(reversed(pairs)), usual(view, most_posts), most_posts)


def _number(text: str | None, least: int, most: int) -> int | None:
    if text is None or not re.fullmatch(r"[+-]?\d{1,4000}", text, re.ASCII):
        return None
    return min(max(int(text), least), most)


def _choice(text: str | None, choices: Collection[str]) -> str | None:
    return text if text in choices else None


def _switch(text: str | None) -> bool | None:
    return {"0": False, "1": True}.get(text or "")
