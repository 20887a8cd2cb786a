"""A picture in the width that a view asks for: from our own store, else downloaded from Instagram, resized and kept.

Pages show copies only. Instagram's addresses die after some four days, and every view of one would tell Meta about the
visitor. The first view or the cron makes the copies, whichever comes first.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec
from threading import Lock, Semaphore
from weakref import WeakValueDictionary

from cachetools import TLRUCache
from msgspec import Struct

from igfeed.clock import Clock, Pause
from igfeed.errors import NoPicture, PictureRefused, PicturesUnreachable, PictureUnavailable
from igfeed.feed.picture_files import (
    ABSENT_FILE_PAUSE,
    FORMATS,
    Files,
    Format,
    PictureFiles,
    monotonic_seconds,
)
from igfeed.instagram import Instagram
from igfeed.models import AlbumPicture, Picture, Portrait
from igfeed.models.record import fingerprint
from igfeed.stores import Store

WEBP_QUALITY = {320: 78, 640: 72, 1080: 78}
"""Quality by width. The middle width is loaded most, by dense screens, where the lower quality is not visible."""

AVIF_QUALITY = {320: 46, 640: 42, 1080: 44}
"""With these AVIF is at least as like to the original as our WebP, for 30 to 40 % fewer bytes (docs/pictures.md)."""

MAX_DECODINGS = 2
"""How many pictures are decoded and encoded at once. Each keeps a processor busy and takes 3 MB a million pixels."""

UNREACHABLE_HOST_PAUSE = timedelta(seconds=30)
"""How long views do not ask a host that did not answer. The cron asks it all the same."""

REFUSED_ADDRESS_PAUSE = timedelta(minutes=10)
"""How long views do not retry an address that gave no usable picture. The next fetch brings a new address."""

FAILED_ADDRESS_PAUSE = timedelta(seconds=30)
"""The same for an address that failed in a way that may pass."""

MAX_FAILED_ADDRESSES = 2000
"""How many failed addresses one process remembers."""

MAX_WAITING_FOR_PICTURES = 6
"""Threads of views that may wait for a picture. A server has eight (gunicorn.conf.py): two are left for pages and
probes, and one visitor's browser, which asks for six pictures at a time, is served whole."""

MAX_POSTPONED = 300
"""Pictures that views could not wait for, and that are made after the answer. An account of albums has 240."""


@cache
def can_make_avif() -> bool:
    """Whether this Pillow has its module for AVIF, as every wheel of it has. Does not import Pillow."""
    pillow = find_spec("PIL")
    return bool(pillow and PathFinder.find_spec("_avif", pillow.submodule_search_locations))


def formats_of(picture: Picture) -> tuple[Format, ...]:
    """The formats that the picture is kept in.

    An album's children are WebP only. They load when somebody opens the post, and are most of the cron's time and of
    the store's bytes. A portrait is small in either format.
    """
    is_webp_only = isinstance(picture, AlbumPicture | Portrait) or not can_make_avif()
    return FORMATS[:1] if is_webp_only else FORMATS


class _Refusal(Struct, frozen=True):
    """The error that an address gave: it is raised again without asking the address."""

    kind: type[PictureUnavailable]
    message: str


