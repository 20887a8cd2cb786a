"""A screen print on paper, and the shapes that its stencils are cut to.

A :class:`Print` is a sheet of paper. Each :meth:`Print.ink` prints one ink, flat or as a gradient, inside some shapes.
A shape is a list of points. The largest square in the middle of the sheet reaches from -1 to 1 in both directions.
"""

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import cycle
from math import cos, floor, pi, sin
from random import Random

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageOps

Point = tuple[float, float]
Shape = list[Point]
Inks = Sequence[str]

WHITE, CREAM, SAND, STONE = "#fffaf0", "#f5ead7", "#ead3ae", "#c9b79c"
OCHRE, APRICOT, CORAL, BRICK, WINE = "#e0a13a", "#f3b98a", "#e8745a", "#b5452f", "#5c2438"
BLUSH, ROSE, PLUM, COCOA = "#f6d5c6", "#e5a09a", "#59425f", "#6b3a25"
MIST, SKY, TEAL, PETROL, PINE, MOSS = "#cfe0da", "#8dbac4", "#3d8f90", "#1d5a66", "#1c3d3b", "#7d8b55"
BLUE, DEEP, NIGHT, INK, GREEN, LIME = "#3f6f96", "#1b3f5c", "#0e1f36", "#20242e", "#6fd0a0", "#b9f0b4"

FINE = 3  # stencils are cut this many times too large, then reduced: that smooths their edges
CLEAR, THIN, HALF, DENSE = "00", "40", "90", "e0"  # appended to a colour: how much of it covers the paper


