"""A post's picture in the width asked for: from our own store, else fetched from Instagram, resized and kept.

Instagram's addresses die after some four days and every view of one would tell Meta about the visitor. So what a page
shows is always a copy of ours, made with the first view or by the cron, whichever comes first.
"""

import base64
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Lock, Semaphore
from weakref import WeakValueDictionary

from cachetools import LRUCache, TLRUCache, TTLCache

from igfeed.clock import Clock, Deadline, Pause
from igfeed.errors import NoPicture, PictureRefused, PicturesUnreachable, PictureUnavailable, StoreError
from igfeed.feed.missing_pictures import Mirrored, MissingPictures
from igfeed.instagram import Instagram
from igfeed.models import Picture
from igfeed.models.record import fingerprint
from igfeed.stores import Store
from igfeed.stores.document import Document

log = logging.getLogger(__name__)

WIDTHS = (320, 640, 1080)
"""Pixels: a phone's third of a row, a phone's row at twice the density, the widest that Instagram itself shows."""

QUALITY = {320: 78, 640: 72, 1080: 78}
"""Of WebP, by width; the middle one is for screens so dense that nobody sees the difference, but it is loaded most."""

DOWNLOADS = 4
"""How many pictures are fetched at once; they wait for the network most of the time."""

DECODINGS = 2
"""How many are decoded and encoded at once: that is work for a processor, and 3 MB of memory for a million pixels."""

PAUSE = timedelta(seconds=30)
"""How long views leave a host alone that did not answer; the cron asks it all the same."""

REFUSAL_PAUSE = timedelta(minutes=10)
"""How long views do not retry an address that gave no usable picture. The next fetch brings a new address."""

RETRY_PAUSE = timedelta(seconds=30)
"""The same for one that failed in a way that may pass."""

LOOK_AGAIN = timedelta(seconds=30)
"""How long the store is not asked again for a picture that it did not have. Another process may store it then."""

SHORTEST_LOOK_AGAIN = timedelta(seconds=1)
"""Even where the owner wants every other answer from the store: a page may ask for twenty missing pictures at once."""

MOST_REFUSALS = 2000
"""How many failed addresses one process remembers."""

MOST_WAITING = 6
"""Threads of views that may wait for a picture. A server has eight (gunicorn.conf.py): two are left for pages and
probes, and one visitor's browser, which asks for six at a time, is served whole."""

MISSING_KEY = "pictures-missing:v1"

FEW = 5
"""How many of the missing pictures the status looks up in the store. A view may have stored them since."""

MOST_LEFT_OVER = 300
"""Pictures whose view could not wait, and which are made after the answer. An account of albums has 240."""

CATCH_UP_LIMIT = 10.0
"""Seconds after which no further one of them is begun, because the same thread also fetches the feed."""

MEMORY = 32 * 1024 * 1024
"""Bytes of pictures that one process keeps at hand; 24 posts in all widths are about 6 MB."""

MOST_COLOURS = 2000
"""Of how many pictures one process remembers the colour: more than a hundred albums of ten have."""

Make = Callable[[Picture], dict[int, bytes]]
"""Fetches a picture and gives its files by width. Raises PictureUnavailable."""


@dataclass(frozen=True)
class MirrorReport:
    """Files (one for each picture and width) that a mirroring stored, found kept, and could not get."""

    stored: int = 0
    kept: int = 0
    failed: int = 0


@dataclass(frozen=True)
class _Refusal:
    """What an address was answered with, to be said again without asking it."""

    kind: type[PictureUnavailable]
    message: str


