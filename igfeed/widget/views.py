"""The ways to show the feed: as a page of its own, as an embed for frames and scripts, and as a part of a page."""

from enum import Enum


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


# Flask has no part in this: finished pages find the view before Flask is called.
_BY_PATH = {path: view for view in View for path in (view.path, f"{view.path.rstrip('/')}/")}
