"""Reads Instagram's list of posts page by page, until it has enough posts that visitors see."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from igfeed.instagram.page_size import MAX_PAGE_SIZE
from igfeed.models import Media, Post, SkippedEntry

MAX_PASSED_OVER = 200
"""How many posts that are not shown a reading may skip. They are two or three further pages."""

IsShown = Callable[[Post], bool]
"""Whether visitors see a post: the owner may have hidden it."""


def every_post(post: Post) -> bool:  # noqa: ARG001  an ``IsShown``
    return True


def beginning(posts: Iterable[Post], shown: int, is_shown: IsShown) -> tuple[Post, ...]:
    """The first of ``posts``, as many as are needed for ``shown`` posts that visitors see. All if there are fewer."""
    result: list[Post] = []
    left = shown
    for post in posts:
        if not left:
            break
        result.append(post)
        left -= is_shown(post)
    return tuple(result)


class Reading:
    """One reading of the list, newest first, until ``limit`` posts that are shown are found."""

    def __init__(self, limit: int, is_shown: IsShown) -> None:
        self._limit = limit
        self._is_shown = is_shown
        self._found: dict[str, Post] = {}
        self._skipped: list[SkippedEntry] = []
        self._cooldown = timedelta()
        self._shown = 0

    def add(self, entries: Iterable[Post | SkippedEntry], cooldown: timedelta) -> None:
        """Add the entries of one more page."""
        self._cooldown = max(self._cooldown, cooldown)
        for entry in entries:
            if isinstance(entry, SkippedEntry):
                self._skipped.append(entry)
            # A post published during the fetch moves the others, so two pages may have the same one.
            elif entry.id not in self._found:
                self._found[entry.id] = entry
                self._shown += self._is_shown(entry)

    @property
    def posts(self) -> int:
        """How many posts were found, shown or not."""
        return len(self._found)

    @property
    def has_enough(self) -> bool:
        return self._shown >= self._limit or self._passed_over >= MAX_PASSED_OVER

    @property
    def next_size(self) -> int:
        """How many posts to ask for. Full pages once a post was not shown, because more of them may follow."""
        return MAX_PAGE_SIZE if self._passed_over else self._limit

    def media(self, *, is_complete: bool, is_at_end: bool, clock_ahead: timedelta) -> Media:
        posts = beginning(self._found.values(), self._limit, self._is_shown)
        return Media(posts, self._cooldown, tuple(self._skipped), is_complete, clock_ahead, is_at_end)

    @property
    def _passed_over(self) -> int:
        return len(self._found) - self._shown
