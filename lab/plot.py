"""A drawing of a few curves on two logarithmic axes, readable on light and on dark ground."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import log10
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 420, 64, 44, 20, 150
LINE = 16
COLOURS = ("#8a8f98", "#d9543f", "#2a7f8e", "#b8860b")

Place = Callable[[float, float], tuple[float, float]]
Points = Sequence[tuple[float, float]]


def drawing(series: Mapping[str, Points], title: str) -> str:
    """SVG with one line for each series, its name at its end."""
    points = [point for line in series.values() for point in line]
    (x_least, x_most), (y_least, y_most) = (_decades([point[axis] for point in points]) for axis in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        across = (log10(x) - x_least) / (x_most - x_least)
        up = (log10(y) - y_least) / (y_most - y_least)
        return round(LEFT + across * (WIDTH - LEFT - RIGHT), 1), round(
            HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP), 1
        )

    parts = [*_grid(place, (x_least, x_most), (y_least, y_most)), *_lines(place, series)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui,sans-serif"'
        f' font-size="12" fill="#8a8f98" role="img" aria-label="{escape(title)}">\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _decades(values: Sequence[float]) -> tuple[int, int]:
    logs = [log10(value) for value in values]
    return int(min(logs)), int(-(-max(logs) // 1))


def _grid(place: Place, x_range: tuple[int, int], y_range: tuple[int, int]) -> Iterator[str]:
    bottom, start, end = 10.0 ** y_range[0], 10.0 ** x_range[0], 10.0 ** x_range[1]
    for exponent in range(y_range[0], y_range[1] + 1):
        (left, y), (right, _) = place(start, 10.0**exponent), place(end, 10.0**exponent)
        yield f'<path d="M{left} {y}H{right}" stroke="#8a8f98" stroke-opacity=".25"/>'
        yield f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{_power(exponent)}</text>'
    for exponent in range(x_range[0], x_range[1] + 1):
        x, y = place(10.0**exponent, bottom)
        yield f'<text x="{x}" y="{y + 20}" text-anchor="middle">{_power(exponent)}</text>'


def _lines(place: Place, series: Mapping[str, Points]) -> Iterator[str]:
    placed = {name: [place(x, y) for x, y in line] for name, line in series.items()}
    heights = _apart({name: line[-1][1] for name, line in placed.items()})
    for (name, line), colour in zip(placed.items(), COLOURS, strict=False):
        path = "L".join(f"{x} {y}" for x, y in line)
        yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.5" stroke-linejoin="round"/>'
        end, height = line[-1][0] + 8, heights[name] + 4
        yield f'<text x="{end}" y="{height}" fill="{colour}" font-weight="600">{escape(name)}</text>'


def _apart(heights: Mapping[str, float]) -> dict[str, float]:
    """The same from above to below, with room for a line of text between each two."""
    placed: dict[str, float] = {}
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        placed[name] = max(height, max(placed.values(), default=-LINE) + LINE)
    return placed


def _power(exponent: int) -> str:
    return f"10{str(exponent).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
