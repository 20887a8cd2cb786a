"""Where tiles stand: pictures as they are, and large posts without empty cells."""

from itertools import product

import pytest

from igfeed.models import Picture
from igfeed.widget.layouts.highlight import LARGE, rows, spans, steps
from igfeed.widget.layouts.shapes import HIGHEST, LOWEST, SQUARE, average_width, shape_of

ANY = [(posts, columns) for posts in range(1, 101) for columns in range(2, 9)]


def place(posts: int, columns: int) -> tuple[int, set[tuple[int, int]]]:
    """How many rows a browser makes of these tiles, and which cells stay empty."""
    chosen, taken, first = spans(posts, columns), set[tuple[int, int]](), 0
    for number in range(1, posts + 1):
        wide, high = chosen.get(number, (1, 1))
        while divmod(first, columns) in taken:
            first += 1
        start = first
        while True:
            row, column = divmod(start, columns)
            cells = {(row + down, column + right) for down, right in product(range(high), range(wide))}
            if column + wide <= columns and not cells & taken:
                taken |= cells
                break
            start += 1
    last = max(row for row, _ in taken)
    return last + 1, set(product(range(last + 1), range(columns))) - taken


def test_no_cell_stays_empty_for_any_number_of_posts() -> None:
    holes = {each: place(*each)[1] for each in ANY if each[0] >= each[1]}

    assert {each: cells for each, cells in holes.items() if cells} == {}


def test_the_rows_are_counted_as_a_browser_makes_them() -> None:
    assert [rows(*each) for each in ANY] == [place(*each)[0] for each in ANY]


@pytest.mark.parametrize("columns", [2, 3, 4, 6])
def test_each_seventh_post_of_a_usual_page_is_large(columns: int) -> None:
    assert [number for number, span in spans(12, columns).items() if span == LARGE] == [1, 8]


def test_fewer_posts_than_columns_and_a_single_column_are_all_small() -> None:
    assert spans(3, 4) == spans(12, 1) == {}


def test_later_pages_begin_their_pattern_anew() -> None:
    (step,) = steps(26, 12, [(3, 0.0)])

    assert [(rule.selector, rule.columns, rule.rows) for rule in step.rules] == [
        (":nth-child(12n+1):nth-child(-n+24)", 2, 2),
        (":nth-child(12n+8):nth-child(-n+24)", 2, 2),
    ]
    (step,) = steps(7, 12, [(2, 0.0)])
    assert [rule.selector for rule in step.rules] == [":nth-child(1)"]


def test_the_steps_of_the_columns_do_not_overlap() -> None:
    conditions = [step.condition for step in steps(12, 12, [(2, 0.0), (3, 22.5), (4, 45.0)])]

    assert conditions == ["(width<22.5rem)", "(width>=22.5rem) and (width<45.0rem)", "(width>=45.0rem)"]


@pytest.mark.parametrize(
    ("size", "height"),
    [((1080, 1350), 125), ((1080, 566), 52), (None, SQUARE), ((1, 65535), HIGHEST), ((65535, 1), LOWEST)],
)
def test_the_shape_of_a_picture_is_its_height_for_a_width_of_100(size: tuple[int, int] | None, height: int) -> None:
    assert shape_of(Picture("1", size=size), gap=4).height == height


def test_the_average_width_is_that_at_one_height() -> None:
    pictures = [Picture("1", size=(100, 100)), Picture("2", size=(200, 100)), Picture("3")]

    assert average_width(pictures) == 1.333
    assert average_width([]) == 1
