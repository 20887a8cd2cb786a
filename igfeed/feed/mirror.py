"""Copies all of the feed's pictures, for the cron, and records which of them failed.

Instagram's addresses die after some four days. A picture that was copied before can be shown for as long as its post.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock, Semaphore

from igfeed.clock import Clock, Deadline
from igfeed.errors import NoPicture, PictureUnavailable
from igfeed.feed.missing_pictures import Mirrored, MissingPictures
from igfeed.feed.picture_files import WIDTHS, Files
from igfeed.feed.pictures import Pictures, formats_of
from igfeed.models import Picture
from igfeed.stores import Store
from igfeed.stores.cached_document import CachedDocument
from igfeed.threads import ThreadPool

log = logging.getLogger(__name__)

MISSING_PICTURES_KEY = "pictures-missing:v1"

MAX_DOWNLOADS = 4
"""How many pictures are downloaded at once. They wait for the network most of the time."""

MAX_CHECKED_MISSING = 5
"""How many of the missing pictures the status asks the store for. A view may have stored them since."""

CATCH_UP_LIMIT = 10.0
"""Seconds after which ``catch_up`` begins no further picture, because the same thread also fetches the feed."""

Make = Callable[[Picture], Files]
"""Downloads a picture and gives its files. Raises PictureUnavailable."""


@dataclass(frozen=True)
class MirrorReport:
    """How many files were stored, were kept already, and failed. A picture counts once for each width.

    A width in two formats counts as one.
    """

    stored: int = 0
    kept: int = 0
    failed: int = 0


class Mirror:
    """Threads may share it."""

    keys = (MISSING_PICTURES_KEY,)
    """The store's keys that ``overdue`` always reads."""

    def __init__(self, pictures: Pictures, store: Store, clock: Clock) -> None:
        self._pictures = pictures
        self._files = pictures.files
        self._clock = clock
        self._missing = CachedDocument(store, MISSING_PICTURES_KEY, MissingPictures.from_text)
        self._catching_up = Lock()

    def copy_all(self, pictures: Iterable[Picture], deadline: Deadline) -> MirrorReport:
        """Keep every picture in every width, until the deadline. Pictures without an address are skipped.

        It ignores the pauses that follow a failure.
        """
        copied = self._copy(pictures, deadline, self._pictures.make)
        self._note(dict(copied), is_all=True)
        files = {outcome: number * len(WIDTHS) for outcome, number in Counter(each[1] for each in copied).items()}
        return MirrorReport(files.get("stored", 0), files.get("kept", 0), files.get("failed", 0))

    def catch_up(self) -> None:
        """After an answer: make the pictures that views could not wait for, and note those that failed.

        Does nothing if another thread is doing it.
        """
        if not self._catching_up.acquire(blocking=False):
            return
        try:
            pictures, failed = self._pictures.take_postponed()
            outcomes: dict[str, Mirrored] = dict.fromkeys(failed, "failed")
            if pictures:
                outcomes |= self._copy(pictures, Deadline(CATCH_UP_LIMIT), self._pictures.make_if_allowed)
            if self._missing.cached or "failed" in outcomes.values():
                self._note(outcomes, is_all=False)
        finally:
            self._catching_up.release()

    def overdue(self, pictures: Iterable[Picture], now: datetime) -> list[str]:
        """The ids of pictures that Instagram has and that failed for more than an hour, as far as is known."""
        missing = self._missing.load()
        ids = [picture.id for picture in pictures if picture.url and missing and missing.is_overdue(picture.id, now)]
        return ids if ids and self._files.are_some_missing(ids[:MAX_CHECKED_MISSING]) else []

    def _note(self, outcomes: Mapping[str, Mirrored], *, is_all: bool) -> None:
        """Store which pictures failed, for the status. Writes only if that has changed."""
        self._pictures.forget_failed(outcomes)
        known, now = self._missing.load(), self._clock()
        missing = (known or MissingPictures(now, {})).after(outcomes, now, is_all=is_all)
        if missing.since == (known.since if known else {}):
            return
        if missing.since:
            self._missing.save(missing)
        else:
            self._missing.delete()

    def _copy(self, pictures: Iterable[Picture], deadline: Deadline, make: Make) -> list[tuple[str, Mirrored]]:
        places = Semaphore(MAX_DOWNLOADS)
        with ThreadPool(MAX_DOWNLOADS, thread_name_prefix="igfeed-mirror") as threads:
            copy_one = partial(self._copy_one, places, deadline, make)
            copied = list(threads.map(copy_one, _as_places_fall_free(pictures, places)))
        if any(outcome == "left" for _, outcome in copied):
            log.info("The time for mirroring is over, the rest follows with the next one or with its first view")
        return copied

    def _copy_one(self, places: Semaphore, deadline: Deadline, make: Make, picture: Picture) -> tuple[str, Mirrored]:
        try:
            return picture.id, self._outcome(deadline, make, picture)
        finally:
            places.release()

    def _outcome(self, deadline: Deadline, make: Make, picture: Picture) -> Mirrored:
        try:
            return self._mirrored(make, picture) if deadline.left() else "left"
        except PictureUnavailable as error:
            if "avif" in formats_of(picture) and not self._files.is_missing(picture.id, "webp"):
                return "kept"  # As WebP. An earlier version made no AVIF, and it cannot be made now.
            if isinstance(error, NoPicture):
                return "nowhere"
            log.warning("Picture %s could not be mirrored: %s", picture.id, error)
            return "failed"

    def _mirrored(self, make: Make, picture: Picture) -> Mirrored:
        """Raises PictureUnavailable."""
        formats = formats_of(picture)
        if not self._files.is_missing(picture.id, formats[-1]):
            self._files.find_measures(picture, formats[-1])
            return "kept"
        with self._pictures.one_thread(picture.id):
            files = self._files.in_memory(picture.id, formats) or make(picture)
            return "stored" if self._files.save(picture.id, files) else "failed"


def _as_places_fall_free(pictures: Iterable[Picture], places: Semaphore) -> Iterator[Picture]:
    """One picture whenever a thread is free.

    The executor alone would take all at once. A progress bar around ``pictures`` would then be full at the start.
    """
    for picture in pictures:
        places.acquire()
        yield picture
