"""The pictures that were kept: their files, in memory and in the store, and their measures."""

import base64
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import product
from threading import Lock
from typing import Literal

from cachetools import LRUCache, TTLCache

from igfeed.clock import Clock
from igfeed.errors import PictureUnavailable, StoreError
from igfeed.models import Measures, Picture
from igfeed.stores import Store

log = logging.getLogger(__name__)

WIDTHS = (320, 640, 1080)
"""Pixels: a phone's third of a row, a phone's row at twice the density, the widest that Instagram itself shows."""

Format = Literal["webp", "avif"]
"""A picture's file format. It is also the end of the file's address."""

FORMATS: tuple[Format, ...] = ("webp", "avif")

Files = dict[tuple[int, Format], bytes]
"""A picture's files by width and format. Every picture has WebP in all widths. AVIF is extra."""

BRANDS = {"webp": (8, b"WEBP"), "avif": (4, b"ftypavif")}
"""Where in a file of the format its name is, and what it is there."""

ABSENT_FILE_PAUSE = timedelta(seconds=30)
"""How long views do not ask the store again for a file that it did not have. Another process may store it meanwhile."""

MIN_ABSENT_FILE_PAUSE = timedelta(seconds=1)
"""Even if IGFEED_CHECK_TTL is shorter: a page may ask for twenty missing pictures at once."""

MAX_ABSENT_FILES = 2000
"""How many absent files one process remembers."""

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Bytes of picture files that one process keeps in memory for each account. 24 posts in all widths and formats are
about 5 MB."""

MAX_MEASURES = 2000
"""How many pictures' measures one process remembers. That is more than a hundred albums of ten have."""


class PictureFiles:
    """Files by picture id, width and format. Threads may share it."""

    def __init__(self, store: Store, clock: Clock, absent_pause: timedelta = ABSENT_FILE_PAUSE) -> None:
        self._store = store
        known_for = max(absent_pause, MIN_ABSENT_FILE_PAUSE).total_seconds()
        self._absent: TTLCache[str, bool] = TTLCache(MAX_ABSENT_FILES, known_for, monotonic_seconds(clock))
        self._memory: LRUCache[str, bytes] = LRUCache(MAX_FILE_BYTES, getsizeof=len)
        self._measures: LRUCache[str, Measures] = LRUCache(MAX_MEASURES)
        self._unsaved: set[str] = set()
        """Keys of files that the store could not take."""
        self._lock = Lock()

    def get(self, picture_id: str, width: int, format_: Format = "webp") -> bytes | None:
        """The file from memory, else from the store. None if neither has it or the store does not answer."""
        key = _key(picture_id, width, format_)
        with self._lock:
            content = self._memory.get(key)
        if content is not None:
            return content
        try:
            content = _decoded(self._store.get(key), format_)
        except StoreError:
            return None
        if content is not None:
            self._remember(key, content)
            return content
        with self._lock:
            self._absent[key] = True
        return None

    def get_for_view(self, picture_id: str, width: int, format_: Format = "webp") -> bytes | None:
        """Like ``get``, but a file that the store lately did not have is not asked for again."""
        key = _key(picture_id, width, format_)
        with self._lock:
            if key in self._absent:
                return self._memory.get(key)
        return self.get(picture_id, width, format_)

    def is_absent(self, picture_id: str, width: int) -> bool:
        """Whether the store lately answered that it has no such WebP file. False if it did not answer."""
        with self._lock:
            return _key(picture_id, width) in self._absent

    def is_missing(self, picture_id: str, format_: Format) -> bool:
        """Whether the store lacks the picture's files in this format: they were never made, or saving them failed.

        Only the smallest one is checked. It is written last, so the others exist too, and so do those in the formats
        before this one. It is the cheapest to read.
        """
        last = WIDTHS[0], format_
        return _key(picture_id, *last) in self._unsaved or self.get(picture_id, *last) is None

    def are_some_missing(self, ids: Sequence[str]) -> bool:
        """Asks the store by one command. True if it does not answer."""
        try:
            return None in self._store.get_all([_key(picture_id, WIDTHS[0]) for picture_id in ids])
        except StoreError:
            return True

    def in_memory(self, picture_id: str, formats: Sequence[Format]) -> Files | None:
        """The picture's files in these formats, if this process has all of them in memory."""
        wanted = [(width, each) for each in formats for width in reversed(WIDTHS)]
        with self._lock:
            found = {each: self._memory.get(_key(picture_id, *each)) for each in wanted}
        return {each: content for each, content in found.items() if content} if all(found.values()) else None

    def save(self, picture_id: str, files: Files) -> bool:
        """Keep the files in memory and in the store, in this order. False if the store did not take all of them."""
        named = {_key(picture_id, *each): content for each, content in files.items()}
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

    def delete(self, ids: Iterable[str]) -> None:
        """Delete these pictures in every width and format.

        Raises StoreError.
        """
        keys = [_key(*each) for each in product(ids, WIDTHS, FORMATS)]
        with self._lock:
            for key in keys:
                self._memory.pop(key, None)
            self._unsaved.difference_update(keys)
        if keys:
            self._store.delete(*keys)

    def measures(self, picture: Picture) -> Measures:
        """What is known of the picture. Sends no request."""
        with self._lock:
            return picture.measures.or_else(self._measures.get(picture.id, Measures()))

    def set_measures(self, picture_id: str, measures: Measures) -> None:
        with self._lock:
            self._measures[picture_id] = measures

    def find_measures(self, picture: Picture, format_: Format) -> None:
        """Measure the kept file if something is unknown: another process may have made it, or an earlier version."""
        content = self.get(picture.id, WIDTHS[0], format_) if None in self.measures(picture) else None
        if content is None:
            return
        # Pillow is a twentieth of a cold start, and a kept picture is shown without it.
        from igfeed.feed.imaging import measures  # noqa: PLC0415

        with suppress(PictureUnavailable):
            self.set_measures(picture.id, measures(content))

    def _remember(self, key: str, content: bytes) -> None:
        with self._lock:
            self._memory[key] = content
            self._absent.pop(key, None)


def monotonic_seconds(clock: Clock) -> Callable[[], float]:
    """The timer that ``cachetools`` wants."""
    return lambda: clock.monotonic_ns() / 1e9


def media_type(file: bytes) -> str:
    """Of a picture's file: ``image/webp`` or ``image/avif``."""
    return "image/avif" if _is_in("avif", file) else "image/webp"


def _key(picture_id: str, width: int, format_: Format = "webp") -> str:
    # WebP has no ending, because earlier versions wrote it without one.
    return f"picture:v1:{picture_id}-{width}{'' if format_ == 'webp' else f'.{format_}'}"


def _is_in(format_: Format, file: bytes) -> bool:
    place, name = BRANDS[format_]
    return file[place : place + len(name)] == name


def _decoded(text: str | None, format_: Format) -> bytes | None:
    """None for anything that is no file of this format in base64."""
    try:
        content = base64.b64decode(text or "", validate=True)
    except ValueError:
        return None
    return content if _is_in(format_, content) else None
