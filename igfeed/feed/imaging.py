"""Resizes a picture's file and measures it, with Pillow."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import ExifTags, Image

from igfeed.errors import PictureRefused
from igfeed.models import Measures

log = logging.getLogger(__name__)

WEBP_METHOD = 2
"""WebP's effort, from 0 to 6. It takes a third of the time of the default 4, for 4 % more bytes (docs/pictures.md)."""

AVIF_SPEED = 9
"""AVIF's speed, from 0 to 10. Speed 8 takes twice the time of 9, for 5 % fewer bytes (docs/pictures.md)."""

MAX_AVIF_PIXELS = 3_000_000
"""A larger file stays WebP. The encoder takes 20 to 30 bytes of memory a pixel. A reel's cover has 2 million pixels."""

MAX_PIXELS = 12_000_000
"""Four times as many as Instagram's largest pictures have. The costliest kind, WebP with alpha, takes 24 bytes each."""

MAX_SIDE_PIXELS = 65_535
"""The longest side that a JPEG can have. Pillow's resizing needs a table of 50 bytes for each pixel of a side."""

MAX_SCANS = 100
"""A progressive JPEG has about 10. A scan may have only 80 bytes and still take as much time as all the pixels."""

MAX_READS = 20_000
"""Pillow reads a file part by part, in Python. A real picture has a thousand parts, 16 MB may have millions."""

MAX_PROFILE_BYTES = 64 * 1024
"""A larger colour profile is left out, because each file gets a copy of it. The usual ones have 500 to 4,000 bytes."""

WEBP_MAX_SIDE = 16_383
"""The longest side, in pixels, that a WebP file can have."""

# Why a list: without it Pillow tries every decoder that it has on a file from outside.
PICTURE_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")

TRANSPOSE_BY_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that turns a picture upright, by the orientation in its EXIF data."""

DECODING_ERRORS = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)
"""The errors that Pillow raises for bytes that are no picture, or for a picture that is too large."""


@dataclass(frozen=True)
class Rendered:
    """The files in each format by width, and the picture's measures: its size is that of the widest file."""

    webp: dict[int, bytes]
    avif: dict[int, bytes]
    measures: Measures


class _LimitedReads(BytesIO):
    """A file that allows MAX_READS reads. The next one raises OSError, which ends the decoding."""

    _left = MAX_READS

    def read(self, size: int | None = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise OSError("too many parts")
        return super().read(size)


def render(file: bytes, webp: Mapping[int, int], avif: Mapping[int, int]) -> Rendered:
    """The picture upright, in every width of ``webp``, never enlarged. Both mappings have qualities by width.

    The widths of ``avif`` are made as AVIF too, as far as the encoder can. An RGB picture keeps its colour profile.
    Raises PictureRefused if it is no picture, or too large.
    """
    with _decoding():
        image = _opened(file)
        profile, colour, images = _profile(image), _average(image), dict(_in_widths(image, webp))
        smaller = {width: _avif(images[width], avif[width], profile) for width in images if width in avif}
        return Rendered(
            {width: _webp(each, webp[width], profile) for width, each in images.items()},
            {width: content for width, content in smaller.items() if content},
            Measures(colour, images[max(images)].size),
        )


def measures(file: bytes) -> Measures:
    """Average colour and size of a file that was made before. Raises PictureRefused if it is no picture."""
    with _decoding():
        image = Image.open(BytesIO(file), formats=PICTURE_FORMATS)
        return Measures(_average(image), image.size)


def size(file: bytes) -> tuple[int, int]:
    """Width and height in pixels, without decoding the picture. Raises PictureRefused."""
    with _decoding():
        return Image.open(BytesIO(file), formats=PICTURE_FORMATS).size


@contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except DECODING_ERRORS as error:
        failure = type(error).__name__
    else:
        return
    raise PictureRefused(f"A picture could not be read ({failure}).")


def _opened(file: bytes) -> Image.Image:
    # FF DA starts a scan. It cannot occur inside a scan's data, and elsewhere it is too rare to reach the limit.
    if file.startswith(b"\xff\xd8") and file.count(b"\xff\xda") > MAX_SCANS:
        raise PictureRefused("A JPEG has too many scans.")
    image: Image.Image = Image.open(_LimitedReads(file), formats=PICTURE_FORMATS)
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE_PIXELS:
        raise PictureRefused("A picture has too many pixels.")
    upright = _upright(image)
    return upright if upright.mode == "RGB" else _in_rgb(upright)


def _in_rgb(image: Image.Image) -> Image.Image:
    """In RGB, on white where it is transparent."""
    if image.mode.startswith("I"):
        image = _in_eight_bits(image)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    image.info.pop("icc_profile", None)  # It describes the colours before they become RGB.
    return image.convert("RGB")


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """A grey picture of 16 bits, scaled to 8. Pillow's own conversion turns every value above 255 into white."""
    transparent = image.info.pop("transparency", None)
    grey = image.point(lambda value: value * (1 / 256) + 0).convert("L")
    if isinstance(transparent, int):
        grey.info["transparency"] = transparent >> 8
    return grey


def _upright(image: Image.Image) -> Image.Image:
    """The picture, rotated or mirrored as its EXIF orientation says."""
    # Why not Pillow's `exif_transpose`: it also rewrites the other EXIF data, and fails if they are malformed.
    turn = TRANSPOSE_BY_ORIENTATION.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def _profile(image: Image.Image) -> bytes | None:
    profile = image.info.get("icc_profile")
    return profile if profile and len(profile) <= MAX_PROFILE_BYTES else None


def _average(image: Image.Image) -> str:
    pixel = image.convert("RGB").resize((1, 1), Image.Resampling.BOX)
    return f"#{pixel.tobytes().hex()}"


def _in_widths(image: Image.Image, widths: Iterable[int]) -> Iterator[tuple[int, Image.Image]]:
    """Each width with the picture in it, the widest first."""
    for width in sorted(widths, reverse=True):
        # Why not from the original: this is twice as fast, and the difference is not visible.
        image = _narrowed(image, width)
        yield width, image


def _narrowed(image: Image.Image, width: int) -> Image.Image:
    """At most ``width`` pixels wide, and no higher than WebP allows."""
    scale = min(1, width / image.width, WEBP_MAX_SIDE / image.height)
    if scale == 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS)


def _webp(image: Image.Image, quality: int, profile: bytes | None) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", quality=quality, method=WEBP_METHOD, icc_profile=profile)
    return file.getvalue()


def _avif(image: Image.Image, quality: int, profile: bytes | None) -> bytes | None:
    """None if the encoder fails, or if the picture would take too much of its memory."""
    if image.width * image.height > MAX_AVIF_PIXELS:
        return None
    file = BytesIO()
    try:
        # A copy, because Pillow writes the object of a moving picture as a sequence, even if that has one frame only.
        # One thread, because several pictures are made at once anyway.
        image.copy().save(file, "AVIF", quality=quality, speed=AVIF_SPEED, max_threads=1, icc_profile=profile)
    except (OSError, ValueError, RuntimeError) as error:
        log.warning("A picture stays WebP, because it could not be made an AVIF (%s)", type(error).__name__)
        return None
    return file.getvalue()
