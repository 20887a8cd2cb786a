"""Which WebP and which AVIF for which time: the measurements behind the settings in `igfeed/feed/pictures.py`.

    python -m lab.bench.pictures               # on made-up photographs: drawings with the grain of a camera
    python -m lab.bench.pictures ~/Pictures    # on photographs of your own

prints tables in Markdown. Every figure is a median or a mean over all pictures; nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image, ImageChops, ImageFilter, ImageMath, ImageOps

from igfeed.demo.scenes import draw
from igfeed.feed.imaging import render
from igfeed.feed.picture_files import WIDTHS
from igfeed.feed.pictures import AVIF_QUALITY, WEBP_QUALITY
from lab.bench import process
from lab.bench.report import machine, table

SIZE = (1440, 1800)
"""Pixels: the largest that Instagram hands out, in its tallest shape."""

SUBJECTS = ("fells-2", "lighthouse", "dunes", "cabin", "ceramics-2", "harbour")
QUALITIES = (70, 74, 78, 82)
METHODS = (0, 2, 3, 4, 6)
AVIF_QUALITIES = (38, 40, 42, 44, 46, 48, 50)
AVIF_SPEEDS = (9, 8)
BLOCK = 8
"""Pixels of a side of the squares over which SSIM is taken."""

LANCZOS, BICUBIC = Image.Resampling.LANCZOS, Image.Resampling.BICUBIC
HAMMING, BOX = Image.Resampling.HAMMING, Image.Resampling.BOX

Resize = Callable[[bytes], "dict[int, Image.Image]"]
Encode = Callable[[Image.Image], bytes]


# Pictures to measure with


def photographs(folder: Path | None) -> list[bytes]:
    """JPEGs of 1440×1800: photographs out of the folder, cut to that shape, or made-up ones."""
    if folder is None:
        return [made_up(subject) for subject in SUBJECTS]
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    images = [Image.open(path) for path in paths]
    return [jpeg(ImageOps.fit(image.convert("RGB"), SIZE)) for image in images if image.height >= 1200]


def made_up(subject: str) -> bytes:
    """A drawing with what photographs have and drawings have not: textures of every scale, and a sensor's grain."""
    drawing = Image.open(BytesIO(draw(subject, SIZE))).convert("RGB")
    for scale, strength in ((48, 60), (12, 45), (4, 30), (2, 16), (1, 7)):
        drawing = textured(drawing, scale, strength)
    return jpeg(drawing.filter(ImageFilter.GaussianBlur(0.5)))


