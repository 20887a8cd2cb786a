"""The layout ``highlight``: each seventh post takes two columns and two rows, and no cell of the grid stays empty."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count, pairwise, product

from msgspec import Struct

EACH = 7
"""The first post of each seven is large."""

Span = tuple[int, int]
"""How many columns and rows a tile takes."""

LARGE: Span = (2, 2)
SMALL: Span = (1, 1)


class Rule(Struct, frozen=True):
    """The tiles of this selector take so many columns and rows."""

    selector: str
    columns: int
    rows: int


class Step(Struct, frozen=True):
    """The rules for feeds of some width. ``condition`` is that of a container query, empty for any width."""

    condition: str
    rules: tuple[Rule, ...]


def steps(posts: int, limit: int, columns: Iterable[tuple[int, float]]) -> Iterator[Step]:
    """The rules for a page of ``limit`` posts, to which a script may add later pages, up to ``posts`` in all.

    Each page fills its rows, so that the next one begins a row. ``columns`` are numbers of columns, each with the least
    width of the feed in ``rem``.
    """
    for (number, least), (_, end) in pairwise((*columns, (0, 0.0))):
        limits = [f"width>={least}rem" if least else "", f"width<{end}rem" if end else ""]
        yield Step(" and ".join(f"({each})" for each in limits if each), tuple(_rules(posts, limit, number)))


def _rules(posts: int, limit: int, columns: int) -> Iterator[Rule]:
    whole = posts - posts % limit
    for place, span in spans(limit, columns).items():
        if whole:
            among = f":nth-child(-n+{whole})" if whole < posts else ""
            yield Rule(f":nth-child({limit}n+{place}){among}" if posts > limit else f":nth-child({place})", *span)
    for place, span in spans(posts - whole, columns).items():
        yield Rule(f":nth-child({whole + place})", *span)


def spans(posts: int, columns: int) -> Mapping[int, Span]:
    """The tiles of a page that take more than one cell, by their place from 1.

    The last tiles are wide if the last row would have empty cells otherwise. Where even that leaves some, the last
    large tile is small. Fewer posts than columns are all small.
    """
    if columns == 1 or posts < columns:
        return {}
    places = range(1, posts + 1, EACH)
    for number in range(len(places), -1, -1):
        large = dict.fromkeys(places[:number], LARGE)
        for filled in _filled(posts, columns, large):
            if _is_whole(posts, columns, filled):
                return filled
    return {}


def rows(posts: int, columns: int) -> int:
    """How many rows the page takes."""
    cells = _cells(posts, columns, spans(posts, columns))
    return 1 + max((row for row, _ in cells), default=-1)


def _filled(posts: int, columns: int, large: Mapping[int, Span]) -> Iterator[Mapping[int, Span]]:
    """Ways to fill the last row: with a wide tile for each empty cell, or with one that is wide enough for all."""
    empty = -(posts + 3 * len(large)) % columns
    small = [place for place in range(posts, 0, -1) if place not in large]
    if empty == 0:
        yield large
    elif len(small) >= empty:
        yield {**large, **dict.fromkeys(small[:empty], (2, 1))}
    if empty and small:
        yield {**large, small[0]: (1 + empty, 1)}


def _is_whole(posts: int, columns: int, spans: Mapping[int, Span]) -> bool:
    cells = _cells(posts, columns, spans)
    return len(cells) == columns * (1 + max((row for row, _ in cells), default=-1))


def _cells(posts: int, columns: int, spans: Mapping[int, Span]) -> set[tuple[int, int]]:
    """The cells (row, column) that are taken by CSS's dense packing: each tile in the first place where it fits."""
    taken: set[tuple[int, int]] = set()
    first = 0  # The first row with an empty cell: without it a page of a hundred posts takes a tenth of a second.
    for place in range(1, posts + 1):
        wide, high = spans.get(place, SMALL)
        while all((first, column) in taken for column in range(columns)):
            first += 1
        for row, column in ((row, column) for row in count(first) for column in range(columns - wide + 1)):
            cells = set(product(range(row, row + high), range(column, column + wide)))
            if not cells & taken:
                taken |= cells
                break
    return taken
