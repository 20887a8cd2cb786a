"""A post's picture in the width asked for: from our own store, else fetched from Instagram, resized and kept.

Instagram's addresses die after some four days and every view of one would tell Meta about the visitor. So what a page
shows is always a copy of ours, made with the first view or by the cron, whichever comes first.
"""

import base64
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from threading import Lock

from cachetools import LRUCache
from PIL import ExifTags, Image

from igfeed.clock import Clock, Deadline, utcnow
from igfeed.errors import PicturesUnreachable, PictureUnavailable, StoreError
from igfeed.instagram import Instagram
from igfeed.models import Picture
from igfeed.stores import Store

log = logging.getLogger(__name__)

WIDTHS = (320, 640, 1080)
"""Pixels: a phone's third of a row, a phone's row at twice the density, the widest that Instagram itself shows."""

QUALITY = {320: 78, 640: 72, 1080: 78}
"""By width; the middle one is for screens so dense that nobody sees the difference, but it is loaded most often."""

MOST_PIXELS = 40_000_000
"""More than any picture of Instagram's, less than what a small server has memory for (120 MB decoded)."""

PAUSE = timedelta(seconds=30)
"""How long views leave a host alone that did not answer; the cron asks it all the same."""

MEMORY = 32 * 1024 * 1024
"""Bytes of pictures that one process keeps at hand; 24 posts in all widths are about 6 MB."""

MOST_COLOURS = 2000
"""Of how many pictures one process remembers the colour: more than a hundred albums of ten have."""