def textured(image: Image.Image, scale: int, strength: float) -> Image.Image:
    size = (image.width // scale, image.height // scale)
    grain = Image.effect_noise(size, strength).resize(image.size, Image.Resampling.BICUBIC)
    # Noise is around 128 and `add` takes that off; it is the same in all three channels, as light is.
    return ImageChops.add(image, Image.merge("RGB", [grain] * 3), scale=1, offset=-128)


def jpeg(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


# How alike two pictures are


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Structural similarity of the luminance over squares of 8×8: 1 is the same, 0.95 is hard to tell apart."""
    x, y = (image.convert("L").convert("F") for image in (one, other))
    score = ImageMath.lambda_eval(_ssim, x=x, y=y)
    # Not `ImageStat`, which sorts what are no whole numbers into 256 steps between the least and the most of them.
    return float(score.resize((1, 1), BOX).getpixel((0, 0)))


def _ssim(names: dict[str, Any]) -> Any:
    x, y = names["x"], names["y"]
    small_a, small_b = (0.01 * 255) ** 2, (0.03 * 255) ** 2

    def over(operand: Any) -> Any:
        return type(operand)(operand.im.reduce(BLOCK))

    mx, my = over(x), over(y)
    vx, vy, vxy = over(x * x) - mx * mx, over(y * y) - my * my, over(x * y) - mx * my
    return ((mx * my * 2 + small_a) * (vxy * 2 + small_b)) / ((mx * mx + my * my + small_a) * (vx + vy + small_b))


# Ways to make one picture small


def opened(file: bytes) -> Image.Image:
    image = Image.open(BytesIO(file))
    image.load()
    return image


def height(image: Image.Image, width: int) -> int:
    return max(1, round(image.height * width / image.width))


def directly(resample: Image.Resampling, gap: float | None) -> Resize:
    """Each width from the whole picture, which is decoded once."""

    def resize(file: bytes) -> dict[int, Image.Image]:
        image = opened(file)
        return {width: image.resize((width, height(image, width)), resample, reducing_gap=gap) for width in WIDTHS}

    return resize


def by_steps(resample: Image.Resampling, gap: float | None) -> Resize:
    """Each width from the next larger one."""

    def resize(file: bytes) -> dict[int, Image.Image]:
        image = whole = opened(file)
        made = {}
        for width in reversed(WIDTHS):
            image = made[width] = image.resize((width, height(whole, width)), resample, reducing_gap=gap)
        return made

    return resize


def drafted(file: bytes) -> dict[int, Image.Image]:
    """Each width decoded anew, no larger than it needs to be: JPEG can be read at a half, a quarter, an eighth."""
    made = {}
    for width in WIDTHS:
        image = Image.open(BytesIO(file))
        size = (width, height(image, width))
        image.draft("RGB", size)
        made[width] = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return made


EXACT = directly(LANCZOS, None)
RESIZES: dict[str, Resize] = {
    "Lanczos": EXACT,
    "Lanczos, gap 3": directly(LANCZOS, 3.0),
    "Lanczos, gap 2": directly(LANCZOS, 2.0),
    "Lanczos, gap 1.5": directly(LANCZOS, 1.5),
    "bicubic": directly(BICUBIC, None),
    "bicubic, gap 2": directly(BICUBIC, 2.0),
    "Hamming": directly(HAMMING, None),
    "box": directly(BOX, None),
    "Lanczos, from the next larger": by_steps(LANCZOS, None),
    "bicubic, from the next larger": by_steps(BICUBIC, None),
    "draft mode, decoded for each width": drafted,
}
CHOSEN, CHOSEN_METHOD = by_steps(LANCZOS, None), 2
DOWNLOAD = 0.15
"""Seconds that a download is played to take."""


# The tables


def milliseconds(work: Callable[[], object], times: int = 3) -> float:
    return median(_timed(work) for _ in range(times))


def _timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def resizing(files: Sequence[bytes]) -> Iterator[Sequence[str]]:
    exact = [EXACT(file) for file in files]
    decoding = mean(milliseconds(lambda file=file: opened(file)) for file in files)  # type: ignore[misc]
    yield ("decoding alone", f"{decoding:.0f}", *("" for _ in WIDTHS))
    for name, resize in RESIZES.items():
        taken = mean(milliseconds(lambda file=file, resize=resize: resize(file)) for file in files)  # type: ignore[misc]
        made = [resize(file) for file in files]
        alike = [
            mean(ssim(one[width], other[width]) for one, other in zip(made, exact, strict=True)) for width in WIDTHS
        ]
        yield (name, f"{taken:.0f}", *(f"{score:.4f}" for score in alike))


def webp(image: Image.Image, quality: int, method: int) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", quality=quality, method=method)
    return file.getvalue()


def encoding(files: Sequence[bytes], qualities: Iterable[int], methods: Iterable[int]) -> Iterator[Sequence[str]]:
    exact = [EXACT(file) for file in files]
    settings = [(quality, method) for quality in qualities for method in methods]
    for quality, method in settings:
        figures: list[str] = []
        total_bytes = total_time = 0.0
        for width in WIDTHS:
            made = encoded([each[width] for each in exact], partial(webp, quality=quality, method=method))
            figures.append(f"{made.size / 1024:.0f} KB, {made.milliseconds:.0f} ms, {mean(made.scores):.4f}")
            total_bytes, total_time = total_bytes + made.size, total_time + made.milliseconds
        yield (str(quality), str(method), *figures, f"{total_bytes / 1024:.0f} KB", f"{total_time:.0f} ms")


@dataclass(frozen=True)
class Encoded:
    """Some pictures in one format: mean bytes, mean milliseconds, and the SSIM of each."""

    size: float
    milliseconds: float
    scores: Sequence[float]


def encoded(images: Sequence[Image.Image], encode: Encode) -> Encoded:
    files = [encode(image) for image in images]
    taken = mean(milliseconds(partial(encode, image), 2) for image in images)
    scores = [ssim(opened(file), image) for file, image in zip(files, images, strict=True)]
    return Encoded(mean(map(len, files)), taken, scores)


def avif(image: Image.Image, quality: int, speed: int) -> bytes:
    file = BytesIO()
    image.save(file, "AVIF", quality=quality, speed=speed, max_threads=1)
    return file.getvalue()


def avif_encoding(files: Sequence[bytes]) -> Iterator[Sequence[str]]:
    """The first row is our WebP, with which the others are compared."""
    made = [CHOSEN(file) for file in files]
    images = {width: [each[width] for each in made] for width in WIDTHS}
    ours = {
        width: encoded(images[width], partial(webp, quality=WEBP_QUALITY[width], method=CHOSEN_METHOD))
        for width in WIDTHS
    }
    yield ("our WebP", "", *(_compared(ours[width], ours[width]) for width in WIDTHS))
    for speed in AVIF_SPEEDS:
        for quality in AVIF_QUALITIES:
            encode = partial(avif, quality=quality, speed=speed)
            cells = (_compared(encoded(images[width], encode), ours[width]) for width in WIDTHS)
            yield (str(quality), str(speed), *cells)


def _compared(made: Encoded, ours: Encoded) -> str:
    """Bytes, fewer than ours, time, mean SSIM, how many are less like than ours, and by how much at most."""
    lower = [mine - its for its, mine in zip(made.scores, ours.scores, strict=True) if its < mine]
    saved = f" (−{1 - made.size / ours.size:.0%})" if made is not ours else ""
    less = f"; {len(lower)} by ≤ {max(lower):.4f}" if lower else ""
    return f"{made.size / 1024:.1f} KB{saved}, {made.milliseconds:.0f} ms, {mean(made.scores):.4f}{less}"


# Many at once


def mirroring(file: Path, count: int, threads: int) -> tuple[float, float]:
    """Seconds, and MiB on top of what the process had; in a process of its own, as memory is never given back."""
    command = [sys.executable, "-m", "lab.bench.pictures", "--mirror", str(file), str(count), str(threads)]
    seconds, mebibytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(mebibytes)


def mirror(file: Path, count: int, threads: int) -> None:
    content = file.read_bytes()
    before = process.most_memory(os.getpid())
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda _: _fetched_and_made(content), range(count)):
            pass
    taken = time.perf_counter() - started
    sys.stdout.write(f"{taken:.2f} {(process.most_memory(os.getpid()) - before) / 1024:.1f}")


def _fetched_and_made(content: bytes) -> int:
    time.sleep(DOWNLOAD)
    # A copy, as each download has bytes of its own.
    return len(render(bytes(bytearray(content)), WEBP_QUALITY, AVIF_QUALITY).webp)


def at_once(file: bytes) -> Iterator[Sequence[str]]:
    with TemporaryDirectory(prefix="igfeed-bench-") as folder:
        path = Path(folder, "photograph.jpg")
        path.write_bytes(file)
        for threads in (1, 2, 4, 8):
            cells = []
            for count in (24, 240):
                seconds, mebibytes = mirroring(path, count, threads)
                cells += [f"{seconds:.1f} s", f"{mebibytes:.0f} MiB"]
            yield (str(threads), *cells)


def main() -> None:
    if sys.argv[1:2] == ["--mirror"]:
        mirror(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description="Tables of what a picture costs, in bytes, time and likeness.")
    parser.add_argument("folder", type=Path, nargs="?", help="photographs; default: made-up ones")
    files = photographs(parser.parse_args().folder)
    widths = [str(width) for width in WIDTHS]
    parts = (
        ("Making it small", table(["how", "ms", *(f"SSIM, {width}" for width in widths)], resizing(files))),
        (
            "Quality and method",
            table(["q", "method", *widths, "bytes", "ms"], encoding(files, QUALITIES, METHODS)),
        ),
        ("AVIF", table(["q", "speed", *widths], avif_encoding(files))),
        ("Many at once", table(["threads", "24", "memory", "240", "memory"], at_once(files[0]))),
    )
    mean_size = mean(map(len, files)) / 1024
    sys.stdout.write(f"{len(files)} pictures of {SIZE[0]}×{SIZE[1]}, {mean_size:.0f} KB in the mean; {machine()}\n")
    sys.stdout.writelines(f"\n## {title}\n\n{text}\n" for title, text in parts)


if __name__ == "__main__":
    main()
