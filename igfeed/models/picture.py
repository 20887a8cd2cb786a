"""One picture, and what is known of it once its files were made."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from igfeed.models.record import Address, Colour, MediaId, Pixels

SKETCH_SCHEME = "sketch:"
"""Of the addresses of the sample account: its pictures are drawn, and its videos are files of igfeed's own."""


class Measures(NamedTuple):
    """``colour`` is the average colour such as ``#c9b79c``, ``size`` the width and height of a file in pixels.

    None is what nobody has measured yet.
    """

    colour: Colour | None = None
    size: tuple[Pixels, Pixels] | None = None

    def or_else(self, others: "Measures") -> "Measures":
        """These measures, with those of ``others`` where they are unknown."""
        return Measures(self.colour or others.colour, self.size or others.size)


@dataclass(frozen=True)
class Picture:
    """One picture: of a post, of one child of an album, or of the account.

    ``id`` is the media id. ``url`` is Instagram's address of the file, which expires after about four days; None if
    Instagram sent none. ``colour`` and ``size`` are its measures, None until the picture was stored. A snapshot of an
    earlier version of igfeed has no sizes: the next mirroring measures the stored files.
    """

    id: MediaId
    url: Address | None = None
    video_url: Address | None = None
    colour: Colour | None = None
    size: tuple[Pixels, Pixels] | None = None

    @property
    def is_absent(self) -> bool:
        """Whether the post has no picture: Instagram sent no address, and none was ever stored."""
        return self.url is None and self.colour is None

    @property
    def measures(self) -> Measures:
        return Measures(self.colour, self.size)

    def with_measures(self, measures: Measures) -> Self:
        return replace(self, colour=measures.colour, size=measures.size)


@dataclass(frozen=True)
class Portrait(Picture):
    """The account's own picture. It is shown small."""


@dataclass(frozen=True)
class AlbumPicture(Picture):
    """A child of an album. Pages show it only when somebody opens the post."""
