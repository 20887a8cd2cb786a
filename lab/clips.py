"""Draws the two clips of the sample account's videos, ``static/demo/*.mp4``. It needs ffmpeg.

Run it with ``python -m lab.clips``. H.264 in MP4, because every browser plays it; no sound; each clip ends where it
begins.
"""

import subprocess
import sys
from collections.abc import Callable
from math import sin, tau
from pathlib import Path

from PIL import Image, ImageChops

from igfeed.demo.drawings import (
    APRICOT,
    BLUSH,
    BRICK,
    CORAL,
    CREAM,
    DEEP,
    DENSE,
    GREEN,
    LIME,
    MIST,
    NIGHT,
    PETROL,
    PLUM,
    TEAL,
    THIN,
    WHITE,
    Print,
    below,
    disc,
    mix,
    moved,
    strip,
)

FOLDER = Path(__file__).parent.parent / "static/demo"
WIDTH, HEIGHT = 360, 450
FRAMES_PER_SECOND = 12
SECONDS = 3


def aurora(p: Print, time: float) -> None:
    """The scene of the same name, whose lights move. ``time`` is from 0 to 1."""
    p.flood(NIGHT, DEEP, PETROL, bottom=0.45)
    p.specks(120, CREAM, bottom=0.4)
    for number, (base, colour) in enumerate(((-0.1, TEAL), (0.2, GREEN), (0.5, LIME))):
        crest = p.terrain(base, 0.75, hills=1.1, octaves=2)[::5]
        rays = Image.frombytes("L", (25, 1), bytes(p.random.choices(range(90, 256), k=25)))
        rays = rays.resize(p.paper.size, Image.Resampling.BICUBIC)
        rays = ImageChops.offset(rays, round(WIDTH * 0.06 * sin(tau * time + number)), 0)
        height = 0.018 + 0.004 * sin(tau * time + 2 * number)
        curtain = [strip(moved(crest, 0, -step * height), 0, 0.04) for step in range(50, -1, -1)]
        p.ink(curtain, PLUM, colour, colour, tones=[(n / 50) ** 1.7 for n in range(51)], soft=0.02, within=rays)
    for height, colour in ((0.42, DEEP), (0.2, NIGHT)):
        p.ink([below(p.terrain(0.45, height, hills=1.7))], colour, mix(colour, PETROL, 0.5))
    p.mirror(0.45, DEEP + THIN, NIGHT + DENSE)


def waves(p: Print, time: float) -> None:
    """The scene of the same name: the sea rolls by one wave."""
    p.flood(CREAM, BLUSH, APRICOT)
    p.ink([disc(0, -0.38, 0.42)], CORAL, BRICK)
    crests = [(column * 0.4 + row % 2 * 0.2 + 0.4 * time, row * 0.13) for row in range(16) for column in range(-7, 6)]
    p.ink([disc(x, y, 0.205) for x, y in crests], MIST, TEAL, NIGHT)
    rings = [disc(x, y, 0.2 - ring * 0.04) for x, y in crests for ring in range(5)]
    p.ink(rings, WHITE, MIST, TEAL, tones=(1, 0, 0.9, 0, 0.8))


def clip(name: str, scene: Callable[[Print, float], None], quality: int) -> Path:
    """The file of the clip. ``quality`` is x264's CRF: higher is smaller."""
    file = FOLDER / f"{name}.mp4"
    raw = f"-f rawvideo -pix_fmt rgb24 -s {WIDTH}x{HEIGHT} -r {FRAMES_PER_SECOND} -i -"
    packed = f"-c:v libx264 -preset veryslow -tune animation -crf {quality} -pix_fmt yuv420p -movflags +faststart -an"
    command = ["ffmpeg", "-y", "-loglevel", "error", *raw.split(), *packed.split(), "-bitexact", str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as ffmpeg:
        assert ffmpeg.stdin
        for number in range(FRAMES_PER_SECOND * SECONDS):
            sheet = Print(WIDTH, HEIGHT, name)
            scene(sheet, number / (FRAMES_PER_SECOND * SECONDS))
            ffmpeg.stdin.write(sheet.paper.tobytes())
    return file


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, scene, quality in (("aurora", aurora, 30), ("waves", waves, 31)):
        file = clip(name, scene, quality)
        sys.stdout.write(f"{file.name}: {file.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
