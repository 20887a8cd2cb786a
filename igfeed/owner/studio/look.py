"""The studio's builder: makes controls and snippets from the options that the owner has chosen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import floor
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from markupsafe import Markup

from igfeed.models import Profile
from igfeed.widget.options import Options, default_options
from igfeed.widget.options.kinds import Choice, Colour, Number, Switch
from igfeed.widget.theme import MIN_CONTRAST, contrast
from igfeed.widget.views import View

NOT_SET = ""
"""The value of a control whose option is left to the feed."""

FOLLOWS_PAGE = "theme"
"""The option that is kept even with its default value. Without it, the script tag follows the page's colours."""

GROUPS = {
    "layout": ("layout", "columns", "limit", "gap", "radius", "ratio"),
    "content": ("header", "captions", "open", "type", "tag", "page"),
    "colours": ("theme", "background", "color", "accent", "font"),
}
"""The options in the order of the controls."""

ControlKind = Literal["number", "choice", "switch", "colour", "text"]


@dataclass(frozen=True)
class Control:
    """``value`` is as in a query string, ``NOT_SET`` if the option is left to the feed.

    ``choices`` are those of a "choice", ``least`` and ``most`` those of a "number".
    """

    name: str
    kind: ControlKind
    value: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0


@dataclass(frozen=True)
class Snippet:
    """``text`` is to be pasted into a page. ``name`` is its key in the translations."""

    name: str
    text: str


@dataclass(frozen=True)
class Shortfall:
    """A chosen colour with too little contrast on the chosen background. ``ratio`` (to 1) is rounded down to tenths."""

    name: Literal["color", "accent"]
    ratio: float


@dataclass(frozen=True)
class Look:
    """``asked`` are the options that differ from what ``/embed`` shows by itself, as in a query string.

    ``kept`` is the owner's stored look as a query string. Embeds have it without being asked.
    """

    asked: Mapping[str, str]
    kept: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str], kept: str = "") -> "Look":
        defaults = _defaults(kept)
        asked = {name: value for name, value in _valid(query) if _differs(name, value, defaults)}
        return cls(asked, kept)

    @property
    def to_keep(self) -> str:
        """The query string to store as the owner's look: the kept one, overridden by ``asked``."""
        defaults = _defaults("")
        return urlencode(
            {name: value for name, value in self._shown.items() if name != "page" and _differs(name, value, defaults)}
        )

    @property
    def _shown(self) -> dict[str, str]:
        """The options of the kept look and those that are asked for, which override it."""
        return {**dict(parse_qsl(self.kept)), **self.asked}

    @property
    def query(self) -> str:
        """The query string with its question mark, empty if all options have their defaults."""
        return f"?{urlencode(self.asked)}" if self.asked else ""

    def groups(self) -> dict[str, list[Control]]:
        """The controls of the options, by the names of their groups."""
        return {group: [self._control(name) for name in names] for group, names in GROUPS.items()}

    def _control(self, name: str) -> Control:
        kind = Options.table()[name].kind
        own = "" if name == FOLLOWS_PAGE else _defaults("")[name]
        value = self._shown.get(name, own)
        if isinstance(kind, Number):
            return Control(name, "number", value, least=kind.least, most=kind.most)
        if isinstance(kind, Choice):
            return Control(name, "choice", value, (*(() if own else (NOT_SET,)), *kind.choices))
        return Control(name, _OTHER_KINDS.get(type(kind), "text"), value)

    def shortfalls(self) -> Iterator[Shortfall]:
        """The chosen colours that are hard to read. None if the background is transparent, as its colour is unknown."""
        shown = self._shown
        ground = shown.get("background", "transparent")
        if ground == "transparent":
            return
        for name in ("color", "accent"):
            ratio = contrast(f"#{shown[name]}", f"#{ground}") if name in shown else MIN_CONTRAST
            if ratio < MIN_CONTRAST:
                yield Shortfall(name, floor(ratio * 10) / 10)

    def snippets(self, address: str, profile: Profile | None) -> list[Snippet]:
        """What to paste into a page. ``address`` is the feed's, with a final slash."""
        name = f"@{profile.username}" if profile else "Instagram"
        home = profile.address if profile else "https://www.instagram.com/"
        data = Markup("").join(Markup(' data-{}="{}"').format(*pair) for pair in self.asked.items())
        known = {"address": address, "query": self.query, "name": name, "home": home, "data": data}
        return [
            Snippet("script", str(SCRIPT.format(**known))),
            Snippet("frame", str(FRAME.format(**known))),
            Snippet("wordpress", f"{address}{self.query}"),
            Snippet("fragment", f"{address}fragment{self.query}"),
        ]


SCRIPT = Markup('<a href="{home}">{name}</a>\n<script async src="{address}embed.js"{data}></script>')
FRAME = Markup(
    '<iframe src="{address}embed{query}" title="{name}" loading="lazy" '
    'allow="fullscreen; picture-in-picture; autoplay" referrerpolicy="strict-origin-when-cross-origin" '
    'style="width: 100%; min-height: 480px; frame-sizing: content-height; border: 0; color-scheme: light"></iframe>'
)

_OTHER_KINDS: dict[type[Any], ControlKind] = {Switch: "switch", Colour: "colour"}


def _valid(query: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The options in the query with a value that they take, as a query string has it."""
    for name, row in Options.table().items():
        value = row.kind.parse(query.get(name, "").strip().removeprefix("#"))
        if value is not None:
            yield name, _text(value)


def _text(value: object) -> str:
    """A value as in a query string, ``NOT_SET`` for None."""
    return NOT_SET if value is None else str(int(value)) if isinstance(value, bool) else str(value)


def _differs(name: str, value: str, defaults: Mapping[str, str]) -> bool:
    """Whether a query string has to name the option."""
    return name == FOLLOWS_PAGE or value != defaults[name]


@lru_cache(maxsize=20)
def _defaults(kept: str) -> dict[str, str]:
    """What ``/embed`` shows by itself, as in a query string."""
    return {name: _text(getattr(default_options(View.EMBED, kept), name)) for name in Options.table()}