class Pictures:
    """Threads may share it: one of them makes a picture while the others wait for it."""

    report_keys = (MISSING_KEY,)
    """The keys that ``overdue`` reads in any case, for who reads them ahead."""

    def __init__(self, store: Store, instagram: Instagram, clock: Clock, look_again: timedelta = LOOK_AGAIN) -> None:
        self._store = store
        self._instagram = instagram
        self._clock = clock
        self._quiet: Pause | None = None
        timer = _seconds(clock)
        self._refusals: TLRUCache[str, _Refusal] = TLRUCache(MOST_REFUSALS, _forgotten_at, timer)
        known_for = max(look_again, SHORTEST_LOOK_AGAIN).total_seconds()
        self._absent: TTLCache[str, bool] = TTLCache(MOST_REFUSALS, known_for, timer)
        self._places = Semaphore(MOST_WAITING)
        self._left_over: dict[str, Picture] = {}
        self._failed: set[str] = set()
        self._missing = Document(store, MISSING_KEY, MissingPictures.from_text)
        self._catching_up = Lock()
        self._memory: LRUCache[str, bytes] = LRUCache(MEMORY, getsizeof=len)
        self._memory_lock = Lock()
        self._unsaved: set[str] = set()
        self._colours: LRUCache[str, str] = LRUCache(MOST_COLOURS)
        self._decodings = Semaphore(DECODINGS)
        self._making: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    def get(self, picture: Picture, width: int) -> bytes:
        """The picture as WebP, ``width`` pixels wide or as wide as Instagram has it.

        Raises PictureUnavailable.
        """
        kept = self._known(picture.id, width)
        if kept is not None:
            return kept
        try:
            return self._made_for_view(picture, width)
        except NoPicture:
            self._check_absence(picture.id, width)
            raise

    def _made_for_view(self, picture: Picture, width: int) -> bytes:
        self._check_failures(picture)
        if not self._places.acquire(blocking=False):
            self._leave_over(picture)
            raise PictureUnavailable("Too many pictures are fetched at once; this one follows after them.")
        try:
            return self._made_once(picture, width)
        finally:
            self._places.release()

    def mirror(self, pictures: Iterable[Picture], deadline: Deadline) -> MirrorReport:
        """Keep every picture in every width, as far as the time goes; those with no address are passed over."""
        mirrored = self._mirror(pictures, deadline, self._make)
        self._note(dict(mirrored), is_all=True)
        files = {outcome: number * len(WIDTHS) for outcome, number in Counter(each[1] for each in mirrored).items()}
        return MirrorReport(files.get("stored", 0), files.get("kept", 0), files.get("failed", 0))

    def catch_up(self) -> None:
        """Make what found no place, and note what failed, unless somebody is at it.

        For after an answer: whoever looks again finds it.
        """
        if not self._catching_up.acquire(blocking=False):
            return
        try:
            with self._memory_lock:
                pictures, self._left_over = list(self._left_over.values()), {}
                outcomes: dict[str, Mirrored] = dict.fromkeys(self._failed, "failed")
            outcomes |= self._mirror(pictures, Deadline(CATCH_UP_LIMIT), self._make_if_allowed) if pictures else []
            if self._missing.cached or "failed" in outcomes.values():
                self._note(outcomes, is_all=False)
        finally:
            self._catching_up.release()

    def overdue(self, pictures: Iterable[Picture], now: datetime) -> list[str]:
        """The ids of those that Instagram names and that could not be had for a while, as far as anybody noticed."""
        missing = self._missing.load()
        named = [picture.id for picture in pictures if picture.url]
        ids = [name for name in named if missing and missing.is_overdue(name, now)]
        return ids if ids and self._are_some_absent(ids[:FEW]) else []

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

    def _made_once(self, picture: Picture, width: int) -> bytes:
        with self._alone(picture.id):
            kept = self._kept(picture.id, width)
            if kept is None:
                files = self._make_if_allowed(picture)
                self._keep(picture.id, files)
                kept = files[width]
            return kept

    def _leave_over(self, picture: Picture) -> None:
        with self._memory_lock:
            if len(self._left_over) < MOST_LEFT_OVER:
                self._left_over[picture.id] = picture

    def _note(self, outcomes: Mapping[str, Mirrored], *, is_all: bool) -> None:
        """Write down for the status what could not be had, if that is news."""
        with self._memory_lock:
            self._failed.difference_update(outcomes)
        known, now = self._missing.load(), self._clock()
        missing = (known or MissingPictures(now, {})).after(outcomes, now, is_all=is_all)
        if missing.since == (known.since if known else {}):
            return
        if missing.since:
            self._missing.save(missing)
        else:
            self._missing.delete()

    def _are_some_absent(self, ids: Sequence[str]) -> bool:
        try:
            return None in self._store.get_all([_key(picture_id, WIDTHS[0]) for picture_id in ids])
        except StoreError:
            return True

    def _mirror(self, pictures: Iterable[Picture], deadline: Deadline, make: Make) -> list[tuple[str, Mirrored]]:
        places = Semaphore(DOWNLOADS)
        with ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="igfeed-mirror") as threads:
            one = partial(self._mirror_one, places, deadline, make)
            mirrored = list(threads.map(one, _as_places_fall_free(pictures, places)))
        if any(outcome == "left" for _, outcome in mirrored):
            log.info("The time for mirroring is over, the rest follows with the next one or with its first view")
        return mirrored

    def _mirror_one(self, places: Semaphore, deadline: Deadline, make: Make, picture: Picture) -> tuple[str, Mirrored]:
        try:
            return picture.id, self._outcome(deadline, make, picture)
        finally:
            places.release()

    def _outcome(self, deadline: Deadline, make: Make, picture: Picture) -> Mirrored:
        try:
            if not deadline.left():
                return "left"
            if not self._is_missing(picture.id):
                self._look_at_kept(picture)
                return "kept"
            with self._alone(picture.id):
                files = self._files_at_hand(picture.id) or make(picture)
                return "stored" if self._keep(picture.id, files) else "failed"
        except NoPicture:
            return "nowhere"
        except PictureUnavailable as error:
            log.warning("Picture %s could not be mirrored: %s", picture.id, error)
            return "failed"

    def _look_at_kept(self, picture: Picture) -> None:
        """Learn the colour of what another process has kept."""
        content = None if self.colour(picture) else self._kept(picture.id, WIDTHS[0])
        if content is None:
            return
        from igfeed.feed.imaging import colour  # noqa: PLC0415  as below

        with suppress(PictureUnavailable):
            self._learn(picture.id, colour(content))

    def _learn(self, picture_id: str, colour: str) -> None:
        with self._memory_lock:
            self._colours[picture_id] = colour

    def _is_missing(self, picture_id: str) -> bool:
        """Nowhere, or in this process only because the store could not take it.

        The smallest file is written last, so it stands for all of them, and is the cheapest to ask for.
        """
        return _key(picture_id, WIDTHS[0]) in self._unsaved or self._kept(picture_id, WIDTHS[0]) is None

    def _files_at_hand(self, picture_id: str) -> dict[int, bytes] | None:
        """All of its files where this process has them and the store could not take them."""
        with self._memory_lock:
            found = {width: self._memory.get(_key(picture_id, width)) for width in WIDTHS}
        return {width: content for width, content in found.items() if content} if all(found.values()) else None

    def _known(self, picture_id: str, width: int) -> bytes | None:
        """The same as ``_kept``, but what the store has just not had it is not asked for again."""
        key = _key(picture_id, width)
        with self._memory_lock:
            if key in self._absent:
                return self._memory.get(key)
        return self._kept(picture_id, width)

    def _check_absence(self, picture_id: str, width: int) -> None:
        """Raises PictureUnavailable if the store is away: it may have a picture that Instagram no longer has."""
        with self._memory_lock:
            if _key(picture_id, width) not in self._absent:
                raise PictureUnavailable("Instagram sent no picture for this post, and the store does not answer.")

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
        with self._memory_lock:
            self._absent[key] = True
        return None

    def _make_if_allowed(self, picture: Picture) -> dict[int, bytes]:
        """As for a view: not while a failure's pause lasts."""
        self._check_failures(picture)
        self._claim_trial()
        return self._make(picture)

    def _make(self, picture: Picture) -> dict[int, bytes]:
        """All widths at once: the address will be dead by the time another one is asked for."""
        if picture.url is None:
            raise NoPicture("Instagram sent no picture for this post.")
        try:
            file = self._instagram.picture(picture.url)
            self._quiet = None
            # Pillow is a twentieth of a cold start, and a kept picture is shown without it.
            from igfeed.feed.imaging import render  # noqa: PLC0415

            with self._decodings:
                rendered = render(file, QUALITY)
        except PictureUnavailable as error:
            self._remember_failure(picture.id, picture.url, error)
            raise
        self._learn(picture.id, rendered.colour)
        return rendered.files

    def _check_failures(self, picture: Picture) -> None:
        """Refuse at once what would only fail again: a page asks for many pictures, and many people for a page."""
        if picture.url is None:
            raise NoPicture("Instagram sent no picture for this post.")
        with self._memory_lock:
            refusal = self._refusals.get(fingerprint(picture.url))
        if refusal:
            raise refusal.kind(refusal.message)
        quiet = self._quiet
        if quiet and not quiet.is_over:
            raise PicturesUnreachable("Instagram's pictures are out of reach.")

    def _claim_trial(self) -> None:
        """After a failure's pause one view finds out; the others do not fill the server with waiting."""
        if self._quiet:
            self._quiet = Pause(self._clock, PAUSE)

    def _remember_failure(self, picture_id: str, url: str, error: PictureUnavailable) -> None:
        if isinstance(error, PicturesUnreachable):
            self._quiet = Pause(self._clock, PAUSE)
        with self._memory_lock:
            if not isinstance(error, NoPicture):
                self._failed.add(picture_id)
            if not isinstance(error, PicturesUnreachable):
                self._refusals[fingerprint(url)] = _Refusal(type(error), str(error))

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
            self._absent.pop(key, None)

    def _alone(self, picture_id: str) -> Lock:
        """At most one thread at a time makes a picture; its lock lives while anybody has it or waits for it."""
        with self._memory_lock:
            return self._making.setdefault(picture_id, Lock())


def _seconds(clock: Clock) -> Callable[[], float]:
    return lambda: clock.monotonic_ns() / 1e9


def _forgotten_at(_: str, refusal: _Refusal, now: float) -> float:
    is_final = issubclass(refusal.kind, PictureRefused | NoPicture)
    return now + (REFUSAL_PAUSE if is_final else RETRY_PAUSE).total_seconds()


def _as_places_fall_free(pictures: Iterable[Picture], places: Semaphore) -> Iterator[Picture]:
    """One by one, so that a progress bar around them shows what is done and not what is planned."""
    for picture in pictures:
        places.acquire()
        yield picture


def _key(picture_id: str, width: int) -> str:
    return f"picture:v1:{picture_id}-{width}"


def _decoded(text: str | None) -> bytes | None:
    """The file; None for anything that is no WebP."""
    try:
        content = base64.b64decode(text or "", validate=True)
    except ValueError:
        return None
    return content if content[8:12] == b"WEBP" else None
