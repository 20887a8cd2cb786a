"""The one table of options, and how a query string is read by it.

Unknown names and bad values are ignored, and numbers are clamped. So a link that somebody wrote years ago still shows
the feed, and requests that mean the same share one cache key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields, replace
from functools import cached_property, lru_cache
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from igfeed.models import KeptPost, KeptPosts
from igfeed.models.record import fingerprint
from igfeed.widget.options.kinds import Choice, Colour, Hashtag, Kind, Number, Switch
from igfeed.widget.views import FeedFormat, View

RATIOS = {"square": (1, 1), "portrait": (4, 5), "tall": (3, 4)}
"""Width and height of a tile, by the names that the option ``ratio`` takes."""

ORIGINAL = "original"
"""The value of the option ``ratio`` that shows pictures as they are."""

LAYOUT_HELP = "rows, one row that scrolls, columns of pictures as they are, or rows with a large post in each seven"

DEFAULT_LIMIT = 12
MAX_LIMIT = 100
"""The most posts that IGFEED_POSTS can ask for."""

MAX_PAGE = 1000

TRANSPARENT = "transparent"
"""The value of the option ``background`` that shows what is behind the page."""

UNKNOWN_TAG = "-"
"""The value of the option ``tag`` in place of any tag that no kept post has."""

FEED_OPTIONS = ("limit", "type", "tag")
"""The options that a document for programs takes. The others say what the feed looks like."""

CAROUSEL_PEEK = 0.3
"""How much of one more tile a carousel shows, as a hint that there are more."""


class OptionRow(Struct, frozen=True):
    """One row of the table of options. The last three are Markdown for the documentation."""

    kind: Kind
    values: str
    default: str
    help: str


def option(default: Any, kind: Kind, help: str, *, values: str = "", default_text: str = "") -> Any:  # noqa: A002  a column
    """A field of ``Options`` with its row. ``values`` and ``default_text`` override ``kind`` and ``default``."""
    written = f"`{int(default)}`" if isinstance(default, int) else f"`{default}`"
    row = OptionRow(kind, values or kind.values, default_text or written, help)
    return field(default=default, metadata={"row": row})


@dataclass(frozen=True)
class Options:
    """The one table of options: parsing, ``embed.js`` and the documentation read it.

    ``columns`` None means as many as fit. A colour None is that of the theme. ``type`` and ``tag`` None mean all posts.
    """

    limit: int = option(DEFAULT_LIMIT, Number(1, MAX_LIMIT), "posts on a page", values="1 to `IGFEED_POSTS`")
    page: int = option(1, Number(1, MAX_PAGE), "which page of them", values="1 and up")
    columns: int | None = option(None, Number(1, 8), "posts in a row", default_text="as many as fit")
    gap: int = option(4, Number(0, 48), "pixels between posts")
    radius: int = option(0, Number(0, 48), "radius of the corners in pixels")
    ratio: str = option("square", Choice((*RATIOS, ORIGINAL)), "shape of a tile: 1:1, 4:5, 3:4, or as the picture is")
    theme: str = option(
        "auto",
        Choice(("auto", "light", "dark")),
        "tones; `auto` follows the visitor's system",
        default_text="`auto` on `/`, `light` on `/embed`",
    )
    layout: str = option("grid", Choice(("grid", "carousel", "masonry", "highlight")), LAYOUT_HELP)
    header: bool = option(
        False,  # noqa: FBT003  a default like the others
        Switch(),
        "picture, name, counts, biography and a link to follow",
        default_text="`1` on `/`, `0` on `/embed`",
    )
    captions: bool = option(False, Switch(), "captions under the pictures")  # noqa: FBT003  as above
    open: str = option(
        "lightbox", Choice(("lightbox", "instagram")), "a click opens the post in place, or on Instagram in a new tab"
    )
    background: str | None = option(
        None,
        Colour((TRANSPARENT,)),
        "the background, such as `f5ead7`",
        default_text="the theme's on `/`, `transparent` on `/embed`",
    )
    color: str | None = option(None, Colour(), "texts", default_text="the theme's")
    accent: str | None = option(None, Colour(), "buttons, links, focus ring", default_text="as `color`")
    font: str = option("system", Choice(("system", "serif", "mono", "rounded")), "fonts of the visitor's system")
    type: str | None = option(None, Choice(("photo", "video", "album")), "only posts of this type", default_text="all")
    tag: str | None = option(None, Hashtag(), "only posts whose caption has it", default_text="all")

    @classmethod
    def table(cls) -> dict[str, OptionRow]:
        return {each.name: each.metadata["row"] for each in fields(cls)}

    @classmethod
    def from_query(cls, query: Mapping[str, str], defaults: "Options") -> "Options":
        """``defaults`` with what the query asks for."""
        asked = {name: row.kind.parse(query[name]) for name, row in _TABLE.items() if name in query}
        return replace(defaults, **{name: value for name, value in asked.items() if value is not None})

    def chosen(self, kept: KeptPosts) -> Sequence[int]:
        """The places of the posts that ``type`` and ``tag`` choose, in their order."""
        if self.type is None and self.tag is None:
            return range(len(kept))
        return [place for place, post in enumerate(kept) if self._is_chosen(post)]

    def _is_chosen(self, post: KeptPost) -> bool:
        return self.type in (None, post.type) and (self.tag is None or self.tag in post.hashtags)

    def among(self, kept: KeptPosts) -> "Options":
        """The options that show the same of these posts."""
        # Anybody may ask for any tag, and all that no post has show the same page.
        is_unknown = self.tag is not None and not any(self.tag in post.hashtags for post in kept)
        options = replace(self, tag=UNKNOWN_TAG) if is_unknown else self
        return options.within(len(options.chosen(kept)))

    def within(self, posts: int) -> "Options":
        """The options that show the same of so many posts: no larger limit, no page beyond the last."""
        limit = min(self.limit, max(1, posts))
        page = min(self.page, max(1, ceil(posts / limit)))
        return self if (limit, page) == (self.limit, self.page) else replace(self, limit=limit, page=page)

    def query(self, defaults: "Options", page: int) -> str:
        """The query string for another page with the same options. It leaves out what is the default."""
        usual, asked = asdict(defaults), asdict(replace(self, page=page))
        different = {name: value for name, value in asked.items() if value != usual[name]}
        return urlencode({name: int(value) if isinstance(value, bool) else value for name, value in different.items()})

    @cached_property
    def key(self) -> str:
        """A short text for a cache key, equal for equal options."""
        # A hash, because a tag may have letters that a cache outside this process refuses in its keys.
        return fingerprint("-".join(str(value) for value in astuple(self)))

    @property
    def keeps_shapes(self) -> bool:
        """Whether pictures are shown as they are. The large tiles of ``highlight`` would leave gaps then."""
        return self.layout == "masonry" or (self.ratio == ORIGINAL and self.layout != "highlight")

    @property
    def width(self) -> int:
        """Of a tile, in the units of ``height``, if all are alike."""
        return RATIOS.get(self.ratio, (1, 1))[0]

    @property
    def height(self) -> int:
        return RATIOS.get(self.ratio, (1, 1))[1]


_TABLE = Options.table()


@lru_cache(maxsize=20)
def default_options(view: View | FeedFormat, look: str = "") -> Options:
    """What a view shows if its query says nothing. ``look`` is the query string of the owner's choice for embeds.

    A document for programs has all posts unless it is asked for fewer.
    """
    if isinstance(view, FeedFormat):
        return Options(limit=MAX_LIMIT)
    defaults = _own_defaults(view)
    return Options.from_query(dict(parse_qsl(look)), defaults) if look and view.is_a_part else defaults


def _own_defaults(view: View) -> Options:
    if view.has_ground:
        return Options(header=view.has_header)
    # A fragment takes over the colours of its page, unless the owner chose a theme.
    theme = "light" if view is View.EMBED else "auto"
    return Options(header=view.has_header, theme=theme, background=TRANSPARENT)


@lru_cache(maxsize=200)
def requested_options(query_string: str, view: View | FeedFormat, kept: KeptPosts | None, look: str = "") -> Options:
    """What a query string asks for, among the kept posts. Without these nothing is limited to what there is.

    ``look`` has the owner's choices for what it does not say.

    ``query_string`` is as WSGI has it: bytes, decoded as Latin-1. The first value of each name counts.
    """
    pairs = parse_qsl(query_string.encode("latin-1").decode("utf-8", "replace"))
    if isinstance(view, FeedFormat):
        pairs = [(name, value) for name, value in pairs if name in FEED_OPTIONS]
    asked = Options.from_query(dict(reversed(pairs)), default_options(view, look))
    return asked if kept is None else asked.among(kept)