class Print:
    """A sheet of paper that takes one ink after the other."""

    def __init__(self, width: int, height: int, seed: str) -> None:
        self.paper = Image.new("RGB", (width, height))
        self.unit = min(width, height) / 2
        self.right, self.bottom = width / 2 / self.unit, height / 2 / self.unit
        # Seeded by its name, so that a picture is the same in every process and after every restart.
        self.random = Random(seed)

    def ink(
        self, shapes: Iterable[Sequence[Point]], *colours: str, tones: Sequence[float] = (1,), soft: float = 0,
        across: bool = False, within: Image.Image | None = None,
    ) -> Image.Image:  # fmt: skip
        """Fill the shapes with a gradient from the first colour to the last, and return their stencil (a mask)."""
        unit, (width, height) = self.unit * FINE, self.paper.size
        stencil = Image.new("L", (width * FINE, height * FINE))
        pen = ImageDraw.Draw(stencil)
        for shape, tone in zip(shapes, cycle(tones), strict=False):
            pen.polygon([((self.right + x) * unit, (self.bottom + y) * unit) for x, y in shape], round(255 * tone))
        stencil = stencil.reduce(FINE).filter(ImageFilter.GaussianBlur(soft * self.unit))
        return self.lay(ImageChops.multiply(stencil, within) if within else stencil, *colours, across=across)

    def lay(self, stencil: Image.Image, *colours: str, across: bool = False) -> Image.Image:
        # Only the rectangle that has ink in it. An empty stencil has none.
        if extent := stencil.getbbox():
            paint = gradient(colours, (extent[2] - extent[0], extent[3] - extent[1]), across=across)
            self.paper.paste(paint, extent, ImageChops.multiply(stencil.crop(extent), paint.getchannel("A")))
        return stencil

    def flood(self, *colours: str, top: float = -9, bottom: float = 9) -> None:
        self.ink([box(-self.right, max(top, -self.bottom), self.right, min(bottom, self.bottom))], *colours)

    def glow(self, x: float, y: float, radius: float, colour: str) -> None:
        size, stencil = round(2 * radius * self.unit), Image.new("L", self.paper.size)
        halo = ImageOps.invert(Image.radial_gradient("L")).point([max(0, v - 74) ** 2 // 129 for v in range(256)])
        corner = round((self.right + x - radius) * self.unit), round((self.bottom + y - radius) * self.unit)
        stencil.paste(halo.resize((size, size), Image.Resampling.BICUBIC), corner)
        self.lay(stencil, colour)

    def mirror(self, horizon: float, *tint: str, ripple: float = 0.012) -> None:
        """Turn everything below the horizon into water that shows what is above it."""
        width, edge = self.paper.width, round((self.bottom + horizon) * self.unit)
        above = ImageOps.flip(self.paper.crop((0, 0, width, edge)))
        self.paper.paste(above, (0, edge))
        for row in range(0, self.paper.height - edge, 2):
            depth = row / self.unit
            shift = sin(40 * depth**0.7) * cos(173 * depth) * ripple * (0.3 + depth)
            self.paper.paste(above.crop((0, row, width, row + 2)), (round(shift * self.unit), edge + row))
        self.flood(*tint, top=horizon)

    def terrain(self, y: float, height: float, hills: float = 1.5, octaves: int = 6) -> Shape:
        """The crest of a range of hills from edge to edge: more octaves make it more rugged."""
        lattice = [self.random.random() for _ in range(61)]
        xs = [-self.right + step * 0.006 for step in range(round(self.right / 0.003) + 2)]
        peaks = [sum(noise(lattice, (x * hills + 9) * 2**n) / 2**n for n in range(octaves)) / 2 for x in xs]
        return [(x, y - height * peak) for x, peak in zip(xs, peaks, strict=True)]

    def forest(self, crest: Sequence[Point], low: float, high: float, *colours: str) -> None:
        """Firs along the crest, of random heights from ``low`` to ``high``, on ground of the same ink."""
        firs = [pine(x, y + low * 0.4, self.random.uniform(low, high)) for x, y in crest]
        self.ink([below([(x, y + low * 0.3) for x, y in crest]), *firs], *colours)

    def scatter(self, count: int, top: float = -9, bottom: float = 9) -> Iterator[Point]:
        top, bottom = max(top, -self.bottom), min(bottom, self.bottom)
        for _ in range(count):
            yield self.random.uniform(-self.right, self.right), self.random.uniform(top, bottom)

    def specks(self, count: int, colour: str, bottom: float = 9, within: Image.Image | None = None) -> None:
        dots = [disc(x, y, self.random.choice((0.003, 0.004, 0.007))) for x, y in self.scatter(count, bottom=bottom)]
        self.ink(dots, colour, tones=(0.4, 1, 0.7, 0.5, 0.9), within=within)

    def jpeg(self) -> bytes:
        """The finished print as a JPEG file, with the texture of paper and slightly uneven inks."""
        width, height = self.paper.size
        grain = self.random.randbytes(width * height)
        tooth = Image.frombytes("L", (width, height), grain).filter(ImageFilter.GaussianBlur(0.6))
        blotches = Image.frombytes("L", (1 + width // 24, 1 + height // 24), grain).resize(tooth.size)
        texture = ImageChops.blend(blotches, tooth, 0.8).point([round(105 + v * 0.18) for v in range(256)])
        printed = ImageChops.soft_light(self.paper, Image.merge("RGB", [texture] * 3))
        printed.save(file := BytesIO(), "JPEG", quality=88)
        return file.getvalue()


def gradient(colours: Inks, size: tuple[int, int], *, across: bool) -> Image.Image:
    found = (ImageColor.getcolor(colour, "RGBA") for colour in (colours if colours[1:] else [*colours, *colours]))
    stops = [colour for colour in found if isinstance(colour, tuple)]  # It drops none: the check is for the types.
    strip = Image.new("RGBA", (1, len(stops)))
    strip.putdata(stops)
    between = (0, 0.5, 1, len(stops) - 0.5)
    strip = strip.resize((1, size[0] if across else size[1]), Image.Resampling.BILINEAR, between)
    return (strip.transpose(Image.Transpose.TRANSPOSE) if across else strip).resize(size, Image.Resampling.NEAREST)


def mix(one: str, other: str, share: float) -> str:
    """The first colour mixed with a share (0 to 1) of the other one."""
    pairs = zip(ImageColor.getrgb(one), ImageColor.getrgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def lit(colour: str) -> tuple[str, str, str]:
    """The colours of a round body: its lit side, the colour itself, and its shaded side."""
    return mix(colour, WHITE, 0.35), colour, mix(colour, INK, 0.35)


def noise(lattice: Sequence[float], x: float) -> float:
    """Value noise: the lattice's values at whole numbers, smoothly interpolated between them."""
    step, part = floor(x), x - floor(x)
    before, after = lattice[step % len(lattice)], lattice[(step + 1) % len(lattice)]
    return before + (after - before) * part * part * (3 - 2 * part)


def box(left: float, top: float, right: float, bottom: float) -> Shape:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def below(crest: Sequence[Point]) -> Shape:
    return [*crest, (crest[-1][0], 9), (crest[0][0], 9)]


def arc(x: float, y: float, rx: float, ry: float, *, start: float = 0, end: float = 360) -> Shape:
    steps = 16 + round(120 * rx)
    angles = [(start + (end - start) * n / steps) * pi / 180 for n in range(steps + 1)]
    return [(x + rx * cos(angle), y + ry * sin(angle)) for angle in angles]


def disc(x: float, y: float, radius: float, flat: float = 1) -> Shape:
    return arc(x, y, radius, radius * flat)


def strip(path: Sequence[Point], dx: float, dy: float) -> Shape:
    """The area that the path covers when it is moved by dx, dy."""
    return [*path, *((x + dx, y + dy) for x, y in reversed(path))]


def spline(points: Sequence[Point], steps: int = 14) -> Shape:
    """A smooth curve through the points (Catmull-Rom); it closes if they end where they begin."""
    closed = points[0] == points[-1]
    path = [points[-2] if closed else points[0], *points, points[1] if closed else points[-1]]
    curve = []
    for knots in zip(path, path[1:], path[2:], path[3:], strict=False):
        for t in (step / steps for step in range(steps)):
            pull = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
            x, y = (sum(w * knot[axis] for w, knot in zip(pull, knots, strict=True)) / 2 for axis in (0, 1))
            curve.append((x, y))
    return [*curve, points[-1]]


def moved(points: Iterable[Point], x: float, y: float, size: float = 1, angle: float = 0) -> Shape:
    """The points around the origin, scaled, turned clockwise by radians and moved to x, y."""
    c, s = cos(angle) * size, sin(angle) * size
    return [(x + px * c - py * s, y + px * s + py * c) for px, py in points]


def turned(side: Sequence[Point], x: float, y: float) -> Shape:
    """A symmetrical outline around x, y, of which ``side`` is the right half."""
    return [(x + dx, y + dy) for dx, dy in side] + [(x - dx, y + dy) for dx, dy in reversed(side)]


def pine(x: float, foot: float, height: float) -> Shape:
    side = [(0.0, -height)]
    for share in (tier / 7 for tier in range(1, 8)):
        reach, fall = height * 0.26 * share, height * (0.95 * share - 1)
        side += [(reach, fall + height * 0.05), (reach * 0.55, fall)]
    return turned([*side, (height * 0.03, -height * 0.05), (height * 0.03, height * 0.03)], x, foot)
