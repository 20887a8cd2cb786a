"""What every document for programs says: the posts that were asked for, and whose they are."""

from dataclasses import dataclass
from functools import cached_property

from flask import url_for

from igfeed.feed.picture_files import WIDTHS
from igfeed.models import FeedSnapshot, Picture, Profile
from igfeed.services import current
from igfeed.widget.options import Options
from igfeed.widget.page_addresses import feed_address, picture_address
from igfeed.widget.syndication.picture_sizes import PictureSize, picture_sizes
from igfeed.widget.tiles import Tile, tile
from igfeed.widget.translations import Language, language_of
from igfeed.widget.views import FeedFormat

PORTRAIT_WIDTH = WIDTHS[1]
"""Pixels. Readers show the account's picture at up to 512."""


@dataclass(frozen=True)
class Feed:
    """The chosen posts as tiles. ``address`` is the document's own, None if no address asks for the same posts."""

    origin: str
    snapshot: FeedSnapshot
    tiles: tuple[Tile, ...]
    options: Options
    address: str | None
    language: Language

    @classmethod
    def of(cls, snapshot: FeedSnapshot, format_: FeedFormat, options: Options, origin: str) -> "Feed":
        settings, chosen = current().settings, options.chosen(snapshot.kept_posts)
        shown = (snapshot.posts[place] for place in chosen[: options.limit])
        return cls(
            origin=origin,
            snapshot=snapshot,
            tiles=tuple(tile(post, snapshot, settings) for post in shown),
            options=options,
            address=feed_address(origin, format_, options, len(chosen)),
            language=language_of(settings.language),
        )

    @property
    def profile(self) -> Profile:
        return self.snapshot.profile

    @property
    def name(self) -> str:
        """Of the account, for people."""
        return self.profile.name or f"@{self.profile.username}"

    @property
    def title(self) -> str:
        return self.language.words.page_title.format(name=self.name)

    @property
    def home_page(self) -> str:
        return f"{self.origin}{url_for('widget.index')}"

    @cached_property
    def portrait(self) -> str | None:
        """The address of the account's picture."""
        picture = self.profile.picture
        return picture_address(self.origin, picture.id, PORTRAIT_WIDTH) if picture else None

    def picture(self, picture: Picture) -> str | None:
        """The address of the picture in its largest size. None if the post has none."""
        sizes = picture_sizes(picture)
        return self.picture_in(picture, sizes[-1]) if sizes else None

    def picture_in(self, picture: Picture, size: PictureSize) -> str:
        return picture_address(self.origin, picture.id, size.name)