class Pictures:
    """Threads may share it: one of them makes a picture while the others wait for it."""

    def __init__(
        self, store: Store, instagram: Instagram, clock: Clock, absent_pause: timedelta = ABSENT_FILE_PAUSE
    ) -> None:
        self.files = PictureFiles(store, clock, absent_pause)
        self._instagram = instagram
        self._clock = clock
        self._host_pause: Pause | None = None
        self._refusals: TLRUCache[str, _Refusal] = TLRUCache(
            MAX_FAILED_ADDRESSES, _forgotten_at, monotonic_seconds(clock)
        )
        self._places = Semaphore(MAX_WAITING_FOR_PICTURES)
        self._decodings = Semaphore(MAX_DECODINGS)
        self._postponed: dict[str, Picture] = {}
        self._failed: set[str] = set()
        self._making: WeakValueDictionary[str, Lock] = WeakValueDictionary()
        self._lock = Lock()

    def get(self, picture: Picture, width: int, format_: Format = "webp") -> bytes:
        """The file, ``width`` pixels wide, or narrower if Instagram has no wider one.

        It may be WebP where AVIF was asked for: an earlier version of igfeed kept no other, or it cannot be made.
        Raises PictureUnavailable. NoPicture means that there is none, now and for the near future.
        """
        if format_ not in formats_of(picture):
            format_ = "webp"
        kept = self.files.get_for_view(picture.id, width, format_)
        if kept is None and format_ == "avif":
            kept = self.files.get_for_view(picture.id, width)
        if kept is not None:
            return kept
        try:
            return self._make_for_view(picture, width, format_)
        except NoPicture:
            # The store may have a picture that Instagram no longer has. So this is final only if the store answered.
            if not self.files.is_absent(picture.id, width):
                message = "Instagram sent no picture for this post, and the store does not answer."
                raise PictureUnavailable(message) from None
            raise

    def make(self, picture: Picture) -> Files:
        """Download the picture and give its files, even during a failure's pause. Raises PictureUnavailable.

        It makes all widths at once, because the address will be dead when another width is asked for.
        """
        if picture.url is None:
            raise NoPicture("Instagram sent no picture for this post.")
        try:
            file = self._instagram.picture(picture.url)
            self._host_pause = None
            # Pillow is a twentieth of a cold start, and a kept picture is shown without it.
            from igfeed.feed.imaging import render  # noqa: PLC0415

            with self._decodings:
                rendered = render(file, WEBP_QUALITY, AVIF_QUALITY if "avif" in formats_of(picture) else {})
        except PictureUnavailable as error:
            self._remember_failure(picture.id, picture.url, error)
            raise
        self.files.set_measures(picture.id, rendered.measures)
        webp: Files = {(width, "webp"): content for width, content in rendered.webp.items()}
        return webp | {(width, "avif"): content for width, content in rendered.avif.items()}

    def make_if_allowed(self, picture: Picture) -> Files:
        """Like ``make``, but raises PictureUnavailable at once while a failure's pause lasts."""
        self._check_failures(picture)
        if self._host_pause:  # It is over: this view finds out whether the host answers, the others go on waiting.
            self._host_pause = Pause(self._clock, UNREACHABLE_HOST_PAUSE)
        return self.make(picture)

    def one_thread(self, picture_id: str) -> Lock:
        """The lock for making this picture. It lives while any thread has it or waits for it."""
        with self._lock:
            return self._making.setdefault(picture_id, Lock())

    def take_postponed(self) -> tuple[list[Picture], set[str]]:
        """The pictures that views could not wait for, and the ids of those that failed. The first are given once."""
        with self._lock:
            pictures, self._postponed = list(self._postponed.values()), {}
            return pictures, set(self._failed)

    def forget_failed(self, ids: Iterable[str]) -> None:
        """Drop these ids from the failed ones, because the caller has recorded their results."""
        with self._lock:
            self._failed.difference_update(ids)

    def _make_for_view(self, picture: Picture, width: int, format_: Format) -> bytes:
        self._check_failures(picture)
        if not self._places.acquire(blocking=False):
            self._postpone(picture)
            raise PictureUnavailable("Too many pictures are fetched at once; this one follows after them.")
        try:
            return self._make_once(picture, width, format_)
        finally:
            self._places.release()

    def _make_once(self, picture: Picture, width: int, format_: Format) -> bytes:
        with self.one_thread(picture.id):
            # Another thread may have made it while this one waited.
            kept = self.files.get(picture.id, width, format_)
            if kept is None:
                files = self.make_if_allowed(picture)
                self.files.save(picture.id, files)
                kept = files.get((width, format_)) or files[width, "webp"]
            return kept

    def _postpone(self, picture: Picture) -> None:
        with self._lock:
            if len(self._postponed) < MAX_POSTPONED:
                self._postponed[picture.id] = picture

    def _check_failures(self, picture: Picture) -> None:
        """Raises the known error at once, without a request. A page has many pictures, and many people load it."""
        if picture.url is None:
            raise NoPicture("Instagram sent no picture for this post.")
        with self._lock:
            refusal = self._refusals.get(fingerprint(picture.url))
        if refusal:
            raise refusal.kind(refusal.message)
        pause = self._host_pause
        if pause and not pause.is_over:
            raise PicturesUnreachable("Instagram's pictures are out of reach.")

    def _remember_failure(self, picture_id: str, url: str, error: PictureUnavailable) -> None:
        if isinstance(error, PicturesUnreachable):
            self._host_pause = Pause(self._clock, UNREACHABLE_HOST_PAUSE)
        with self._lock:
            if not isinstance(error, NoPicture):
                self._failed.add(picture_id)
            if not isinstance(error, PicturesUnreachable):
                self._refusals[fingerprint(url)] = _Refusal(type(error), str(error))


def _forgotten_at(_: str, refusal: _Refusal, now: float) -> float:
    is_final = issubclass(refusal.kind, PictureRefused | NoPicture)
    return now + (REFUSED_ADDRESS_PAUSE if is_final else FAILED_ADDRESS_PAUSE).total_seconds()