FORMATS = ("JPEG", "PNG", "WEBP")

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by the orientation in its EXIF data."""

UNDECODABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)
"""What Pillow raises on bytes that are no picture, or on too large a one."""


@dataclass(frozen=True)
class MirrorReport:
    """Files (one for each picture and width) that a mirroring stored, found kept, and could not get."""

    stored: int = 0
    kept: int = 0
    failed: int = 0


class Pictures:
    """Threads may share it: one of them makes a picture while the others wait for it."""

    def __init__(self, store: Store, instagram: Instagram, clock: Clock = utcnow) -> None:
        self._store = store
        self._instagram = instagram
        self._clock = clock
        self._quiet_until: datetime | None = None
        self._memory: LRUCache[str, bytes] = LRUCache(MEMORY, getsizeof=len)
        self._memory_lock = Lock()
        self._unsaved: set[str] = set()
        self._colours: LRUCache[str, str] = LRUCache(MOST_COLOURS)
        self._making = [Lock() for _ in range(64)]

    def get(self, picture: Picture, width: int) -> bytes:
        """The picture as WebP, ``width`` pixels wide or as wide as Instagram has it.

        Raises PictureUnavailable.
        """
        kept = self._kept(picture.id, width)
        if kept is not None:
            return kept
        with self._alone(picture.id):
            kept = self._kept(picture.id, width)
            if kept is None:
                self._refuse_while_unreachable()
                files = self._make(picture)
                self._keep(picture.id, files)
                kept = files[width]
            return kept

    def mirror(self, pictures: Iterable[Picture], deadline: Deadline) -> MirrorReport:
        """Keep every picture in every width, as far as the time goes; those with no address are passed over."""
        stored = kept = failed = 0
        for picture in pictures:
            if not deadline.left():
                log.info("The time for mirroring is over, the rest follows with the next one or with its first view")
                break
            if not self._is_missing(picture.id):
                kept += len(WIDTHS)
                self._look_at_kept(picture)
            elif picture.url:
                done = self._mirror_one(picture)
                stored, failed = stored + len(WIDTHS) * done, failed + len(WIDTHS) * (not done)
        return MirrorReport(stored, kept, failed)

    def colour(self, picture: Picture) -> str | None:
        """Its average colour, as far as it is known here or by the snapshot; asks nobody."""
        with self._memory_lock:
            return picture.colour or self._colours.get(picture.id)

    def forget(self, ids: Iterable[str]) -> None:
        """Delete these pictures in every width.

        Raises StoreError.
        """
        keys = [_key(picture_id, width) for picture_id in ids for width in WIDTHS]
        with self._memory_lock:
            for key in keys:
                self._memory.pop(key, None)
            self._unsaved.difference_update(keys)
        if keys:
            self._store.delete(*keys)

    def _mirror_one(self, picture: Picture) -> bool:
        try:
            with self._alone(picture.id):
                return self._keep(picture.id, self._make(picture))
        except PictureUnavailable as error:
            log.warning("Picture %s could not be mirrored: %s", picture.id, error)
            return False

    def _look_at_kept(self, picture: Picture) -> None:
        """Learn the colour of what another process has kept."""
        content = None if self.colour(picture) else self._kept(picture.id, WIDTHS[0])
        with suppress(*UNDECODABLE):
            if content:
                self._learn(picture.id, Image.open(BytesIO(content), formats=FORMATS))

    def _learn(self, picture_id: str, image: Image.Image) -> None:
        colour = _average(image)
        with self._memory_lock:
            self._colours[picture_id] = colour

    def _is_missing(self, picture_id: str) -> bool:
        """Nowhere, or in this process only because the store could not take it.

        The smallest file is written last, so it stands for all of them, and is the cheapest to ask for.
        """
        return _key(picture_id, WIDTHS[0]) in self._unsaved or self._kept(picture_id, WIDTHS[0]) is None

    def _kept(self, picture_id: str, width: int) -> bytes | None:
        key = _key(picture_id, width)
        with self._memory_lock:
            content = self._memory.get(key)
        if content is not None:
            return content
        try:
            content = _decoded(self._store.get(key))
        except StoreError:
            return None
        if content is not None:
            self._remember(key, content)
        return content

    def _make(self, picture: Picture) -> dict[int, bytes]:
        """All widths at once: the address will be dead by the time another one is asked for."""
        if picture.url is None:
            raise PictureUnavailable("Instagram sent no picture for this post.")
        try:
            file = self._instagram.picture(picture.url)
        except PicturesUnreachable:
            self._quiet_until = self._clock() + PAUSE
            raise
        self._quiet_until = None
        image, files = _resized(file)
        self._learn(picture.id, image)
        return files

    def _refuse_while_unreachable(self) -> None:
        """After a failure one view in a while finds out; the others do not fill the server with waiting."""
        now, until = self._clock(), self._quiet_until
        if until is None:
            return
        if now < until:
            raise PicturesUnreachable("Instagram's pictures are out of reach.")
        self._quiet_until = now + PAUSE

    def _keep(self, picture_id: str, files: dict[int, bytes]) -> bool:
        """Keep the files at hand and in the store; False when the store did not take them all."""
        named = {_key(picture_id, width): content for width, content in files.items()}
        for key, content in named.items():
            self._remember(key, content)
        self._unsaved.update(named)
        try:
            for key, content in named.items():
                self._store.set(key, base64.b64encode(content).decode())
        except StoreError as error:
            log.warning("Picture %s is kept in memory only: %s", picture_id, error)
            return False
        self._unsaved.difference_update(named)
        return True

    def _remember(self, key: str, content: bytes) -> None:
        with self._memory_lock:
            self._memory[key] = content

    def _alone(self, picture_id: str) -> Lock:
        """At most one thread at a time makes a picture; sixty-four locks are shared out among all of them."""
        return self._making[hash(picture_id) % len(self._making)]


def _key(picture_id: str, width: int) -> str:
    return f"picture:v1:{picture_id}-{width}"


def _decoded(text: str | None) -> bytes | None:
    """The file; None for anything that is no WebP."""
    try:
        content = base64.b64decode(text or "", validate=True)
    except ValueError:
        return None
    return content if content[8:12] == b"WEBP" else None


def _resized(file: bytes) -> tuple[Image.Image, dict[int, bytes]]:
    """The picture upright, and as WebP in every width, never enlarged; an RGB picture's colour profile goes along.

    Raises PictureUnavailable for what is no picture, or too large a one.
    """
    try:
        image = _opened(file)
        return image, {width: _webp(image, width) for width in reversed(WIDTHS)}
    except UNDECODABLE as error:
        raise PictureUnavailable(f"A picture could not be read ({type(error).__name__}).") from None


def _opened(file: bytes) -> Image.Image:
    image: Image.Image = Image.open(BytesIO(file), formats=FORMATS)
    if image.width * image.height > MOST_PIXELS:
        raise PictureUnavailable("A picture has too many pixels.")
    upright = _turned(image)
    if upright.mode == "RGB":
        return upright
    if upright.has_transparency_data:
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright.convert("RGBA"))
    upright.info.pop("icc_profile", None)  # It describes the colours before they become RGB.
    return upright.convert("RGB")


def _average(image: Image.Image) -> str:
    """As in a style sheet: ``#c9b79c``."""
    pixel = image.convert("RGB").resize((1, 1), Image.Resampling.BOX)
    return f"#{pixel.tobytes().hex()}"


def _turned(image: Image.Image) -> Image.Image:
    """Upright, by ourselves: Pillow's ``exif_transpose`` writes the other EXIF data anew and fails on odd ones."""
    turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def _webp(image: Image.Image, width: int) -> bytes:
    profile = image.info.get("icc_profile")
    if image.width > width:
        size = (width, max(1, round(image.height * width / image.width)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    file = BytesIO()
    image.save(file, "WEBP", quality=QUALITY[width], method=4, icc_profile=profile)
    return file.getvalue()
