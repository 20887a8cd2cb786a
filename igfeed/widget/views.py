"""The ways to show the feed: to people as a page, an embed or a part of a page, and to programs as a document."""

from enum import Enum
from typing import TypeVar


class View(Enum):
    """The value is the view's path."""

    PAGE = "/"
    EMBED = "/embed"
    FRAGMENT = "/fragment"

    @staticmethod
    def at(path: str) -> "View | None":
        """The view with this path. A final slash is ignored, because some hosts add one to every address."""
        return _BY_PATH.get(path)

    @property
    def path(self) -> str:
        return str(self.value)

    @property
    def template(self) -> str:
        return f"widget/{self.name.lower()}.html"

    @property
    def is_a_part(self) -> bool:
        """Whether its elements become a part of another site's page."""
        return self is not View.PAGE

    @property
    def has_header(self) -> bool:
        """The default of the option ``header``."""
        return self is View.PAGE

    @property
    def has_ground(self) -> bool:
        """Whether it has a ground of its own by default. In a frame the host page's shows through."""
        return self is View.PAGE

    @property
    def has_absolute_addresses(self) -> bool:
        """Whether its HTML names our origin, for search engines and link previews, or because it is another page's."""
        return self is not View.EMBED


class FeedFormat(Enum):
    """The formats of the feed for programs. The value is the path."""

    JSON_FEED = "/feed.json"
    ATOM = "/feed.xml"
    BEHOLD = "/behold.json"

    @staticmethod
    def at(path: str) -> "FeedFormat | None":
        """The format with this path. A final slash is ignored, as in a view's."""
        return _FORMATS.get(path)

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self]

    @property
    def has_absolute_addresses(self) -> bool:
        """Programs keep a document apart from its address, so each address in it is a whole one."""
        return True


Shown = TypeVar("Shown", View, FeedFormat)


def _by_path(kind: type[Shown]) -> dict[str, Shown]:
    return {path: each for each in kind for path in (each.value, f"{each.value.rstrip('/')}/")}


# Flask has no part in this: finished pages find the view before Flask is called.
_BY_PATH = _by_path(View)
_FORMATS = _by_path(FeedFormat)

_CONTENT_TYPES = {
    FeedFormat.JSON_FEED: "application/feed+json",
    FeedFormat.ATOM: "application/atom+xml; charset=utf-8",
    FeedFormat.BEHOLD: "application/json",
}
