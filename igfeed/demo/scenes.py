"""The pictures of the demo account, because a feed without pictures convinces nobody.

A scene is a function that draws from back to front. :func:`scene` registers it under a name, with an alt text.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import cos, pi, sin
from types import MappingProxyType
from typing import Any

from PIL import Image

from igfeed.demo.drawings import (
    APRICOT,
    BLUE,
    BLUSH,
    BRICK,
    CLEAR,
    COCOA,
    CORAL,
    CREAM,
    DEEP,
    DENSE,
    GREEN,
    HALF,
    INK,
    LIME,
    MIST,
    MOSS,
    NIGHT,
    OCHRE,
    PETROL,
    PINE,
    PLUM,
    ROSE,
    SAND,
    SKY,
    STONE,
    TEAL,
    THIN,
    WHITE,
    WINE,
    Inks,
    Point,
    Print,
    arc,
    below,
    box,
    disc,
    lit,
    mix,
    moved,
    noise,
    pine,
    spline,
    strip,
    turned,
)

_scenes: dict[str, Callable[[Print], None]] = {}
_alts: dict[str, str] = {}
SUBJECTS: Mapping[str, str] = MappingProxyType(_alts)


def scene(name: str, alt: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the decorated function, with these settings, as the picture of this name."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        _scenes[name], _alts[name] = partial(function, **settings), alt
        return function

    return register


USUAL_SIZE = (1080, 1350)
SIZES = {
    "harbour": (1080, 720),
    "coffee": (1080, 1080),
    "moon": (1080, 1080),
    "iceberg": (1080, 1440),
    "dunes": (1080, 566),
    "regatta": (1080, 1440),
    **{f"fells-{number}": (1080, 864) for number in range(1, 5)},
}
"""Width and height in pixels of the pictures that are not 4:5: from the widest that Instagram takes to the highest."""


def draw(subject: str, size: tuple[int, int] | None = None) -> bytes:
    """The JPEG file of a scene, in its own size or in another one, the same bytes each time.

    Raises KeyError if there is no such scene.
    """
    width, height = size or SIZES.get(subject, USUAL_SIZE)
    paint, sheet = _scenes[subject], Print(width, height, subject)
    paint(sheet)
    return sheet.jpeg()


@scene("fells-1", "Layers of misty rose mountains below a low coral sun.",
       sky=(APRICOT, BLUSH, CREAM), sun=(0.25, -0.3, 0.24, CORAL), far=ROSE, near=WINE, haze=BLUSH)  # fmt: skip
@scene("fells-2", "Blue mountains fading into the distance under a pale morning sun.",
       sky=(SKY, MIST, CREAM), sun=(-0.3, -0.42, 0.16, WHITE), far=SKY, near=DEEP, haze=MIST)  # fmt: skip
@scene("fells-3", "Moss green ridges and a large ochre sun in the warm haze of an evening.",
       sky=(OCHRE, SAND, CREAM), sun=(0.0, -0.35, 0.34, OCHRE), far=MOSS, near=PINE, haze=SAND)  # fmt: skip
@scene("fells-4", "Mountains at night, deep blue, with a small cream moon.",
       sky=(NIGHT, DEEP, BLUE), sun=(0.35, -0.45, 0.13, CREAM), far=BLUE, near=NIGHT, haze=SKY)  # fmt: skip
def fells(p: Print, *, sky: Inks, sun: tuple[float, float, float, str], far: str, near: str, haze: str) -> None:
    x, y, radius, light = sun
    p.flood(*sky)
    p.glow(x, y, 1, mix(light, WHITE, 0.8) + HALF)
    p.ink([disc(x, y, radius)], light, mix(light, haze, 0.5))
    for layer in range(6):
        crest = mix(far, near, (layer / 5) ** 1.2)
        ridge = p.terrain(0.12 + layer * 0.22, 0.62 - layer * 0.07, hills=1.1 + layer * 0.3)
        p.ink([below(ridge)], crest, mix(crest, haze, 0.75), mix(crest, haze, 0.75))
    p.forest(p.terrain(1.12, 0.3, octaves=2)[::9], 0.14, 0.36, near, mix(near, INK, 0.5))


@scene("press-mark", "The studio's mark: a low sun over a dark fjord, in a ring.")
def press_mark(p: Print) -> None:
    p.flood(CREAM)
    p.ink([disc(0, 0, 0.94)], PETROL)
    face = p.ink([disc(0, 0, 0.84)], APRICOT, CORAL)
    p.ink([disc(0, 0.06, 0.4)], CREAM)
    p.ink([box(-1, 0.12 + layer * 0.14, 1, 1) for layer in range(1)], NIGHT, within=face)
    p.ink(
        [box(-0.34 + step * 0.05, 0.2 + step * 0.1, 0.34 - step * 0.05, 0.23 + step * 0.1) for step in range(5)],
        CREAM,
        within=face,
    )


@scene("lighthouse", "A striped lighthouse on a rock sends its beam over the sea at dusk.")
def lighthouse(p: Print) -> None:
    p.flood(DEEP, PETROL, ROSE, APRICOT, bottom=0.45)
    p.specks(110, CREAM, bottom=-0.3)
    p.flood(TEAL, DEEP, NIGHT, top=0.45)
    glints = [box(x, y, x + p.random.uniform(0.03, 0.25), y + 0.006) for x, y in p.scatter(190, 0.47)]
    p.ink(glints, APRICOT + HALF, APRICOT + CLEAR)
    for side in (-1, 1):
        beam = [(0.2, -0.56), (0.2 + side * 2.5, -0.98), (0.2 + side * 2.5, -0.26)]
        p.ink([beam], *(OCHRE + CLEAR, CREAM + DENSE)[::-side], across=True, soft=0.01)
    tower = p.ink([[(0.1, -0.45), (0.3, -0.45), (0.37, 0.7), (0.03, 0.7)]], CREAM, WHITE, CREAM, STONE, across=True)
    p.ink([box(0, y, 0.5, y + 0.15) for y in (-0.28, 0.02, 0.32)], CORAL, BRICK, WINE, across=True, within=tower)
    p.ink([box(0.07, -0.47, 0.33, -0.43), box(0.13, -0.66, 0.27, -0.45), arc(0.2, -0.65, 0.1, 0.1, start=180)], INK)
    p.ink([box(0.15, -0.62, 0.25, -0.49)], WHITE)
    rock = spline([(-2, 2), (-0.9, 0.96), (-0.55, 0.86), (-0.3, 0.66), (0, 0.58), (0.4, 0.55), (0.7, 0.7), (2, 0.8)])
    p.ink([below(rock)], PLUM, INK, NIGHT)
    p.glow(0.2, -0.56, 0.6, OCHRE + DENSE)


@scene("aurora", "Green northern lights ripple over a still fjord between dark mountains.")
def aurora(p: Print) -> None:
    p.flood(NIGHT, DEEP, PETROL, bottom=0.45)
    p.specks(260, CREAM, bottom=0.4)
    for base, colour in ((-0.1, TEAL), (0.2, GREEN), (0.5, LIME)):
        crest = p.terrain(base, 0.75, hills=1.1, octaves=2)[::5]
        rays = Image.frombytes("L", (50, 1), bytes(p.random.choices(range(90, 256), k=50)))
        curtain = [strip(moved(crest, 0, -step * 0.018), 0, 0.04) for step in range(50, -1, -1)]
        p.ink(curtain, PLUM, colour, colour, tones=[(n / 50) ** 1.7 for n in range(51)], soft=0.02,
              within=rays.resize(p.paper.size, Image.Resampling.BICUBIC))  # fmt: skip
    for height, colour in ((0.42, DEEP), (0.2, NIGHT)):
        p.ink([below(p.terrain(0.45, height, hills=1.7))], colour, mix(colour, PETROL, 0.5))
    p.mirror(0.45, DEEP + THIN, NIGHT + DENSE)


@scene("dunes", "Soft sand dunes with long shadows under a pale disc of sun.")
def dunes(p: Print) -> None:
    p.flood(TEAL, MIST, BLUSH, SAND)
    p.ink([disc(-0.35, -0.45, 0.2)], WHITE)
    back = spline([(-3, 0.9), (-1, 0.35), (-0.3, 0.03), (0, 0), (0.5, 0.2), (1.2, 0.36), (3, 0.6)])
    edge = [*spline([(0, 0), (0.12, 0.14), (0.02, 0.35), (0.25, 0.6), (0.1, 1.2)]), (3, 1.2), (3, -1), (0, -1)]
    for layer, (x, y) in enumerate([(0.5, 0.0), (-0.5, 0.15), (0.35, 0.38), (-0.25, 0.75)]):
        sand, side = mix(BLUSH, OCHRE, 0.3 + layer * 0.2), 1 if layer % 2 else -1
        crest, lee = ([(x + side * dx, y + dy) for dx, dy in line] for line in (back, edge))
        dune = p.ink([below(crest)], mix(sand, WHITE, 0.5), sand, mix(sand, CORAL, 0.5))
        p.ink([lee], mix(BRICK, PLUM, 0.4), CORAL + HALF, CORAL + CLEAR, within=dune)


@scene("cabin", "A snowed-in red cabin with a lit window among firs on a winter night.")
def cabin(p: Print) -> None:
    p.flood(NIGHT, DEEP, BLUE, SKY)
    for y, share in ((0.45, 0.35), (0.65, 0.65)):
        p.forest(p.terrain(y, 0.4, octaves=3)[::8], 0.3, 0.6, mix(SKY, DEEP, share), mix(SKY, DEEP, share - 0.25))
    p.ink([below(p.terrain(0.6, 0.25, octaves=1))], WHITE, MIST, SKY)
    p.glow(0, 0.42, 1.2, OCHRE + HALF)
    walls = [(-0.36, 0.6), (-0.36, 0.2), (0, -0.1), (0.36, 0.2), (0.36, 0.6)]
    p.ink([walls, box(0.16, -0.2, 0.25, 0.2)], BRICK, WINE)
    p.ink([strip([(-0.47, 0.21), (0, -0.21), (0.47, 0.21)], 0, 0.12), box(0.14, -0.23, 0.27, -0.18)], WHITE, MIST)
    p.ink([below(spline([(-3, 0.8), (-1, 0.62), (-0.3, 0.56), (0.4, 0.59), (1, 0.55), (3, 0.7)]))], WHITE, MIST, SKY)
    p.ink([box(x, y, x + 0.09, y + 0.1) for x in (-0.1, 0.01) for y in (0.23, 0.35)], CREAM, OCHRE)
    p.glow(0, 0.34, 0.4, OCHRE + HALF)
    for x, y, size in ((-0.85, 0.95, 0.9), (0.8, 0.8, 1.1), (-0.6, 0.72, 0.5), (1.3, 0.8, 0.8), (-1.4, 0.9, 1.0)):
        p.ink([pine(x, y, size)], mix(PETROL, WHITE, 0.4), PINE, NIGHT)
    p.specks(320, WHITE)


@scene("moon", "A full moon over a calm night sea, its light a path on the water.",
       sky=(NIGHT, DEEP, PETROL, TEAL), sea=(PETROL, DEEP, NIGHT), orb=(-0.35, 0.36), light=(WHITE, SAND),
       spots=((-0.12, -0.1, 0.1), (0.06, 0, 0.07), (-0.08, 0.13, 0.08), (0.18, -0.15, 0.05)), stars=110)  # fmt: skip
@scene("midnight-sun", "The midnight sun touches a violet sea, its light a path on the water.",
       sky=(PLUM, CORAL, APRICOT, CREAM), sea=(ROSE, PLUM, WINE), orb=(0.12, 0.38), light=(CREAM, OCHRE))  # fmt: skip
def calm(p: Print, *, sky: Inks, sea: Inks, orb: Point, light: Inks, spots: Any = (), stars: int = 0) -> None:
    height, radius = orb
    p.flood(*sky, bottom=0.2)
    p.specks(stars, CREAM, bottom=0.1)
    p.glow(0, height, 1.5, light[0] + HALF)
    face = p.ink([disc(0, height, radius)], *light)
    p.ink([disc(x, height + y, size) for x, y, size in spots], STONE + HALF, soft=0.012, within=face)
    p.flood(*sea, top=0.2)
    path = []
    for y in (0.21 + 1.5 * (step / 70) ** 1.3 for step in range(70)):
        x, reach = p.random.gauss(0, 0.03 + 0.1 * y), p.random.uniform(0.3, 1) * (0.4 - 0.22 * y)
        path.append(arc(x, y, reach, 0.002 + 0.007 * y))
    p.ink(path, *light, light[1] + THIN)


@scene("regatta", "Three sailing boats with coral, apricot and white sails mirrored in a bright bay.")
def regatta(p: Print) -> None:
    p.flood(SKY, MIST, CREAM, bottom=0.3)
    p.ink([disc(-0.5, -0.5, 0.2)], WHITE)
    p.ink([below(p.terrain(0.3, 0.16, hills=2, octaves=3))], TEAL, MIST)
    main = [*spline([(0.01, -0.93), (0.22, -0.45), (0.42, -0.1)]), (0.01, -0.1)]
    jib = [*spline([(-0.03, -0.88), (-0.13, -0.4), (-0.34, -0.08)]), (-0.03, -0.1)]
    hull = [*spline([(-0.4, -0.05), (-0.2, 0.02), (0.3, 0.02), (0.44, -0.06)]), (0, -0.04)]
    for x, size, aft, fore in ((-0.62, 0.6, WHITE, OCHRE), (0.64, 0.7, APRICOT, PETROL), (0, 1.1, CORAL, WHITE)):
        p.ink([moved(main, x, 0.3, size)], aft, mix(aft, BRICK, 0.25), across=True)
        p.ink([moved(jib, x, 0.3, size)], fore, mix(fore, STONE, 0.4), across=True)
        p.ink([moved(part, x, 0.3, size) for part in (hull, box(-0.016, -0.97, -0.003, 0))], WINE, INK)
    p.mirror(0.3, TEAL + THIN, PETROL + DENSE, ripple=0.03)


@scene("papercut-1", "Layers of cut paper from violet to cream, each casting a soft shadow.",
       papers=(PLUM, WINE, BRICK, CORAL, ROSE, APRICOT, SAND, CREAM))  # fmt: skip
@scene("papercut-2", "Layers of cut paper from deep blue to cream, like a lagoon seen from above.",
       papers=(NIGHT, DEEP, PETROL, TEAL, SKY, MIST, SAND, CREAM))  # fmt: skip
def papercut(p: Print, papers: Inks) -> None:
    p.flood(papers[0])
    lattice = [p.random.random() for _ in range(9)]
    for level, colour in enumerate(papers[1:]):
        reach = [(1.25 - level * 0.18) * (0.7 + 0.5 * noise(lattice, n / 20 + level * 0.2)) for n in range(181)]
        rim = [(r * cos(n * pi / 90), r * 1.1 * sin(n * pi / 90)) for n, r in enumerate(reach)]
        p.ink([moved(rim, 0.02, 0.04)], INK + HALF, soft=0.03)
        p.ink([rim], mix(colour, WHITE, 0.15), colour)


@scene("print-1", "A geometric print of two nested arches, one petrol and one coral, below an ochre sun.")
def arches(p: Print) -> None:
    p.flood(CREAM)
    for x, colours in ((-0.4, (PETROL, SKY, CREAM, PETROL)), (0.4, (CORAL, APRICOT, CREAM, WINE))):
        for radius, colour in zip((0.38, 0.295, 0.21, 0.125), colours, strict=True):
            p.ink([[*arc(x, 0.05, radius, radius, start=180), (x + radius, 0.8), (x - radius, 0.8)]], colour)
    p.ink([disc(0, -0.58, 0.2)], OCHRE)


@scene("print-2", "A geometric print: a checkerboard of quarter circles in warm and blue inks.",
       inks=(CORAL, PETROL, OCHRE, DEEP, ROSE, WINE), ground=CREAM)  # fmt: skip
@scene("print-3", "A geometric print: a checkerboard of quarter circles in cool inks and one red.",
       inks=(TEAL, DEEP, SKY, PETROL, CORAL, PINE), ground=MIST)  # fmt: skip
def quarters(p: Print, inks: Inks, ground: str) -> None:
    p.flood(ground)
    for x, y in ((column * 0.4 - 0.8, row * 0.4 - 0.8) for row in range(4) for column in range(4)):
        tile = p.ink([box(x, y, x + 0.4, y + 0.4)], p.random.choice((CREAM, SAND, BLUSH, MIST)))
        corner = x + p.random.choice((0, 0.4)), y + p.random.choice((0, 0.4))
        for radius, colour in zip((0.4, 0.2), p.random.sample(inks, 2), strict=True):
            p.ink([disc(*corner, radius)], colour, within=tile)


def twig(p: Print, stem: Sequence[Point], *, leaf: Point, pairs: int, lean: float, green: str) -> None:
    """Draw pairs of leaves along the stem. ``leaf`` is their length and width; one half of each leaf is darker."""
    path, (length, width) = spline(stem), leaf
    blade = spline([(0, 0), (length * 0.45, -width), (length, 0), (length * 0.45, width), (0, 0)])
    p.ink([strip(path, 0.016, 0)], mix(green, INK, 0.3))
    shares = [n / pairs for n in range(pairs + 1)]
    feet = [path[round((0.2 + 0.8 * share) * (len(path) - 1))] for share in shares]
    for half, dark in ((blade, 0.0), ([(x, max(0.0, y)) for x, y in blade], 0.2)):
        leaves = [moved(half, x, y, 1.1 - 0.6 * share, side * lean * (1 - share * 0.6) - pi / 2)
                  for share, (x, y) in zip(shares, feet, strict=True) for side in (-1, 1)]  # fmt: skip
        p.ink(leaves, mix(green, WHITE, 0.2 - dark), mix(green, INK, 0.1 + dark))


@scene("botanical-1", "A eucalyptus twig with round blue-green leaves before an ochre disc.",
       back=(CREAM, SAND), halo=OCHRE, leaf=(0.3, 0.15), pairs=6, lean=1.45, green=TEAL)  # fmt: skip
@scene("botanical-2", "A fern with slender dark leaves on coral paper.",
       back=(APRICOT, CORAL), halo=CREAM, leaf=(0.55, 0.035), pairs=17, lean=1.25, green=PINE)  # fmt: skip
@scene("botanical-3", "A laurel branch in apricot on deep blue paper.",
       back=(DEEP, NIGHT), halo=PETROL, leaf=(0.42, 0.085), pairs=7, lean=1.15, green=APRICOT)  # fmt: skip
@scene("botanical-4", "An olive twig with narrow blue leaves before a coral disc.",
       back=(MIST, CREAM), halo=CORAL, leaf=(0.38, 0.055), pairs=9, lean=1.1, green=BLUE)  # fmt: skip
def botanical(p: Print, back: Inks, halo: str, **growth: Any) -> None:
    p.flood(*back)
    p.ink([disc(0.02, -0.05, 0.64)], halo)
    twig(p, [(-0.12, 0.9), (0.0, 0.4), (0.08, -0.1), (0.0, -0.55)], **growth)


BOTTLE, JUG = (0.2, 0.27, 0.28, 0.2, 0.08, 0.065, 0.09), (0.22, 0.36, 0.38, 0.24, 0.16, 0.2)
JAR, BOWL, CUP = (0.2, 0.46, 0.52, 0.42, 0.18), (0.26, 0.6, 0.85, 0.95), (0.32, 0.42, 0.45, 0.46)


def pot(p: Print, at: Point, height: float, profile: Sequence[float], inks: Inks) -> None:
    """Draw a pot. The profile holds its radii from foot to lip, as shares of its height."""
    (x, foot), (glaze, dip) = at, inks
    side = spline([(radius * height, -height * n / (len(profile) - 1)) for n, radius in enumerate(profile)])
    lip, rest = disc(x, foot - height, profile[-1] * height, 0.16), disc(x, foot, profile[0] * height, 0.16)
    p.ink([arc(x + 0.16 * height, foot + 0.02, max(profile) * height * 1.3, 0.05)], INK + HALF, soft=0.035)
    body = p.ink([turned(side, x, foot), rest, lip], *lit(glaze), across=True)
    drip = spline([(-1, -0.4), (-0.1, -0.37), (0.15, -0.44), (0.4, -0.36), (1, -0.4)])
    p.ink([below(moved(drip, x, foot, height))], *lit(dip), across=True, within=body)
    p.specks(900, INK + HALF, within=body)
    p.ink([disc(x, foot - height, profile[-1] * height * 0.88, 0.13)], mix(glaze, INK, 0.7))


@scene("ceramics-1", "A tall bottle, a round jar and a bowl of speckled stoneware before a coral wall.",
       wall=(CORAL, APRICOT), table=(WINE, INK), halo=ROSE,
       pots=(((-0.36, 0.5), 1.15, BOTTLE, (CREAM, PETROL)), ((0.36, 0.52), 0.62, JAR, (OCHRE, CREAM)),
             ((0, 0.66), 0.3, BOWL, (MIST, TEAL))))  # fmt: skip
@scene("ceramics-2", "A blue jug holding an olive twig, beside a cream cup on a pale table.",
       wall=(MIST, CREAM), table=(SAND, STONE), halo=SKY, sprig=MOSS,
       pots=(((-0.2, 0.6), 0.85, JUG, (BLUE, DEEP)), ((0.4, 0.66), 0.36, CUP, (CREAM, SAND))))  # fmt: skip
@scene("ceramics-3", "A white moon jar between two slim bottles in front of a dark petrol wall.",
       wall=(PETROL, PINE), table=(STONE, PLUM), halo=TEAL,
       pots=(((-0.58, 0.5), 0.9, BOTTLE, (BRICK, WINE)), ((0.56, 0.5), 0.75, BOTTLE, (SAND, OCHRE)),
             ((0, 0.6), 0.86, JAR, (WHITE, MIST))))  # fmt: skip
def ceramics(p: Print, *, wall: Inks, table: Inks, halo: str, pots: Any, sprig: str = "") -> None:
    p.flood(*wall)
    p.ink([disc(0, -0.1, 0.78)], halo, halo + CLEAR)
    p.flood(*table, top=0.42)
    if sprig:
        stem = [(-0.2, -0.12), (-0.19, -0.35), (-0.11, -0.58), (0.02, -0.78)]
        twig(p, stem, leaf=(0.26, 0.05), pairs=7, lean=1.1, green=sprig)
    for each in pots:
        pot(p, *each)


@scene("waves", "Rows of stylised waves, each of nested arcs, roll below a coral sun.")
def waves(p: Print) -> None:
    p.flood(CREAM, BLUSH, APRICOT)
    p.ink([disc(0, -0.38, 0.42)], CORAL, BRICK)
    crests = [(column * 0.4 + row % 2 * 0.2, row * 0.13) for row in range(16) for column in range(-6, 6)]
    p.ink([disc(x, y, 0.205) for x, y in crests], MIST, TEAL, NIGHT)
    rings = [disc(x, y, 0.2 - ring * 0.04) for x, y in crests for ring in range(5)]
    p.ink(rings, WHITE, MIST, TEAL, tones=(1, 0, 0.9, 0, 0.8))


@scene("harbour", "A row of painted wooden houses mirrored in a still harbour at dusk.")
def harbour(p: Print) -> None:
    p.flood(BLUE, ROSE, APRICOT, CREAM, bottom=0.3)
    p.ink([below(p.terrain(0.3, 0.8, hills=1.2, octaves=4))], PLUM, ROSE)
    for n in range(-7, 8):
        wall = (BRICK, CREAM, OCHRE, PETROL, CORAL, SAND, WINE, TEAL)[n % 8]
        x, y = n * 0.29, p.random.uniform(-0.3, -0.05)
        gable = [(x - 0.145, y), (x, y - 0.2), (x + 0.145, y)]
        p.ink([below(gable)], wall, mix(wall, INK, 0.2), mix(wall, INK, 0.3))
        p.ink([strip(gable, 0, 0.04)], INK)
        panes = [box(x + dx, y + dy, x + dx + 0.055, y + dy + 0.075) for dx in (-0.095, 0.04) for dy in (0.05, 0.18)]
        p.ink(panes, WHITE, OCHRE, tones=p.random.choices((0.2, 1, 1), k=4))
    p.mirror(0.3, PLUM + THIN, NIGHT + DENSE, ripple=0.03)


@scene("coffee", "A cup of coffee with a milk heart, seen from above on a striped petrol tablecloth.")
def coffee(p: Print) -> None:
    p.flood(TEAL, PETROL)
    p.ink([strip([(n * 0.14 - 2, -2), (n * 0.14 + 2, 2)], 0.017, 0) for n in range(-24, 25)], MIST + THIN)
    p.ink([disc(0.09, 0.11, 0.76)], NIGHT + HALF, soft=0.06)
    for radius, colours in ((0.74, (WHITE, SAND)), (0.7, (CREAM, WHITE)), (0.5, (SAND, WHITE))):
        p.ink([disc(0, 0, radius)], *colours)
    p.ink([disc(0.06, 0.08, 0.45)], PLUM + HALF, soft=0.04)
    p.ink([strip([(0.2, -0.28), (0.4, -0.48)], 0.08, 0.08), disc(0.44, -0.44, 0.057), disc(0, 0, 0.44)], WHITE, SAND)
    p.ink([disc(0, 0, 0.385)], WINE, BRICK)
    p.ink([disc(0, 0, 0.37)], COCOA, mix(COCOA, OCHRE, 0.5))
    lobe = [(0, -0.1), (0.11, -0.19), (0.22, -0.1), (0.18, 0.06), (0, 0.25)]
    heart = turned(spline(lobe), 0, 0)
    p.ink([moved(heart, 0, 0, size) for size in (1.05, 0.8, 0.68, 0.42)], CREAM, SAND, tones=(1, 0.25, 1, 0.25))


@scene("iceberg", "An iceberg, small above the water line and vast below it.")
def iceberg(p: Print) -> None:
    p.flood(APRICOT, BLUSH, CREAM, bottom=-0.2)
    p.flood(TEAL, DEEP, NIGHT, top=-0.2)
    for top, bottom, *corners in (
        (WHITE, MIST, (-0.42, -0.2), (-0.2, -0.62), (0.02, -0.2)),
        (SKY, BLUE, (0.02, -0.72), (0.38, -0.2), (0.16, -0.2)),
        (MIST, SKY, (-0.2, -0.62), (0.02, -0.72), (0.16, -0.2), (0.02, -0.2)),
        (MIST, TEAL, (-0.55, -0.2), (-0.05, -0.2), (-0.2, 0.3), (-0.48, 0.25)),
        (SKY, PETROL, (-0.05, -0.2), (0.2, -0.2), (0.15, 0.85), (-0.2, 0.3)),
        (TEAL, PETROL, (0.2, -0.2), (0.58, -0.2), (0.5, 0.2), (0.15, 0.85)),
        (TEAL, DEEP, (-0.48, 0.25), (-0.2, 0.3), (0.15, 0.85), (-0.2, 0.6)),
    ):  # fmt: skip
        p.ink([corners], top, bottom)
